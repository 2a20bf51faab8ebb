"""The hook by which the audit reaches every engine.

Owns: attaching an audit to a new engine.
Must not know: what is written, or where.

glowplug imports this module when a process makes its first engine. There is no switch in here:
whoever may not be audited says so to glowplug, see the README.
"""

from __future__ import annotations

from typing import Any

from glowplug import Engine, hookimpl

from acme_audit.audit import RunAudit


@hookimpl
def glowplug_engine_created(engine: Engine[Any, Any]) -> None:
    """Audit the runs of a new engine."""
    RunAudit().attach(engine)
