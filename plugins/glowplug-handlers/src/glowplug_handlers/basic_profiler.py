"""The time of a run by its parts: the step, the data, and the handlers of each event.

Owns: the layout of these results: as values, as a table and as a file.
Must not know: how anything is measured.
"""

from __future__ import annotations

import csv
import os
from collections.abc import Iterable, Mapping
from typing import Any

from glowplug import Events
from glowplug_handlers.profilers import Figures, TimeProfiler, figures
from glowplug_handlers.profilers_records import SECOND, Recorder

ONCE = (Events.STARTED, Events.COMPLETED)
PER_EPOCH = (Events.EPOCH_STARTED, Events.EPOCH_COMPLETED)
SHOWN = (
    Events.STARTED,
    Events.EPOCH_STARTED,
    Events.GET_BATCH_STARTED,
    Events.GET_BATCH_COMPLETED,
    Events.ITERATION_STARTED,
    Events.ITERATION_COMPLETED,
    Events.EPOCH_COMPLETED,
    Events.COMPLETED,
)
"""The events that are shown whether anybody handles them or not."""


class BasicTimeProfiler(TimeProfiler):
    """Measures how long an engine's step takes, its data, and the handlers of each event.

    A run that starts anew drops what was measured before; one that goes on adds to it. It takes
    about a microsecond of each handler's call, and keeps 24 bytes of each; the handlers of
    profilers are left out. A handler's time holds that of the events that it fires, and of the
    engines that it runs.

    To see single handlers, use `HandlersTimeProfiler`; the means alone need no profiler:
    ``Engine.time_calls`` and ``Engine.describe``.

    Example:
        >>> import time
        >>> from glowplug import Engine
        >>> trainer = Engine(lambda engine, batch: time.sleep(0.001))
        >>> profiler = BasicTimeProfiler()
        >>> profiler.attach(trainer)
        >>> _ = trainer.run([1, 2, 3])
        >>> profiler.get_results()["processing_stats"]["total"] >= 0.003
        True
    """

    def get_results(self) -> dict[str, Any]:
        """Return what was measured, in seconds.

        Returns:
            ``"processing_stats"`` of the step and ``"dataflow_stats"`` of the data: each
            ``{"total": ..., "min/index": (seconds, index), "max/index": ..., "mean": ...,
            "std": ...}``, where the index counts iterations from 0. ``"event_handlers_stats"`` has
            the same of each event's handlers together, over the firings that called any; the index
            counts epochs where the event does, and STARTED and COMPLETED have a total alone. Its
            ``"total_time"`` is that of all handlers. ``"event_handlers_names"`` lists the handlers,
            as in ``{"EPOCH_COMPLETED_names": ["save"]}``. Where nothing was called, the figures are
            0; the deviation of a single duration is NaN.

        Raises:
            NothingMeasured: before a run.
        """
        recorder = self._measured()
        by_event = {str(event): firings for event, firings in _firings(recorder).items()}
        stats: dict[str, Any] = {
            event: (
                {"total": sum(firings.values()) / SECOND}
                if event in map(str, ONCE)
                else _stats(figures(firings))
            )
            for event, firings in by_event.items()
        }
        stats["total_time"] = sum(sum(f.values()) for f in by_event.values()) / SECOND
        names: dict[str, list[str]] = {f"{event}_names": [] for event in by_event}
        for handler in recorder.handlers:
            names[f"{handler.event}_names"].append(handler.name)
        return {
            "processing_stats": _stats(figures(recorder.steps.by_iteration())),
            "dataflow_stats": _stats(figures(recorder.data.by_iteration())),
            "event_handlers_stats": stats,
            "event_handlers_names": names,
        }

    def write_results(self, output_path: str | os.PathLike[str]) -> None:
        """Write what was measured as a CSV file, a row for each iteration.

        The columns are epoch, iteration, ``processing_stats``, ``dataflow_stats`` and, for each
        event, ``Event_<name>``: the seconds of its handlers. What happens once an epoch or a run is
        found in each of its rows.

        Args:
            output_path: the file, which is replaced.

        Raises:
            NothingMeasured: before a run.
            OSError: when the file cannot be written.
        """
        recorder = self._measured()
        steps, data = recorder.steps.by_iteration(), recorder.data.by_iteration()
        by_event = _firings(recorder)
        head = ["epoch", "iteration", "processing_stats", "dataflow_stats"]
        with open(output_path, "w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            writer.writerow([*head, *(f"Event_{event}" for event in by_event)])
            for iteration, epoch in recorder.iterations():
                places = [_place(event, iteration, epoch) for event in by_event]
                durations = [
                    steps[iteration - 1],
                    data.get(iteration - 1, 0),
                    *(f.get(p, 0) for p, f in zip(places, by_event.values(), strict=True)),
                ]
                writer.writerow([epoch, iteration, *(each / SECOND for each in durations)])

    @staticmethod
    def print_results(results: Mapping[str, Any]) -> str:
        """Print results as text.

        Args:
            results: what ``get_results`` returned.

        Returns:
            The text.

        Example:
            >>> from glowplug import Engine
            >>> trainer, profiler = Engine(lambda engine, batch: None), BasicTimeProfiler()
            >>> profiler.attach(trainer)
            >>> _ = trainer.run([1, 2, 3])
            >>> text = profiler.print_results(profiler.get_results())  # doctest: +ELLIPSIS
            <BLANKLINE>
             ----------------------------------------------------
            | Time profiling stats (in seconds):                 |
             ----------------------------------------------------
            total  |  min/index  |  max/index  |  mean  |  std
            ...
        """
        stats, names = results["event_handlers_stats"], results["event_handlers_names"]
        line = "-" * 52
        parts = [
            f"\n {line}\n| {'Time profiling stats (in seconds):':<51}|\n {line}\n"
            "total  |  min/index  |  max/index  |  mean  |  std",
            f"Processing function:\n{_line(results['processing_stats'])}",
            f"Dataflow:\n{_line(results['dataflow_stats'])}",
            f"Event handlers:\n{stats['total_time']:.5f}",
            *(
                f"- {event}: {names[f'{event}_names']}\n{_line(figures_of_event)}"
                for event, figures_of_event in stats.items()
                if event != "total_time"
            ),
        ]
        text = "\n\n".join(parts) + "\n"
        print(text)  # noqa: T201  # what the method is for
        return text


def _firings(recorder: Recorder) -> dict[Any, dict[int, int]]:
    """Return what the handlers of each event took together, firing by firing."""
    firings: dict[Any, dict[int, int]] = {event: {} for event in SHOWN}
    for handler, durations in recorder.handlers.items():
        event, sums = handler.event, firings.setdefault(handler.event, {})
        found = durations.by_epoch() if event in PER_EPOCH else durations.by_iteration()
        if event in ONCE:
            found = {0: sum(found.values())}
        for place, each in found.items():
            sums[place] = sums.get(place, 0) + each
    return firings


def _place(event: Any, iteration: int, epoch: int) -> int:
    """Return where the firing of an event that a row shows is found."""
    if event in ONCE:
        return 0
    return (epoch if event in PER_EPOCH else iteration) - 1


def _stats(found: Figures | None) -> dict[str, Any]:
    if found is None:
        nothing = (0.0, 0)
        return {"total": 0.0, "min/index": nothing, "max/index": nothing, "mean": 0.0, "std": 0.0}
    return {
        "total": found.total,
        "min/index": found.least,
        "max/index": found.most,
        "mean": found.mean,
        "std": float("nan") if found.std is None else found.std,
    }


def _line(stats: Mapping[str, Any]) -> str:
    shown: Iterable[str] = (
        f"{value[0]:.5f}/{value[1]}" if isinstance(value, tuple) else f"{value:.5f}"
        for value in stats.values()
    )
    return " | ".join(shown)
