"""What it costs to look at an engine: counting its calls, tracing it, giving its handlers budgets.

    python docs/benchmarks/observing.py

Owns: the rows of the table "Observing" in this folder's README.
Must not know: models or data; the step is one line of arithmetic, so that the cost is seen.

Every contestant is an engine with the same step and the same handlers, in one process, in turns. A
run's whole time is divided by its iterations, the writing of a trace included. What a plugin adds
that is not installed is left out.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from time import perf_counter
from typing import Any

from side_by_side import machine, optional, ratio, table, take_turns

import glowplug

budgets, trace = optional("glowplug_budgets"), optional("glowplug_trace")

HANDLERS = 5
PLAIN = "not observed"


def step(engine: Any, batch: Any) -> Any:
    """Stand for the work: one line of arithmetic."""
    return batch * 0.5 + 1.0


def handler(engine: Any) -> None:
    """Stand for what a handler does."""


def nobody(engine: Any, folder: Path) -> None:
    """Leave the engine as it is."""


def come_and_gone(engine: Any, folder: Path) -> None:
    """Observe the engine, and stop before it runs."""
    engine.time_calls().remove()


def counting(engine: Any, folder: Path) -> None:
    """Count and time all calls, for ``engine.describe()``."""
    engine.time_calls()


def budgeted(engine: Any, folder: Path) -> None:
    """Judge the handlers against a budget that they keep."""
    budgets.HandlerBudget(share=1.0, per_plugin=1.0).attach(engine)


def traced(engine: Any, folder: Path) -> None:
    """Write everything to a file."""
    trace.Trace(folder / "all.json", overwrite=True).attach(engine)


def traced_at_the_end(engine: Any, folder: Path) -> None:
    """Keep the last iterations, and write those."""
    trace.Trace(folder / "last.json", last=100, overwrite=True).attach(engine)


def traced_at_the_beginning(engine: Any, folder: Path) -> None:
    """Write the first iterations."""
    trace.Trace(folder / "first.json", first=100, overwrite=True).attach(engine)


ROWS: dict[str, Callable[[Any, Path], None]] = {
    PLAIN: nobody,
    "no longer observed": come_and_gone,
    "`engine.time_calls()`": counting,
}
if budgets:
    ROWS["`HandlerBudget()`"] = budgeted
if trace:
    ROWS["`Trace(first=100)`"] = traced_at_the_beginning
    ROWS["`Trace(last=100)`"] = traced_at_the_end
    ROWS["`Trace()`"] = traced


def engine_run(
    observe: Callable[[Any, Path], None], batches: Sequence[float], folder: Path
) -> float:
    """Return the seconds per iteration of an engine, made and furnished beforehand."""
    engine: Any = glowplug.Engine(step)
    for _ in range(HANDLERS):
        engine.add_event_handler(glowplug.Events.ITERATION_COMPLETED, handler)
    observe(engine, folder)
    began = perf_counter()
    engine.run(batches)
    return (perf_counter() - began) / len(batches)


def measure(iterations: int, repeats: int) -> dict[str, list[float]]:
    """Run all contestants in turns and return their costs by row."""
    batches = [float(number) for number in range(iterations)]
    with tempfile.TemporaryDirectory() as folder:
        ways = {
            row: partial(engine_run, observe, batches, Path(folder))
            for row, observe in ROWS.items()
        }
        return take_turns(ways, repeats)


def report(costs: dict[str, list[float]]) -> str:
    """Return the table: microseconds per iteration, median ratios, and what each call adds."""
    plain = costs[PLAIN]
    head = ["five handlers, per iteration", "µs", "to one not observed", "added for each call, µs"]
    rows = []
    for row, measured in costs.items():
        added = max(0.0, min(measured) - min(plain))  # of the least ones, which noise leaves alone
        cells = [f"{min(measured) * 1e6:.2f} / {statistics.median(measured) * 1e6:.2f}"]
        # A call of the step and one of each handler.
        cells += [f"{ratio(measured, to=plain):.1f}", f"{added / (HANDLERS + 1) * 1e6:.2f}"]
        rows.append([row, *cells])
    return table(head, rows)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--iterations", type=int, default=20_000, help="of each run")
    parser.add_argument("--repeats", type=int, default=15, help="rounds, each of every contestant")
    asked = parser.parse_args()
    print(f"{machine()}; µs as least / median of {asked.repeats} rounds, ratios as medians\n")
    print(report(measure(asked.iterations, asked.repeats)))


if __name__ == "__main__":
    main()
