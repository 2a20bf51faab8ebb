"""The picture of a learning-rate range test.

Owns: drawing with matplotlib, and saying that it is not there.
Must not know: how the curve came about.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

from glowplug.errors import GlowplugError, InvalidArgument, InvalidType
from glowplug_handlers.errors import HandlerWarning


class MissingLibrary(GlowplugError, ModuleNotFoundError):
    """A plot needs matplotlib, the extra ``plot``, which is not installed."""


def checked_skip(name: str, number: Any) -> int:
    """Return the number of points to leave out.

    Raises:
        InvalidType: when it is no integer.
        InvalidArgument: when it is negative.

    Example:
        >>> checked_skip("skip_start", 0)
        0
    """
    if not isinstance(number, int) or isinstance(number, bool):
        raise InvalidType(
            f"{name} must be a whole number, got {number!r} of type {type(number).__name__}"
        )
    if number < 0:
        raise InvalidArgument(f"{name} must be 0 or more, got {number!r}")
    return number


def draw(
    rates: Sequence[Sequence[float]],
    losses: Sequence[float],
    suggested: int | None,
    *,
    shown: range,
    log_lr: bool,
    ax: Any,
    **kwargs: Any,
) -> Any:
    """Draw losses against rates, a line for each group.

    Args:
        rates: for each point, the rate of each group.
        losses: the loss of each point.
        suggested: the point to mark, or None.
        shown: the points that are drawn.
        log_lr: whether the axis of rates is logarithmic.
        ax: where to draw, or None for a new figure.
        **kwargs: for ``matplotlib.pyplot.subplots``.

    Returns:
        The axes.

    Raises:
        MissingLibrary: when matplotlib is not installed.
    """
    try:
        import matplotlib.pyplot as plt
    except ImportError as error:
        raise MissingLibrary(
            "plot() needs matplotlib, which cannot be imported here "
            f'({error}); pip install "glowplug-handlers[plot]"'
        ) from error
    if ax is None:
        _, ax = plt.subplots(**kwargs)
    groups = len(rates[0])
    for group in range(groups):
        label = f"group {group}" if groups > 1 else None
        xs, ys = [rates[i][group] for i in shown], [losses[i] for i in shown]
        (line,) = ax.plot(xs, ys, label=label)
        if suggested is not None and suggested in shown:
            ax.scatter(
                rates[suggested][group], losses[suggested], s=75, color=line.get_color(), zorder=3
            )
    if suggested is not None and suggested not in shown:
        warnings.warn(
            HandlerWarning(
                f"the suggested rate is that of point {suggested + 1}, which skip_start and "
                "skip_end leave out of the plot; lower them to see it"
            ),
            stacklevel=3,
        )
    if log_lr:
        ax.set_xscale("log")
    ax.set_xlabel("Learning rate")
    ax.set_ylabel("Loss")
    if groups > 1:
        ax.legend()
    return ax
