"""What a run would do, in words: its firings in order, each repetition told once.

Owns: the headline, the lines, and saying when a handler is called.
Must not know: how any of it was found out.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from glowplug import tables
from glowplug.attached import AttachedHandler
from glowplug.explain.expectation import Expectation, Expected, Mark
from glowplug.explain.order import Group, Order, Part, Step
from glowplug.registrations import EventKey

COLUMNS = (
    tables.Column("phase"),
    tables.Column("handler"),
    tables.Column("plugin", gives_way=True),
    tables.Column("called at"),
)
_FEW = 4


def headline(run: Mapping[str, Any], step: str) -> str:
    """Return one line on the whole run.

    Args:
        run: what ``Explanation.to_dict()`` says of it.
        step: the name of the step.
    """
    (before, last), (done, end) = run["epochs"], run["iterations"]
    begins = {
        "anew": "a new run",
        "going on": f"going on after epoch {before}, iteration {done}",
        "resuming": f"an interrupted run resumed in epoch {before}, after iteration {done}",
    }[run["begins"]]
    data = "" if run["data"] else " without data"
    return (
        f"step {step}, {begins}{data}: to epoch {last}, iteration {end}, "
        f"with {_number(run['epoch_length'], 'iteration')} in an epoch"
    )


def as_text(order: Order, events: Sequence[Expected], width: int) -> str:
    """Return the run as lines of at most ``width`` characters, as far as its titles allow.

    Args:
        order: the firings.
        events: who is called by each event.
        width: characters in a line.
    """
    by_event = {expected.event: expected for expected in events}
    sections = [*_Lines(by_event).of(order), *_left_over(events)]
    if not any(section.rows for section in sections):
        return "\n".join(section.title for section in sections)
    return tables.as_text(COLUMNS, sections, width)


class _Lines:
    """Writes the parts of a run, and remembers what it has told already.

    Args:
        by_event: who is called by each event.
    """

    def __init__(self, by_event: Mapping[EventKey, Expected]) -> None:
        self._by_event = by_event
        self._told: set[EventKey] = set()
        self._named: dict[tuple[Step, ...], str] = {}

    def of(self, order: Order) -> Iterator[tables.Section]:
        """Yield titles, and below them the handlers that are called there."""
        epoch, iteration = order.epoch, order.iteration
        for part in order.parts:
            depth = 0
            if part.epochs:
                epochs = _span("epoch", epoch + 1, epoch + part.epochs * part.times)
                yield tables.Section(epochs, [])
                depth = 1
            begun = iteration
            for group in part.groups:
                yield from self._group(part, group, begun, begun - iteration, depth)
                begun += group.iterations
            epoch += part.epochs * part.times
            iteration += part.iterations * part.times

    def _group(
        self, part: Part, group: Group, begun: int, within: int, depth: int
    ) -> Iterator[tables.Section]:
        if group.iterations:
            first, last = begun + 1, begun + group.iterations
            name = _span("iteration", first, last)
            if part.times > 1:
                name = f"{_span('iteration', within + 1, within + group.iterations)} of each"
            as_before = self._named.setdefault(group.steps, name)
            same = as_before != name
            yield tables.Section("  " * depth + name + f": as {as_before}" * same, [])
            if same:
                return
            depth += 1
        for step in group.steps:
            yield self._event(step.event, depth)

    def _event(self, event: EventKey, depth: int) -> tables.Section:
        expected, told = self._by_event[event], event in self._told
        self._told.add(event)
        title = f"{'  ' * depth}{event}"
        if told:
            return tables.Section(title + ": as above" * bool(expected.handlers), [])
        rows = [_row(entry, depth, _when(entry)) for entry in expected.handlers]
        return tables.Section(title, rows)


def _left_over(events: Sequence[Expected]) -> Iterator[tables.Section]:
    """Yield the handlers that no firing of the run reaches."""
    for mark, title in (
        (Mark.ON_DEMAND, "only when something fires it"),
        (Mark.NEVER, "never in this run"),
    ):
        found = [(entry, e) for e in events for entry in e.handlers if entry.mark is mark]
        if found:
            yield tables.Section(title, [_row(entry, 0, str(e.event)) for entry, e in found])


def _row(entry: Expectation, depth: int, when: str) -> tuple[str, ...]:
    handler = entry.handler
    name = f"{handler.name} {handler.filter}".rstrip()
    return "  " * depth + handler.phase.value, name, _plugin(handler), when


def _plugin(handler: AttachedHandler) -> str:
    return f"{handler.plugin} {handler.version}" if handler.plugin else ""


def _when(entry: Expectation) -> str:
    """Return the counts at which a handler is called, all if they are few."""
    counts = entry.counts
    if entry.mark is Mark.NEVER:
        return "never"
    if entry.mark is Mark.ALWAYS:
        return "each"
    if len(counts) <= _FEW + 1:
        shown = ", ".join(map(str, counts))
    elif isinstance(counts, range) and counts.step == 1:
        shown = f"{counts[0]} to {counts[-1]}"
    else:
        shown = f"{', '.join(map(str, counts[: _FEW - 1]))}, … {counts[-1]}"
    return f"{'perhaps ' * (entry.mark is Mark.PERHAPS)}{shown}"


def _span(unit: str, first: int, last: int) -> str:
    return f"{unit} {first}" if first == last else f"{unit}s {first}-{last}"


def _number(count: int, unit: str) -> str:
    return f"{count} {unit}" if count == 1 else f"{count} {unit}s"
