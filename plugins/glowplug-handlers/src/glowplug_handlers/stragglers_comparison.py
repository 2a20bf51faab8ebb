"""Which rank, or which handler, is much slower than the rest.

Owns: the comparison, and what is said of who is found.
Must not know: how times are measured, or how ranks tell them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from statistics import median

from glowplug import GlowplugWarning
from glowplug_handlers.stragglers_times import Times


class StragglerWarning(GlowplugWarning):
    """A rank, or a handler, is much slower than the rest.

    Attributes:
        rank: the rank, or None where it is a handler.
        handler: the name of the handler and its event, or None where it is a rank.
        factor: how many times as long as the rest it takes.
    """

    def __init__(
        self, message: str, rank: int | None = None, handler: str | None = None, factor: float = 0.0
    ) -> None:
        super().__init__(message)
        self.rank, self.handler, self.factor = rank, handler, factor


@dataclass(frozen=True)
class Limits:
    """From when on something is much slower.

    Args:
        ratio: how many times as long as the median of the others a rank takes.
        share: the part of its iterations that a rank loses by it, at the least.
        handler_ratio: how many times as long as all the rest of a window a handler takes.
    """

    ratio: float
    share: float
    handler_ratio: float


def slow_ranks(ranks: Sequence[Times], limits: Limits) -> Iterator[tuple[str, StragglerWarning]]:
    """Yield the ranks that are much slower than the median of the others.

    Where steps wait for each other, as those with gradients of all ranks do, a slow rank's time is
    in the steps of the others: they wait. So a slow step counts only where its rank takes longer
    for the whole iteration, while what is between two steps always counts.

    Args:
        ranks: the times of each.
        limits: from when on it is too much.

    Yields:
        A name for the finding, and the warning.
    """
    for rank, own in enumerate(ranks):
        others = [times for other, times in enumerate(ranks) if other != rank]
        if not others:
            return
        lost = limits.share * own.whole
        behind = own.whole - median(times.whole for times in others)
        step, between = (median(getattr(o, name) for o in others) for name in ("step", "between"))
        if own.step > limits.ratio * step and behind > lost:
            yield f"step {rank}", _slow_rank(rank, own, own.step, step, "a step")
        if own.between > limits.ratio * between and own.between - between > lost:
            told = "data and handlers between two steps" + _most(own, others)
            yield f"between {rank}", _slow_rank(rank, own, own.between, between, told)


def slow_handlers(own: Times, limits: Limits) -> Iterator[tuple[str, StragglerWarning]]:
    """Yield the handlers that take much longer than all the rest of the iterations.

    Args:
        own: the times of this rank.
        limits: from when on it is too much.

    Yields:
        The handler, and the warning.
    """
    for handler, seconds in own.handlers.items():
        rest = max(own.whole - seconds, 1e-9)
        if seconds > limits.handler_ratio * rest:
            factor = seconds / rest
            yield (
                handler,
                StragglerWarning(
                    f"handler {handler} takes {_in_words(seconds)} of each iteration, {factor:.1f} "
                    f"times as long as the step and all others together ({_in_words(rest)}); call "
                    "it less often, as with every=, or let it do its work elsewhere",
                    handler=handler,
                    factor=factor,
                ),
            )


def _slow_rank(rank: int, own: Times, seconds: float, others: float, what: str) -> StragglerWarning:
    factor = seconds / max(others, 1e-9)
    return StragglerWarning(
        f"rank {rank} on {own.host} takes {factor:.1f} times as long as the other ranks for "
        f"{what}: {_in_words(seconds)} an iteration, the others {_in_words(others)} (median); all "
        "of them wait for it",
        rank=rank,
        factor=factor,
    )


def _most(own: Times, others: Sequence[Times]) -> str:
    """Return the handler in which a rank loses most, where it loses much in handlers."""
    behind = {
        handler: seconds - median(times.handlers.get(handler, 0.0) for times in others)
        for handler, seconds in own.handlers.items()
    }
    handler = max(behind, key=lambda name: behind[name], default=None)
    if handler is None or behind[handler] < own.between / 2:
        return ""
    return f" ({_in_words(behind[handler])} more in {handler})"


def _in_words(seconds: float) -> str:
    return f"{seconds:.2f} s" if seconds >= 1 else f"{seconds * 1e3:.3g} ms"
