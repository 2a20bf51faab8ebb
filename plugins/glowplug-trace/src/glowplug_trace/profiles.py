"""What torch.profiler recorded, in the time of a trace.

Owns: reading a profile or an exported one, and moving its times.
Must not know: torch, which is asked for nothing but its export; or engines.
"""

from __future__ import annotations

import gzip
import json
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from glowplug.errors import InvalidArgument, InvalidType
from glowplug_trace.clocks import Clock

_GZIPPED = b"\x1f\x8b"


def exported(profile: Any) -> dict[str, Any]:
    """Return the Chrome trace of a profile.

    Args:
        profile: a ``torch.profiler.profile`` that has ended a recording, or the path of a trace
            that one has exported, packed by gzip or not.

    Raises:
        InvalidType: when it is neither.
        InvalidArgument: when the profile has nothing to export, or the file is no such trace.
    """
    if isinstance(profile, (str, os.PathLike)):
        return _read(Path(profile))
    if not callable(getattr(profile, "export_chrome_trace", None)):
        raise InvalidType(
            "expected a torch.profiler.profile, or the path of a trace that it exported; got "
            f"{profile!r} of type {type(profile).__name__}"
        )
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "profile.json"
        try:
            profile.export_chrome_trace(str(path))
        except (RuntimeError, AssertionError, AttributeError) as error:
            raise InvalidArgument(
                f"the profile cannot be exported ({error}); include it once, after it has stopped "
                "or as on_trace_ready; or include the path of what it has exported already"
            ) from error
        return _read(path)


def _read(path: Path) -> dict[str, Any]:
    try:
        raw = path.read_bytes()
        found = json.loads(gzip.decompress(raw) if raw.startswith(_GZIPPED) else raw)
    except (OSError, EOFError, ValueError) as error:
        raise InvalidArgument(f"cannot read a profile from {path}: {error}") from error
    events = found.get("traceEvents") if isinstance(found, dict) else None
    if not isinstance(events, list) or not all(isinstance(event, dict) for event in events):
        raise InvalidArgument(
            f"{path} is no trace that torch.profiler exported: it has no events, 'traceEvents'"
        )
    return dict(found)


def moved(trace: dict[str, Any], clock: Clock) -> Iterator[dict[str, Any]]:
    """Yield the events of an exported trace with the times of ``clock``.

    torch writes microseconds since a date of its own, ``baseTimeNanoseconds``.

    Args:
        trace: what ``exported`` returned.
        clock: the clock of the trace that they join.

    Example:
        >>> clock = Clock(steady=lambda: 400, date=lambda: 9_000_000)
        >>> trace = {"baseTimeNanoseconds": 9_000_000, "traceEvents": [{"ph": "i", "ts": 2.5}]}
        >>> list(moved(trace, clock))
        [{'ph': 'i', 'ts': 2.5}]
    """
    base = int(trace.get("baseTimeNanoseconds", 0))
    # One shift for all of them: their distances from each other are torch's to know.
    first = next((event["ts"] for event in trace["traceEvents"] if "ts" in event), 0)
    date = base + round(first * 1000)
    shift = (clock.steady_at(date) - clock.origin) / 1000 - first
    for event in trace["traceEvents"]:
        yield {**event, "ts": round(event["ts"] + shift, 3)} if "ts" in event else event
