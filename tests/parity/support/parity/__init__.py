"""The differential test's own machinery: programs, two interpreters, and the known departures.

Owns: what a program is, how it is run on an engine, and which differences are meant.
Must not know: the insides of either engine; only what both offer in public is used.

pytest finds this package through `pythonpath` in pyproject.toml, since test files themselves do not
import each other.
"""
