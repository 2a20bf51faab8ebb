"""Runs of glowplug as traces.

Owns: the public name of glowplug-trace.
Must not know: how a trace is taken or written, or torch.
"""

from __future__ import annotations

from glowplug_trace.trace import Trace

__all__ = ["Trace"]
