"""The arithmetic of a learning-rate range test: rates that grow, losses that are smoothed.

Owns: which rate an iteration gets, when the loss has diverged, and which rate is suggested.
Must not know: optimizers, engines or tensors.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from glowplug.errors import GlowplugError, InvalidArgument, InvalidType
from glowplug_handlers.arguments import checked_choice, checked_count, checked_number

FEWEST = 3
"""Points that a slope in the middle takes."""


class RangeTestFailed(GlowplugError, RuntimeError):
    """A range test says nothing: it was not run, or its loss never fell."""


@dataclass(frozen=True)
class Growth:
    """How the learning rates of an optimizer's groups grow.

    Args:
        start: the rate of each group in the first iteration.
        end: that in the last.
        iterations: how many there are.
        is_exponential: whether each rate is a multiple of the one before; else it is a sum.

    Example:
        >>> growth = Growth((0.1,), (10.0,), iterations=3, is_exponential=True)
        >>> [round(growth.at(index)[0], 6) for index in range(3)]
        [0.1, 1.0, 10.0]
    """

    start: tuple[float, ...]
    end: tuple[float, ...]
    iterations: int
    is_exponential: bool

    def at(self, index: int) -> tuple[float, ...]:
        """Return the rate of each group in an iteration, counted from 0."""
        share = index / (self.iterations - 1) if self.iterations > 1 else 0.0
        if share == 1.0:
            return self.end  # to the last digit
        if self.is_exponential:
            pairs = zip(self.start, self.end, strict=True)
            return tuple(start * (end / start) ** share for start, end in pairs)
        return tuple(
            start + (end - start) * share for start, end in zip(self.start, self.end, strict=True)
        )


@dataclass(frozen=True)
class Settings:
    """What a range test is asked for; checked here.

    Args:
        num_iter: iterations, or None for those of the run.
        start_lr: the first rate, one for each group, or None for the optimizer's own.
        end_lr: the last rate, or one for each group.
        step_mode: ``"exp"`` or ``"linear"``.
        smooth_f: the weight of a new loss in the smoothed one; 0 for no smoothing.
        diverge_th: how many times the smallest loss ends the test.

    Raises:
        InvalidType: for an argument of another type.
        InvalidArgument: for an impossible one.
    """

    num_iter: int | None
    start_lr: float | Sequence[float] | None
    end_lr: float | Sequence[float]
    step_mode: str
    smooth_f: float
    diverge_th: float

    def __post_init__(self) -> None:
        if self.num_iter is not None:
            checked_count("num_iter", self.num_iter)
        checked_choice("step_mode", self.step_mode, ("exp", "linear"))
        smooth_f = checked_number("smooth_f", self.smooth_f, above=-math.inf, below=math.inf)
        if not 0 <= smooth_f < 1:
            raise InvalidArgument(f"smooth_f must be at least 0 and below 1, got {self.smooth_f!r}")
        checked_number("diverge_th", self.diverge_th, above=1.0)

    def growth(self, groups: Sequence[Any], iterations: int) -> Growth:
        """Return how the rates of an optimizer's groups grow.

        Args:
            groups: its ``param_groups``.
            iterations: how many there are.

        Raises:
            InvalidType: when a rate is no number.
            InvalidArgument: when there is not one for each group, or an end is not above its start.
        """
        own = [float(group["lr"]) for group in groups]
        is_own, is_exponential = self.start_lr is None, self.step_mode == "exp"
        start = _of_groups("start_lr", own if is_own else self.start_lr, len(own))
        end = _of_groups("end_lr", self.end_lr, len(own))
        whose = "; start_lr is the optimizer's own" if is_own else ""
        for index, (first, last) in enumerate(zip(start, end, strict=True)):
            of_group = f" of group {index}" if len(own) > 1 else ""
            if not first < last:
                raise InvalidArgument(
                    f"start_lr{of_group} must be below end_lr, got {first:g} and {last:g}{whose}"
                )
            if first < 0 or (is_exponential and not first):
                least = "above 0 where it grows by a factor" if is_exponential else "0 or more"
                raise InvalidArgument(f"start_lr{of_group} must be {least}, got {first:g}{whose}")
        return Growth(start, end, iterations, is_exponential)


def _of_groups(name: str, given: Any, groups: int) -> tuple[float, ...]:
    """Return a rate for each group."""
    each = list(given) if isinstance(given, (list, tuple)) else [given] * groups
    if len(each) != groups:
        raise InvalidArgument(
            f"{name} must be one number, or one for each of the optimizer's {groups} groups, got "
            f"{len(each)}: {given!r}"
        )
    try:
        return tuple(checked_number(name, rate, above=-math.inf) for rate in each)
    except InvalidType:
        raise InvalidType(
            f"{name} must be a number or a list of numbers, got {given!r} of type "
            f"{type(given).__name__}"
        ) from None


@dataclass
class Curve:
    """The rates of a range test, and the losses that they led to.

    Args:
        smooth_f: the weight of a new loss in the smoothed one; 0 for no smoothing.
        diverge_th: how many times the smallest loss counts as diverged.

    Attributes:
        rates: for each iteration, the rate of each group.
        losses: for each iteration, the smoothed loss.
        diverged: whether the loss has.

    Example:
        >>> curve = Curve(smooth_f=0.0, diverge_th=5.0)
        >>> losses = [10.0, 9.0, 6.0, 4.0, 3.0, 16.0]
        >>> for index, loss in enumerate(losses):
        ...     curve.add((10.0**index,), loss)
        >>> curve.diverged, curve.losses[curve.steepest()]
        (True, 6.0)
    """

    smooth_f: float
    diverge_th: float
    rates: list[tuple[float, ...]] = field(default_factory=list)
    losses: list[float] = field(default_factory=list)
    diverged: bool = False
    _least: float = math.inf

    def add(self, rates: tuple[float, ...], loss: float) -> None:
        """Add the loss of an iteration, and the rates that its update was made with.

        A loss that is not finite has diverged, and is not part of the curve.
        """
        if not math.isfinite(loss):
            self.diverged = True
            return
        if self.smooth_f and self.losses:
            loss = self.smooth_f * loss + (1 - self.smooth_f) * self.losses[-1]
        self.rates.append(rates)
        self.losses.append(loss)
        self._least = min(self._least, loss)
        # For a least loss above 0 this is diverge_th times it; and it means something below 0 too.
        self.diverged = loss > self._least + (self.diverge_th - 1) * abs(self._least)

    def steepest(self) -> int:
        """Return the index at which the loss falls fastest, before it is smallest.

        The slope at a point is taken from its two neighbours, by index: on the scale on which the
        rates grow.

        Raises:
            RangeTestFailed: when the loss does not fall first.
        """
        least = min(range(len(self.losses)), key=self.losses.__getitem__, default=0)
        falling = self.losses[: least + 1]
        if len(falling) < FEWEST:
            raise RangeTestFailed(
                f"the loss was smallest at point {least + 1} of {len(self.losses)}, so there is no "
                "descent to be steepest; lower start_lr, take more iterations, or look at plot()"
            )
        return min(range(1, len(falling) - 1), key=lambda i: falling[i + 1] - falling[i - 1])
