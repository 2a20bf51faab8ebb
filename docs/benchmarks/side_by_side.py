"""Measuring several ways of doing one thing, so that the machine's moods meet all of them alike.

Owns: who can take part, repeats that take turns, and the table that is printed.
Must not know: what is measured.
"""

from __future__ import annotations

import gc
import importlib
import importlib.util
import os
import platform
import random
import statistics
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any


def optional(module: str) -> Any:
    """Return a module, or None where its package is not installed."""
    package = module.partition(".")[0]
    return importlib.import_module(module) if importlib.util.find_spec(package) else None


def take_turns(ways: Mapping[str, Callable[[], float]], repeats: int) -> dict[str, list[float]]:
    """Call every way once a round, in an order that is drawn anew for each round.

    What one way leaves behind, garbage or a warm cache, so meets all others alike.

    Args:
        ways: by name, what does the work once and returns what it cost.
        repeats: how many rounds are kept; one more comes before them, to warm up.

    Returns:
        The costs by name, one of each round.

    Example:
        >>> take_turns({"a": lambda: 1.0, "b": lambda: 2.0}, repeats=3)
        {'a': [1.0, 1.0, 1.0], 'b': [2.0, 2.0, 2.0]}
    """
    draw = random.Random(0)
    costs: dict[str, list[float]] = {name: [] for name in ways}
    for turn in range(-1, repeats):
        for name in draw.sample(list(ways), len(ways)):
            gc.collect()
            cost = ways[name]()
            if turn >= 0:
                costs[name].append(cost)
    return costs


def ratio(costs: Sequence[float], to: Sequence[float]) -> float:
    """Return the median of the ratios of two ways, each taken within one round.

    Example:
        >>> ratio([2.0, 4.0, 30.0], to=[1.0, 2.0, 10.0])
        2.0
    """
    return statistics.median(cost / other for cost, other in zip(costs, to, strict=True))


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a Markdown table; every column but the first is aligned to the right."""
    lines = [head, ["---", *["---:"] * (len(head) - 1)], *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def machine() -> str:
    """Return what kind of machine and Python this is, without naming the machine."""
    cores = os.cpu_count()
    python = f"{platform.python_implementation()} {platform.python_version()}"
    return f"{cores} cores, {platform.machine()}, {platform.system()}, {python}"
