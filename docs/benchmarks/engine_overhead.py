"""What an engine costs per iteration, beside a bare loop and pytorch-ignite's engine.

    python docs/benchmarks/engine_overhead.py

Owns: the rows of the table "engine overhead" in this folder's README.
Must not know: models or data; the step is one line of arithmetic, so that the engine is seen.

Every contestant runs the same step over the same list of batches, in one process, in turns. A run's
whole time is divided by its iterations. Without pytorch-ignite its columns are left out.
"""

from __future__ import annotations

import argparse
import statistics
from collections.abc import Callable, Sequence
from functools import partial
from time import perf_counter
from typing import Any

from side_by_side import machine, optional, ratio, table, take_turns

import glowplug

ignite_engine = optional("ignite.engine")

RARELY = 1000
"""Of so many iterations, one reaches the handlers of the rows "that rarely fire"."""


def step(engine: Any, batch: Any) -> Any:
    """Stand for the work: one line of arithmetic."""
    return batch * 0.5 + 1.0


def handler(engine: Any) -> None:
    """Stand for what a handler does."""


def no_handlers(engine: Any, events: Any) -> None:
    """Leave the engine as it is."""


def five_plain(engine: Any, events: Any) -> None:
    """Attach five handlers that run at every iteration."""
    for _ in range(5):
        engine.add_event_handler(events.ITERATION_COMPLETED, handler)


def five_every(engine: Any, events: Any) -> None:
    """Attach five handlers that rarely run."""
    for _ in range(5):
        engine.add_event_handler(events.ITERATION_COMPLETED(every=RARELY), handler)


def custom_filter(engine: Any, events: Any) -> None:
    """Attach a handler whose own filter, asked at every iteration, rarely lets it run."""
    rarely = events.ITERATION_COMPLETED(event_filter=lambda engine, count: count % RARELY == 0)
    engine.add_event_handler(rarely, handler)


ROWS: dict[str, Callable[[Any, Any], None]] = {
    "no handlers": no_handlers,
    "five plain handlers": five_plain,
    f"five with `every={RARELY}`": five_every,
    "one with a custom filter": custom_filter,
}


def bare_loop(batches: Sequence[Any]) -> float:
    """Return the seconds per iteration of a ``for`` loop that calls the step."""
    began = perf_counter()
    for batch in batches:
        step(None, batch)
    return (perf_counter() - began) / len(batches)


def engine_run(library: Any, attach: Callable[[Any, Any], None], batches: Sequence[Any]) -> float:
    """Return the seconds per iteration of a library's engine, made and furnished beforehand."""
    engine = library.Engine(step)
    attach(engine, library.Events)
    began = perf_counter()
    engine.run(batches)
    return (perf_counter() - began) / len(batches)


def measure(iterations: int, repeats: int) -> dict[str, list[float]]:
    """Run all contestants in turns and return their costs, by (library and row) in one name."""
    batches = [float(number) for number in range(iterations)]
    fewer = batches[: max(1, iterations // 10)]  # pytorch-ignite's iterations take longer
    ways: dict[str, Callable[[], float]] = {"bare": partial(bare_loop, batches)}
    for row, attach in ROWS.items():
        ways[f"glowplug {row}"] = partial(engine_run, glowplug, attach, batches)
        if ignite_engine:
            ways[f"ignite {row}"] = partial(engine_run, ignite_engine, attach, fewer)
    return take_turns(ways, repeats)


def nanoseconds(costs: Sequence[float]) -> str:
    """Return the least and the median of some costs, in words."""
    return f"{min(costs) * 1e9:.0f} / {statistics.median(costs) * 1e9:.0f}"


def report(costs: dict[str, list[float]]) -> str:
    """Return the table: nanoseconds per iteration as "least / median", and median ratios."""
    head = ["per iteration", "glowplug, ns", "to the bare loop"]
    rows = [["a bare `for` loop", nanoseconds(costs["bare"]), "1"]]
    if ignite_engine:
        head += ["pytorch-ignite, ns", "pytorch-ignite to glowplug"]
        rows[0] += ["", ""]
    for row in ROWS:
        ours = costs[f"glowplug {row}"]
        cells = [row, nanoseconds(ours), f"{ratio(ours, to=costs['bare']):.1f}"]
        if ignite_engine:
            theirs = costs[f"ignite {row}"]
            cells += [nanoseconds(theirs), f"{ratio(theirs, to=ours):.0f}"]
        rows.append(cells)
    return table(head, rows)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--iterations", type=int, default=100_000, help="of each run")
    parser.add_argument("--repeats", type=int, default=15, help="rounds, each of every contestant")
    asked = parser.parse_args()
    print(f"{machine()}; ns as least / median of {asked.repeats} rounds, ratios as medians\n")
    print(report(measure(asked.iterations, asked.repeats)))


if __name__ == "__main__":
    main()
