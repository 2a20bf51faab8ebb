"""What a law needs to know of a metric.

Owns: the description of a metric under test, and drawing and splitting examples.
Must not know: any particular metric or law.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from glowplug_metrics import Metric

Examples = Any


@dataclass(frozen=True)
class Case:
    """A metric, the examples that it takes in, and which laws it is not under.

    Args:
        make: makes one anew.
        draw: makes n examples: a tensor, or a tuple of tensors.
        splits: whether the value does not depend on how examples are split into batches.
        reorders: whether it does not depend on the order of the batches.
        exact: whether what comes in less precision has the value of the same numbers in float64.
        rounding: the relative difference that is allowed there, of differences in float32.
        nan: whether a NaN among the predictions makes the value NaN.
        emptiness: whether a batch without examples may come.
        shares: whether ranks with parts of the examples have the value of the whole; not so a rate,
            since ranks work at the same time.
        close: the relative difference that is allowed where sums are kept in pairs of float32.
    """

    make: Callable[[], Metric]
    draw: Callable[[torch.Generator, int], Examples]
    splits: bool = True
    reorders: bool = True
    exact: bool = True
    rounding: float = 1e-9
    nan: bool = True
    emptiness: bool = True
    shares: bool = True
    close: float = 1e-5


def split(examples: Examples, sizes: Sequence[int]) -> list[Examples]:
    """Return the examples in batches of these sizes."""
    if isinstance(examples, Tensor):
        return list(examples.split(list(sizes)))
    return list(zip(*(part.split(list(sizes)) for part in examples), strict=True))


def mapped(f: Callable[[Tensor], Tensor], examples: Examples) -> Examples:
    """Return the examples with ``f`` of each of their tensors of floating point numbers."""
    if isinstance(examples, Tensor):
        return f(examples) if examples.is_floating_point() else examples
    return tuple(mapped(f, part) for part in examples)


def updated(metric: Metric, batches: Sequence[Examples]) -> Metric:
    """Return the metric, which has taken in the batches."""
    for batch in batches:
        metric.feed(batch)
    return metric


def scores(generator: torch.Generator, n: int) -> Examples:
    """Scores of three classes, and class numbers."""
    return (
        torch.randn(n, 3, generator=generator, dtype=torch.float64),
        torch.randint(3, (n,), generator=generator),
    )


def zeros_and_ones(generator: torch.Generator, n: int) -> Examples:
    """Three labels for each example, twice."""
    return tuple(torch.randint(2, (n, 3), generator=generator) for _ in range(2))


def rows(generator: torch.Generator, n: int) -> Examples:
    """Rows of two numbers from 0 to 1."""
    return torch.rand(n, 2, generator=generator, dtype=torch.float64)


def numbers(generator: torch.Generator, n: int) -> Examples:
    """Two numbers for each example, from 0.5 to 1.5: none is 0."""
    return tuple(0.5 + torch.rand(2, n, generator=generator, dtype=torch.float64))


def ties(generator: torch.Generator, n: int) -> Examples:
    """Two whole numbers for each example, many of them equal."""
    return tuple(torch.randint(6, (2, n), generator=generator).double())


def vectors(generator: torch.Generator, n: int) -> Examples:
    """Two vectors of four numbers for each example."""
    return tuple(torch.randn(2, n, 4, generator=generator, dtype=torch.float64))


def maps(generator: torch.Generator, n: int) -> Examples:
    """Scores of three classes at two places of each example, twice."""
    return tuple(torch.randn(2, n, 3, 2, generator=generator, dtype=torch.float64))


def binary(generator: torch.Generator, n: int) -> Examples:
    """A 0 or a 1 for each example, twice."""
    return tuple(torch.randint(2, (2, n), generator=generator))


def score(generator: torch.Generator, n: int) -> Examples:
    """A score for each example, many of them equal, and a 0 or a 1, both of which there are."""
    y = torch.randint(2, (n,), generator=generator)
    y[:2] = torch.arange(2)[:n]
    return torch.randint(8, (n,), generator=generator).double() / 8, y


def label_scores(generator: torch.Generator, n: int) -> Examples:
    """Three scores for each example, many of them equal, and three labels."""
    scores = torch.randint(8, (n, 3), generator=generator).double() / 8
    return scores, torch.randint(2, (n, 3), generator=generator)


def class_maps(generator: torch.Generator, n: int) -> Examples:
    """Scores of three classes at 2 x 2 places of each example, and class numbers."""
    scores = torch.randn(n, 3, 2, 2, generator=generator, dtype=torch.float64)
    return scores, torch.randint(-1, 4, (n, 2, 2), generator=generator)


def guesses(generator: torch.Generator, n: int) -> Examples:
    """A class number for each example, of four, twice."""
    return tuple(torch.randint(4, (2, n), generator=generator))
