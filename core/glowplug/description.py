"""What is attached to an engine, as a value that can be shown.

Owns: the rows of a description, and its form for machines.
Must not know: how a row is laid out for people.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from glowplug import tables
from glowplug.attached import AttachedHandler, Describer
from glowplug.call_times import Calls, CallTimes
from glowplug.handlers import Slot


@dataclass(frozen=True)
class Row:
    """One handler on one event.

    Args:
        handler: what it is.
        calls: how often it ran and how long, or None where that was not counted.
        removed: whether it is attached no longer.
    """

    handler: AttachedHandler
    calls: Calls | None
    removed: bool = False


class Description:
    """The handlers of an engine, event by event, in the order in which they run.

    ``print`` shows it as text that fits the terminal, a notebook as a table, ``to_json`` gives it
    to machines.

    Args:
        slots: the handlers of every event.
        describe: puts a registration into words.
        step: the name of the step.
        times: what was counted, or None.

    Example:
        >>> from glowplug import Engine, Events
        >>> engine = Engine(lambda engine, batch: batch)
        >>> handle = engine.add_event_handler(Events.EPOCH_COMPLETED(every=2), print, "done")
        >>> (row,) = engine.describe().rows
        >>> row.handler.name, row.handler.filter, row.handler.phase.value
        ('print', '(every=2)', 'act')
    """

    def __init__(
        self,
        slots: Iterable[Slot],
        describe: Describer,
        step: str,
        times: CallTimes | None = None,
    ) -> None:
        self.step, self.times = step, times
        present = [describe(entry) for slot in slots for entry in slot.registrations]
        gone = () if times is None else times.handlers.keys() - set(present)
        self.rows = (
            *(Row(handler, self._calls_of(handler)) for handler in present),
            *(Row(h, self._calls_of(h), removed=True) for h in sorted(gone, key=str)),
        )

    def _calls_of(self, handler: AttachedHandler) -> Calls | None:
        return None if self.times is None else self.times.handlers.get(handler, Calls())

    def to_dict(self) -> dict[str, Any]:
        """Return the description as plain values.

        Returns:
            ``{"step": ..., "run": ..., "events": [{"event": ..., "handlers": [...]}]}``; times are
            in seconds, a share is that of the runs that were timed. What was not counted is None.
        """
        events: dict[Any, list[dict[str, Any]]] = {}
        for row in self.rows:
            events.setdefault(row.handler.event, []).append(self._plain(row))
        times = self.times
        return {
            "step": {"name": self.step, **self._timed(times.step if times else None)},
            "run": self._timed(times.run if times else None),
            "events": [
                {"event": str(event), "handlers": handlers} for event, handlers in events.items()
            ],
        }

    def to_json(self, indent: int | None = None) -> str:
        """Return ``to_dict()`` as JSON.

        Args:
            indent: spaces for each level; one line where left out.
        """
        return json.dumps(self.to_dict(), indent=indent)

    def _plain(self, row: Row) -> dict[str, Any]:
        return {
            **row.handler.to_dict(),
            "removed": row.removed,
            **self._timed(row.calls),
        }

    def _timed(self, calls: Calls | None) -> dict[str, Any]:
        if calls is None or self.times is None:
            return dict.fromkeys(("calls", "seconds", "mean", "share"))
        return {
            "calls": calls.number,
            "seconds": calls.seconds,
            "mean": calls.seconds / calls.number if calls.number else None,
            "share": self.share_of(calls),
        }

    def share_of(self, calls: Calls) -> float | None:
        """Return the part of the timed runs that these calls took, from 0 to 1."""
        total = self.times.run.nanoseconds if self.times else 0
        return calls.nanoseconds / total if total else None

    def __str__(self) -> str:
        width = shutil.get_terminal_size().columns
        table = tables.as_text(COLUMNS, self._sections(), width) if self.rows else "no handlers"
        return f"{self._headline()}\n{table}"

    def __repr__(self) -> str:
        return str(self)

    def _repr_html_(self) -> str:
        return tables.as_html(COLUMNS, self._sections(), caption=self._headline())

    def _headline(self) -> str:
        times = self.times
        if times is None or not times.run.number:
            return f"step {self.step}"
        return (
            f"step {self.step}: {in_words(times.step)} of {in_seconds(times.run.seconds)} in "
            f"{times.run.number} {'run' if times.run.number == 1 else 'runs'}"
            f" ({percent(self.share_of(times.step))})"
        )

    def _sections(self) -> list[tables.Section]:
        rows: dict[Any, list[tuple[str, ...]]] = {}
        for row in self.rows:
            rows.setdefault(row.handler.event, []).append(self._cells(row))
        return [tables.Section(str(event), cells) for event, cells in rows.items()]

    def _cells(self, row: Row) -> tuple[str, ...]:
        handler, calls = row.handler, row.calls
        timed = ("" if calls is None else "0", "", "", "")
        if calls is not None and calls.number:
            mean = in_seconds(calls.seconds / calls.number)
            share = percent(self.share_of(calls))
            timed = (str(calls.number), in_seconds(calls.seconds), mean, share)
        return (
            handler.phase.value,
            " ".join(filter(None, (handler.name, handler.filter, "removed" * row.removed))),
            f"{handler.plugin} {handler.version}" if handler.plugin else "",
            str(handler.site or ""),
            *timed,
        )


COLUMNS = (
    tables.Column("phase"),
    tables.Column("handler"),
    tables.Column("plugin", gives_way=True),
    tables.Column("attached at", keeps_end=True, gives_way=True),
    tables.Column("calls", number=True),
    tables.Column("time", number=True),
    tables.Column("mean", number=True),
    tables.Column("share", number=True),
)


def in_seconds(seconds: float) -> str:
    """Return a time with the unit that suits it.

    Example:
        >>> in_seconds(0.00125), in_seconds(75.0)
        ('1.25 ms', '75 s')
    """
    for factor, unit in ((1, "s"), (1e3, "ms"), (1e6, "µs")):
        if seconds * factor >= 0.9995:  # what is rounded up to 1000 of a unit is 1 of the next
            return f"{seconds * factor:.3g} {unit}" if seconds < 999.5 else f"{seconds:.0f} s"
    return f"{seconds * 1e9:.0f} ns"


def percent(share: float | None) -> str:
    """Return a share, from 0 to 1, in percent; empty where there is none."""
    return "" if share is None else f"{share:.1%}"


def in_words(calls: Calls) -> str:
    """Return number and time of calls."""
    return f"{calls.number} calls, {in_seconds(calls.seconds)}"
