"""What is said of a handler that takes too much.

Owns: the warnings, their words, and the line of code that they point to.
Must not know: how calls are measured, or when to complain.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Sequence

from glowplug import Events, GlowplugWarning
from glowplug.attached import AttachedHandler
from glowplug.events import PER_ITERATION
from glowplug_budgets.limits import short_name
from glowplug_budgets.meters import Spent

RECURRING = (*PER_ITERATION, Events.EPOCH_STARTED, Events.EPOCH_COMPLETED)
"""Events that count up in a run, so that ``every=`` thins them out."""
MOST_NAMED = 5
"""Handlers of a plugin that are named; the costliest."""


class BudgetWarning(GlowplugWarning):
    """A handler, or all handlers of a plugin together, take more of the run than they may.

    Attributes:
        name: the handler or the plugin.
        share: what it takes of the run, from 0 to 1.
        limit: what it may take.
    """

    def __init__(self, message: str, name: str, share: float, limit: float) -> None:
        super().__init__(message)
        self.name, self.share, self.limit = name, share, limit


class SynchronizationWarning(GlowplugWarning):
    """A handler, or the step, made the CPU wait for the GPU.

    Attributes:
        name: the handler or the step.
        place: the file and line that waited.
    """

    def __init__(self, message: str, name: str, place: str) -> None:
        super().__init__(message)
        self.name, self.place = name, place


def complain_of_handler(spent: Spent, share: float, limit: float) -> None:
    """Warn of one handler, at the line that attached it."""
    handler = spent.handler
    message = (
        f"handler {handler} takes {_percent(share)} of the run, more than its budget of "
        f"{_percent(limit)}: {_calls(spent)}{_attached(handler)}; {_rarer(handler, share, limit)}, "
        "make it cheaper, or grant it a larger share: "
        f"HandlerBudget(budgets={{{short_name(handler.name)!r}: {_grant(share)}}})"
    )
    _warn(BudgetWarning(message, handler.name, share, limit), handler)


def complain_of_plugin(
    plugin: str, parts: Sequence[tuple[Spent, float]], share: float, limit: float
) -> None:
    """Warn of all handlers of a plugin, at the line that attached the costliest.

    Args:
        plugin: its name.
        parts: its handlers, each with its share.
        share: what they take together.
        limit: what they may take.
    """
    costliest = sorted(parts, key=lambda part: -part[1])
    told = "; ".join(
        f"{spent.handler.name} at {spent.handler.event!s}{spent.handler.filter} "
        f"{_percent(part)}, {_calls(spent)}{_attached(spent.handler)}"
        for spent, part in costliest[:MOST_NAMED]
    )
    first = costliest[0][0].handler
    shown = f"{plugin} {first.version}" if first.version else plugin
    message = (
        f"plugin {shown} takes {_percent(share)} of the run with {len(parts)} handlers, more than "
        f"its budget of {_percent(limit)}: {told}; let them run less often, as with every=, or "
        f"grant it a larger share: HandlerBudget(budgets={{{plugin!r}: {_grant(share)}}})"
    )
    _warn(BudgetWarning(message, plugin, share, limit), first)


def complain_of_waiting(handler: AttachedHandler | None, step: str, place: tuple[str, int]) -> None:
    """Warn of a handler or a step that waited for the GPU, at the line that waited.

    Args:
        handler: the handler, or None for the step.
        step: the name of the step.
        place: file and line.
    """
    where = f"{place[0]}:{place[1]}"
    if handler is None:
        who, name = f"the step {step}", step
        remedy = "keep results on the device until they are needed, as by returning loss.detach()"
    else:
        who, name = f"handler {handler}", handler.name
        remedy = "keep values on the device, or call it less often, as with every="
        who += _attached(handler)
    message = (
        f"{who} made the CPU wait for the GPU (a synchronizing CUDA operation) in {where}; {remedy}"
    )
    category = SynchronizationWarning(message, name, where)
    warnings.warn_explicit(category, SynchronizationWarning, *place)


def _warn(warning: BudgetWarning, handler: AttachedHandler) -> None:
    if handler.site is None:
        warnings.warn(warning, stacklevel=2)
    else:
        file, line, module = handler.site
        warnings.warn_explicit(warning, BudgetWarning, file, line, module)


def _rarer(handler: AttachedHandler, share: float, limit: float) -> str:
    """Return how to call a handler less often, by how much where that can be said."""
    if handler.filter:
        return "call it less often, as with a larger every="
    if handler.event not in RECURRING:
        return "call it less often"
    # Called n times less often it takes share / n of a run that is 1 - share + share / n long.
    enough = math.ceil(share * (1 - limit) / (limit * max(1 - share, 0.01)))
    return f"call it less often, as at Events.{handler.event!s}(every={max(2, enough)})"


def _calls(spent: Spent) -> str:
    seconds = spent.nanoseconds / max(spent.number, 1) / 1e9
    mean = f"{seconds:.2f} s" if seconds >= 1 else f"{seconds * 1e3:.3g} ms"
    return f"{spent.number} calls of {mean} on average"


def _attached(handler: AttachedHandler) -> str:
    return f", attached at {handler.site}" if handler.site else ""


def _percent(share: float) -> str:
    return f"{share:.0%}" if share >= 0.1 else f"{share:.1%}"


def _grant(share: float) -> float:
    return min(1.0, math.ceil(share * 20 + 0.5) / 20)
