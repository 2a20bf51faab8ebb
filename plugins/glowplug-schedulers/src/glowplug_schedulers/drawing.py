"""Plots of values over events.

Owns: importing Matplotlib where it is asked for, and the axes.
Must not know: where the values come from.
"""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from typing import Any

from glowplug_schedulers.errors import MissingLibrary


def draw(rows: Sequence[Sequence[Any]], title: str, label: str) -> Any:
    """Draw values over events, one line for each column of values.

    Args:
        rows: of each event its number and its values.
        title: what stands above.
        label: what the values are.

    Returns:
        The axes.

    Raises:
        MissingLibrary: where Matplotlib is not installed.
    """
    try:
        pyplot = importlib.import_module("matplotlib.pyplot")
    except ImportError as error:
        raise MissingLibrary(
            f"{title}.plot_values needs Matplotlib, which cannot be imported here ({error}): "
            "pip install 'glowplug-schedulers[plot]'"
        ) from error
    axes = pyplot.subplots()[1]
    events, *columns = zip(*rows, strict=True) if rows else [()]
    for place, column in enumerate(columns):
        axes.plot(events, column, label=label if len(columns) == 1 else f"{label}, {place}")
    axes.set(title=title, xlabel="event", ylabel=label)
    if columns:
        axes.legend()
    return axes
