"""What pytest is to know before it collects: the kit for authors of plugins, and its own.

Owns: opting in; the tests of this repository use the kit as a stranger's would.
Must not know: any test.
"""

from __future__ import annotations

pytest_plugins = ["glowplug.testing", "pytester"]
