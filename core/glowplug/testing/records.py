"""What the kit writes down of a run, as values that tests compare.

Owns: one firing, one call of a handler, and a list of firings with a readable form.
Must not know: engines, or how a run is watched.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from glowplug.errors import UnknownEvent, did_you_mean


class Fired(NamedTuple):
    """One firing of an event; equal to the plain tuple of its fields.

    Args:
        event: the event's name; with its set's, where two sets of the engine share the name.
        epoch: epochs begun by then.
        iteration: iterations begun by then.
        number: the event's own count: what a filter on it sees.

    Example:
        >>> Fired("STARTED", 0, 0, 0) == ("STARTED", 0, 0, 0)
        True
    """

    event: str
    epoch: int
    iteration: int
    number: int


class Call(NamedTuple):
    """One call of a handler.

    Args:
        event: the name of the event that was fired.
        epoch: epochs begun by then.
        iteration: iterations begun by then.
        output: what the step had returned last.
        args: what followed the engine: what the event carries, and the handler's own arguments.
        kwargs: the handler's own keyword arguments.

    Example:
        >>> Call("STARTED", 0, 0, None, (), {}).event
        'STARTED'
    """

    event: str
    epoch: int
    iteration: int
    output: Any
    args: tuple[Any, ...]
    kwargs: Mapping[str, Any]


class Recording(list[Fired]):
    """The firings of a run, in their order: a list that compares as any list does.

    Args:
        fired: the firings.
        events: the names of all events that were watched.

    Example:
        >>> recording = Recording([Fired("STARTED", 0, 0, 0)], ["STARTED", "COMPLETED"])
        >>> recording == [("STARTED", 0, 0, 0)]
        True
        >>> recording
        Recording of 1 firing:
        event    epoch  iteration  number
        STARTED      0          0       0
    """

    def __init__(self, fired: Iterable[Fired] = (), events: Iterable[str] = ()) -> None:
        super().__init__(fired)
        self._events = tuple(events)

    @property
    def names(self) -> list[str]:
        """The names of the events that were fired."""
        return [fired.event for fired in self]

    def only(self, *events: object) -> Recording:
        """Return the firings of some events.

        Args:
            *events: events, or their names.

        Returns:
            Their firings, in order.

        Raises:
            UnknownEvent: for an event that was not watched, so that a misspelt name is no empty
                list.

        Example:
            >>> watched = ["STARTED", "COMPLETED"]
            >>> Recording([Fired("STARTED", 0, 0, 0)], watched).only("COMPLETED")
            Recording of 0 firings:
        """
        wanted = [str(event) for event in events]
        for name in wanted:
            if name not in self._events:
                near = did_you_mean(name, self._events)
                raise UnknownEvent(f"no event {name} was watched{near}", name)
        return Recording((fired for fired in self if fired.event in wanted), self._events)

    def __repr__(self) -> str:
        title = f"Recording of {len(self)} firing{'' if len(self) == 1 else 's'}:"
        return "\n".join([title, *as_table(self)])


def as_table(fired: Iterable[tuple[Any, ...]]) -> list[str]:
    """Return firings as the lines of a table: a line of titles, and one for each firing.

    Args:
        fired: firings, or plain tuples of the same fields; whatever else is shown by its repr.

    Example:
        >>> as_table([("STARTED", 0, 0, 0)])[1]
        'STARTED      0          0       0'
    """
    rows = list(fired)
    fit = [row for row in rows if isinstance(row, tuple) and len(row) == len(Fired._fields)]
    width = max((len(str(row[0])) for row in fit), default=0)
    lines = [_line(row, width) if row in fit else repr(row) for row in rows]
    return [_line(Fired._fields, width), *lines] if lines else []


def _line(row: tuple[Any, ...], width: int) -> str:
    event, epoch, iteration, number = map(str, row)
    return f"{event:<{max(width, 5)}}  {epoch:>5}  {iteration:>9}  {number:>6}"
