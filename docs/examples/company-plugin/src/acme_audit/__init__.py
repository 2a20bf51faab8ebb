"""An audit log of every run of every engine.

Owns: the public names.
Must not know: glowplug; importing this package attaches nothing.
"""

from acme_audit.log import VARIABLE, log_file

__all__ = ["VARIABLE", "log_file"]
