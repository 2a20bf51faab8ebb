"""The Chrome Trace Event Format: how one event is written down.

Owns: the fields of spans, instants and names of tracks, in JSON.
Must not know: engines, or where the events go.

The format is described in "Trace Event Format" by the Chromium project; Perfetto reads it as well.
Times are in microseconds. What many events of a kind share is put into JSON once, as a template
for ``%``: an event is then a template and a few numbers, and becomes text when it is written.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, TypeAlias

MICROSECOND = 1000.0
"""Nanoseconds."""

COUNTERS = ("epoch", "iteration")
"""The arguments of a template that are filled in for each event."""


class Track(NamedTuple):
    """Where events are drawn: a thread of a process, in the words of the format.

    Args:
        process: the process.
        thread: the thread.
    """

    process: int
    thread: int


Record: TypeAlias = "tuple[str, tuple[Any, ...] | None]"
"""An event: a template and what is filled in, or a text and None. Plain: there are many of them."""


def text(record: Record) -> str:
    """Return an event in JSON.

    Example:
        >>> span = template(Track(1, 2), "X", "step", "step", {})
        >>> text((span, (1.5, 2.25, 1, 10))).partition('"ts":')[2]
        '1.500,"dur":2.250,"args":{"epoch":1,"iteration":10}}'
    """
    template, values = record
    return template if values is None else template % values


def template(track: Track, phase: str, name: str, category: str, args: Mapping[str, Any]) -> str:
    """Return the template of spans, or of instants; to be filled in: times and ``COUNTERS``.

    Args:
        track: where they are drawn.
        phase: ``"X"`` for spans, which have a time and a duration; ``"i"`` for instants.
        name: what is written on them.
        category: what kind they are.
        args: what else is told of each.
    """
    times: Sequence[str] = ("ts", "dur") if phase == "X" else ("ts",)
    head = {"ph": phase, "pid": track.process, "tid": track.thread, "name": name, "cat": category}
    scope = {"s": "t"} if phase == "i" else {}
    fixed = _json({**head, **scope})[1:-1].replace("%", "%%")
    told = _json(args)[1:-1].replace("%", "%%")
    filled = ",".join(f'"{time}":%.3f' for time in times)
    counted = ",".join(f'"{counter}":%d' for counter in COUNTERS)
    return f'{{{fixed},{filled},"args":{{{told}{"," if told else ""}{counted}}}}}'


def begin(track: Track, name: str, at: float, args: Mapping[str, Any]) -> Record:
    """Return the beginning of a long span, which is written before its end is known."""
    return _record("B", track, ts=round(at, 3), name=name, cat="run", args=args)


def end(track: Track, at: float) -> Record:
    """Return the end of the innermost long span."""
    return _record("E", track, ts=round(at, 3))


def instant(track: Track, name: str, at: float, args: Mapping[str, Any]) -> Record:
    """Return something that took no time."""
    return _record("i", track, ts=round(at, 3), name=name, cat="event", s="t", args=args)


def named_process(process: int, name: str) -> list[Record]:
    """Return what names a group of tracks, and keeps the groups in the order of their numbers."""
    track = Track(process, 0)
    return [
        _record("M", track, name="process_name", args={"name": name}),
        _record("M", track, name="process_sort_index", args={"sort_index": process}),
    ]


def named_track(track: Track, name: str) -> list[Record]:
    """Return what names a track, and keeps the tracks in the order of their numbers."""
    return [
        _record("M", track, name="thread_name", args={"name": name}),
        _record("M", track, name="thread_sort_index", args={"sort_index": track.thread}),
    ]


def foreign(event: Mapping[str, Any]) -> Record:
    """Return an event that somebody else made."""
    return _json(event), None


def _record(phase: str, track: Track, **fields: Any) -> Record:
    return _json({"ph": phase, "pid": track.process, "tid": track.thread, **fields}), None


def _json(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"))
