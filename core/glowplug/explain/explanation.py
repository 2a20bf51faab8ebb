"""What a run would do, as a value that can be shown.

Owns: reading the firings and the calls of a run, and their forms for machines.
Must not know: how a run comes to its order, or how it is laid out for people.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any

from glowplug.attached import AttachedHandler
from glowplug.errors import CannotWrite
from glowplug.explain import itinerary, timeline
from glowplug.explain.expectation import Expectation, Expected, Mark
from glowplug.explain.order import Order
from glowplug.plan import Plan
from glowplug.registrations import EventKey


@dataclass(frozen=True)
class PlannedFiring:
    """One firing of a run that is explained.

    Args:
        event: the event.
        epoch: ``state.epoch`` at that time.
        iteration: ``state.iteration`` at that time.
        count: what filters see.
        called: the handlers that it calls, in their order.
        perhaps: the handlers whose own filter function decides.
    """

    event: EventKey
    epoch: int
    iteration: int
    count: int
    called: tuple[AttachedHandler, ...]
    perhaps: tuple[AttachedHandler, ...]


class Explanation:
    """Every firing of a run that has not been run, and whom it would call.

    ``print`` shows it as text that fits the terminal, a notebook as a timeline, ``write_html``
    makes a page of it that needs nothing else, ``to_json`` gives it to machines.

    Args:
        order: the firings.
        events: who is called by each event.
        plan: how long the run is.
        step: the name of the step.
        begins: how it begins: ``"anew"``, ``"going on"``, or ``"resuming"``.

    Attributes:
        order: the firings, compressed.
        events: for every event its handlers, with their marks.

    Example:
        >>> from glowplug import Engine, Events
        >>> engine = Engine(lambda engine, batch: batch)
        >>> handle = engine.add_event_handler(Events.EPOCH_COMPLETED(every=2), print, "even")
        >>> explanation = engine.explain(epoch_length=100, max_epochs=5)
        >>> [(f.epoch, f.iteration) for f in explanation.firings() if f.called]
        [(2, 200), (4, 400)]
    """

    def __init__(
        self, order: Order, events: Sequence[Expected], plan: Plan, step: str, begins: str
    ) -> None:
        self.order, self.events = order, tuple(events)
        self.step, self._plan, self._begins = step, plan, begins

    @property
    def never(self) -> tuple[AttachedHandler, ...]:
        """The handlers that this run never calls."""
        entries = (entry for expected in self.events for entry in expected.handlers)
        return tuple(entry.handler for entry in entries if entry.mark is Mark.NEVER)

    def firings(self) -> Iterator[PlannedFiring]:
        """Yield every firing, in the order of the run.

        Example:
            >>> from glowplug import Engine
            >>> engine = Engine(lambda engine, batch: batch)
            >>> for firing in engine.explain(1, max_epochs=1, data=False).firings():
            ...     print(firing.event, firing.epoch, firing.iteration)
            STARTED 0 0
            EPOCH_STARTED 1 0
            ITERATION_STARTED 1 1
            ITERATION_COMPLETED 1 1
            EPOCH_COMPLETED 1 1
            COMPLETED 1 1
        """
        handlers = {expected.event: _by_mark(expected.handlers) for expected in self.events}
        for event, epoch, iteration, count in self.order:
            called, perhaps = handlers[event]
            yield PlannedFiring(
                event,
                epoch,
                iteration,
                count,
                tuple(handler for handler, counts in called if count in counts),
                tuple(handler for handler, counts in perhaps if count in counts),
            )

    def to_dict(self) -> dict[str, Any]:
        """Return the explanation as plain values, complete and without repetition.

        Returns:
            ``{"step": ..., "run": ..., "events": [...], "order": [...]}``.

            ``events``: each with its ``handlers``, and its firings as ``spans`` of
            ``[count, iteration, times, distance]``: so many firings, one count and ``distance``
            iterations apart, from these on. A handler's ``calls`` are ``[first, last, step]``,
            counts of its event; ``mark`` is one of the values of ``Mark``.

            ``order``: parts of groups of steps, each part and group with the number of ``times``
            that it is repeated in a row. A step is ``[event, epochs, iterations]``: the index in
            ``events``, and what is added to ``state.epoch`` and ``state.iteration`` before it.
        """
        index = {expected.event: place for place, expected in enumerate(self.events)}
        return {
            "step": self.step,
            "run": self._run(),
            "events": [_plain_event(expected) for expected in self.events],
            "order": [
                {
                    "times": part.times,
                    "groups": [
                        {
                            "times": times,
                            "steps": [[index[event], *added] for event, *added in steps],
                        }
                        for steps, times in part.groups
                    ],
                }
                for part in self.order.parts
            ],
        }

    def _run(self) -> dict[str, Any]:
        plan, order = self._plan, self.order
        epochs = sum(part.times * part.epochs for part in order.parts)
        iterations = sum(part.times * part.iterations for part in order.parts)
        return {
            "begins": self._begins,
            "data": plan.data is not None,
            "epoch_length": plan.epoch_length,
            "max_epochs": plan.max_epochs,
            "max_iters": plan.max_iters,
            "epochs": [order.epoch, order.epoch + epochs],
            "iterations": [order.iteration, order.iteration + iterations],
        }

    def to_json(self, indent: int | None = None) -> str:
        """Return ``to_dict()`` as JSON.

        Args:
            indent: spaces for each level; one line where left out.
        """
        return json.dumps(self.to_dict(), indent=indent)

    def to_html(self) -> str:
        """Return a page with the run's timeline, which needs no network and no other file."""
        return timeline.page(self.to_dict(), self._headline())

    def write_html(self, path: str | Path, *, overwrite: bool = False) -> Path:
        """Write ``to_html()`` to a file.

        Args:
            path: the file, in a folder that exists.
            overwrite: whether a file that is there may be replaced.

        Returns:
            The path.

        Raises:
            CannotWrite: when there is such a file, or it cannot be written.

        Example:
            >>> import tempfile
            >>> from glowplug import Engine
            >>> engine = Engine(lambda engine, batch: batch)
            >>> with tempfile.TemporaryDirectory() as folder:
            ...     path = engine.explain(epoch_length=3).write_html(f"{folder}/run.html")
            ...     path.name
            'run.html'
        """
        file = Path(path)
        try:
            with file.open("w" if overwrite else "x", encoding="utf-8") as page:
                page.write(self.to_html())
        except FileExistsError:
            raise CannotWrite(
                f"{file} exists already; give another path, or overwrite=True"
            ) from None
        except OSError as error:
            raise CannotWrite(f"cannot write {file}: {error}") from error
        return file

    def __str__(self) -> str:
        width = shutil.get_terminal_size().columns
        return f"{self._headline()}\n{itinerary.as_text(self.order, self.events, width)}"

    def __repr__(self) -> str:
        return str(self)

    def _repr_html_(self) -> str:
        frame = 'sandbox="allow-scripts" style="width:100%;height:36em;border:1px solid #8886"'
        return f'<iframe title="timeline" srcdoc="{escape(self.to_html())}" {frame}></iframe>'

    def _headline(self) -> str:
        return itinerary.headline(self._run(), self.step)


Chosen = list[tuple[AttachedHandler, Sequence[int]]]


def _by_mark(entries: Sequence[Expectation]) -> tuple[Chosen, Chosen]:
    """Return who is called at which counts, and who perhaps."""
    perhaps = [(e.handler, e.counts) for e in entries if e.mark is Mark.PERHAPS]
    return [(e.handler, e.counts) for e in entries if e.mark is not Mark.PERHAPS], perhaps


def _plain_event(expected: Expected) -> dict[str, Any]:
    return {
        "event": str(expected.event),
        "firings": len(expected.counts),
        "only_when_fired": expected.on_demand,
        "spans": [list(span) for span in expected.spans],
        "handlers": [_plain_handler(entry) for entry in expected.handlers],
    }


def _plain_handler(entry: Expectation) -> dict[str, Any]:
    return {
        **entry.handler.to_dict(),
        "mark": entry.mark.value,
        "number": len(entry.counts),
        "calls": _progressions(entry.counts),
    }


def _progressions(counts: Sequence[int]) -> list[list[int]]:
    """Return ascending counts as ``[first, last, step]``."""
    if isinstance(counts, range):
        return [[counts[0], counts[-1], counts.step]] if counts else []
    found: list[list[int]] = []
    for count in counts:
        if found and (found[-1][0] == found[-1][1] or count - found[-1][1] == found[-1][2]):
            found[-1][1:] = [count, count - found[-1][1]]
        else:
            found.append([count, count, 1])
    return found
