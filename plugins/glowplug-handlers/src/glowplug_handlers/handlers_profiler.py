"""The time of a run, handler by handler.

Owns: the layout of these results: as values, as a table and as a file.
Must not know: how anything is measured.
"""

from __future__ import annotations

import csv
import os
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

from glowplug.attached import AttachedHandler
from glowplug_handlers.profilers import TimeProfiler, figures
from glowplug_handlers.profilers_records import SECOND, Durations

NOTHING = "None"
"""What stands where there is nothing to say."""
HEADINGS = ("Handler", "Event Name", "Total(s)", "Min(s)/IDX", "Max(s)/IDX", "Mean(s)", "Std(s)")
WIDTH = 14
"""That of a column of numbers."""


class HandlersTimeProfiler(TimeProfiler):
    """Measures how long each handler of an engine takes, its step and its data.

    A run that starts anew drops what was measured before; one that goes on adds to it. It takes
    about a microsecond of each handler's call, and keeps 24 bytes of each; the handlers of
    profilers are left out. A handler's time holds that of the events that it fires, and of the
    engines that it runs. Two registrations of one function are two handlers.

    The means alone need no profiler: ``Engine.time_calls`` and ``Engine.describe`` have them, with
    the line that attached each handler.

    Example:
        >>> import time
        >>> from glowplug import Engine, Events
        >>> trainer = Engine(lambda engine, batch: batch)
        >>> def rest():
        ...     time.sleep(0.001)
        >>> handle = trainer.add_event_handler(Events.ITERATION_COMPLETED, rest)
        >>> profiler = HandlersTimeProfiler()
        >>> profiler.attach(trainer)
        >>> _ = trainer.run([1, 2, 3])
        >>> [row[0] for row in profiler.get_results()]
        ['rest', 'Total', 'Processing', 'Dataflow']
    """

    def get_results(self) -> list[list[Any]]:
        """Return what was measured, in seconds.

        Returns:
            A row for each handler, in the order in which they run within an event: its name, the
            event, the total, ``(shortest, index)``, ``(longest, index)``, the mean and the standard
            deviation. The index counts the handler's calls from 0. Then a row with the total of all
            handlers, one of the step and one of the data. ``"None"`` stands where there is nothing
            to say, as for the deviation of a single call; ``"not triggered"`` for the total of what
            was not called.

        Raises:
            NothingMeasured: before a run.
        """
        recorder = self._measured()
        rows = [
            _row(handler.name, str(handler.event), durations)
            for handler, durations in recorder.handlers.items()
        ]
        total = sum(sum(each.nanoseconds) for each in recorder.handlers.values()) / SECOND
        return [
            *rows,
            ["Total", "", total, "", "", "", ""],
            _row("Processing", NOTHING, recorder.steps),
            _row("Dataflow", NOTHING, recorder.data),
        ]

    def write_results(self, output_path: str | os.PathLike[str]) -> None:
        """Write what was measured as a CSV file, a row for each iteration.

        The columns are ``#``, the iteration; ``processing_stats``; ``dataflow_stats``; and one for
        each handler, ``name (EVENT)``: the seconds that it took in that iteration, empty where it
        was not called. What runs before an epoch's first iteration is in the row of that one, what
        runs after the last in the row of the last.

        Args:
            output_path: the file, which is replaced.

        Raises:
            NothingMeasured: before a run.
            OSError: when the file cannot be written.
        """
        recorder = self._measured()
        columns = [
            each.by_iteration()
            for each in (recorder.steps, recorder.data, *recorder.handlers.values())
        ]
        with open(output_path, "w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            writer.writerow(
                ["#", "processing_stats", "dataflow_stats", *_titles(recorder.handlers)]
            )
            for iteration, _ in recorder.iterations():
                found = (column.get(iteration - 1) for column in columns)
                writer.writerow([iteration, *("" if f is None else f / SECOND for f in found)])

    @staticmethod
    def print_results(results: Sequence[Sequence[Any]]) -> str:
        """Print results as a table.

        Args:
            results: what ``get_results`` returned.

        Returns:
            The text.

        Example:
            >>> from glowplug import Engine, Events
            >>> trainer, profiler = Engine(lambda engine, batch: None), HandlersTimeProfiler()
            >>> profiler.attach(trainer)
            >>> _ = trainer.run([1, 2, 3])
            >>> text = profiler.print_results(profiler.get_results())
            ...     # doctest: +ELLIPSIS +NORMALIZE_WHITESPACE
            -------...
            Handler  Event Name  Total(s)  Min(s)/IDX  Max(s)/IDX  Mean(s)  Std(s)
            ...
        """
        *handlers, total, processing, dataflow = results
        names = max(WIDTH, *(len(str(row[0])) for row in results))
        events = max(WIDTH, *(len(str(row[1])) for row in results))
        rule = "  ".join("-" * width for width in (names, events, *[WIDTH] * 5))

        def line(row: Iterable[Any]) -> str:
            name, event, *numbers = (_shown(cell) for cell in row)
            cells = (name.ljust(names), event.ljust(events), *(n.rjust(WIDTH) for n in numbers))
            return "  ".join(cells).rstrip()

        lines = ["", rule, line(HEADINGS), rule, *map(line, handlers), rule, line(total), rule]
        text = "\n".join([*lines, _sentence(processing), _sentence(dataflow), ""])
        print(text)  # noqa: T201  # what the method is for
        return text


def _row(name: str, event: str, durations: Durations) -> list[Any]:
    found = figures(dict(enumerate(durations.nanoseconds)))
    if found is None:
        nothing = (NOTHING, NOTHING)
        return [name, event, "not triggered", nothing, nothing, NOTHING, NOTHING]
    std = NOTHING if found.std is None else found.std
    return [name, event, found.total, found.least, found.most, found.mean, std]


def _titles(handlers: Iterable[AttachedHandler]) -> list[str]:
    """Return a title for each handler; those that would have the same are numbered."""
    met: Counter[str] = Counter()
    titles = []
    for handler in handlers:
        title = f"{handler.name} ({handler.event!s})"
        met[title] += 1
        titles.append(title if met[title] == 1 else f"{title} #{met[title]}")
    return titles


def _shown(cell: Any) -> str:
    """Return a cell as text: numbers to five places, a pair with a stroke."""
    if isinstance(cell, tuple):
        return "/".join(map(_shown, cell))
    return f"{cell:.5f}" if isinstance(cell, float) else str(cell)


def _sentence(row: Sequence[Any]) -> str:
    name, _, total, least, most, mean, std = row
    if isinstance(total, str):
        return f"{name} was {total}"
    return (
        f"{name} took total {total:.5f}s [min/index: {_shown(least[0])}s/{least[1]}, max/index: "
        f"{_shown(most[0])}s/{most[1]}, mean: {mean:.5f}s, std: {_shown(std)}s]"
    )
