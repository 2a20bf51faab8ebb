"""A guard that says which rank, or which handler, is much slower than the rest.

Owns: when times are compared, and that each finding is told once.
Must not know: how times are measured, or how they are compared.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from glowplug import Engine, Events, Phase
from glowplug_handlers.arguments import checked_count, checked_number
from glowplug_handlers.attachment import Attachable
from glowplug_handlers.stragglers_comparison import (
    Limits,
    StragglerWarning,
    slow_handlers,
    slow_ranks,
)
from glowplug_handlers.stragglers_times import Times, Window
from glowplug_torch import all_gather, get_rank, hostname


class StragglerGuard(Attachable):
    """Warns, once each, of a rank or a handler that is much slower than the rest.

    Every ``window`` iterations the ranks tell each other how long their steps took and what was
    between them, and the first one compares; in one process handlers alone are watched. Who is slow
    in ``in_a_row`` windows is named: a rank with its host and how much slower it is, a handler with
    what it takes. The first window of a run warms up and does not count.

    On several ranks all must attach it, to engines that make the same iterations on each.

    Args:
        window: iterations.
        ratio: how many times as long as the median of the other ranks is much slower.
        share: the part of its iterations that a rank must lose by it.
        handler_ratio: how many times as long as the step and all other handlers together is much
            for a handler.
        in_a_row: windows.

    Raises:
        InvalidType: when an argument is no number.
        InvalidArgument: when a number of iterations or windows is not 1 or more, a ratio of ranks
            not above 1, a share not between 0 and 1, or a ratio of handlers not above 0.

    Example:
        >>> import time
        >>> trainer = Engine(lambda engine, batch: batch)
        >>> handle = trainer.add_event_handler(
        ...     Events.ITERATION_COMPLETED, lambda engine: time.sleep(0.02)
        ... )
        >>> StragglerGuard(window=5).attach(trainer)
        >>> with warnings.catch_warnings(record=True) as caught:
        ...     warnings.simplefilter("always")
        ...     state = trainer.run(range(20))
        >>> ["<lambda>" in warning.message.handler for warning in caught]
        [True]
    """

    def __init__(
        self,
        window: int = 100,
        ratio: float = 1.5,
        share: float = 0.05,
        handler_ratio: float = 1.0,
        in_a_row: int = 2,
    ) -> None:
        super().__init__()
        self._every = checked_count("window", window)
        self._in_a_row = checked_count("in_a_row", in_a_row)
        self._limits = Limits(
            checked_number("ratio", ratio, above=1.0),
            checked_number("share", share, above=0.0, below=1.0),
            checked_number("handler_ratio", handler_ratio, above=0.0),
        )

    def attach(self, engine: Engine[Any, Any]) -> None:
        """Watch an engine from now on.

        Args:
            engine: the engine.

        Raises:
            InvalidType: when it is no engine.
            InvalidArgument: when this is attached to it already.
        """
        at = Events.ITERATION_COMPLETED(every=self._every)
        watch = _Watch(self._limits, self._in_a_row)
        with self._attaching(engine) as handles, engine.in_phase(Phase.PERSIST):
            handles.append(engine.add_event_handler(Events.STARTED, watch.begin))
            handles.append(engine.add_event_handler(at, watch.compare))
            observation = engine.observe(watch.window)
            handles.append(observation)  # type: ignore[arg-type]  # it can be removed like a handle


class _Watch:
    """Watches one engine.

    Args:
        limits: from when on something is much slower.
        in_a_row: for how many windows it must be.
    """

    def __init__(self, limits: Limits, in_a_row: int) -> None:
        self.window = Window(f"{__name__}.{_Watch.compare.__qualname__}")
        self._limits, self._in_a_row = limits, in_a_row
        self._is_warm = False
        self._streaks: dict[str, int] = {}
        self._told: set[str] = set()

    def begin(self) -> None:
        """Begin a run: its first window does not count."""
        self._is_warm = False
        self._streaks.clear()
        self.window.restart()

    def compare(self) -> None:
        """End a window: tell the other ranks of it, and compare on the first one."""
        if self._is_warm and self.window.iterations:
            ranks: list[Times] = all_gather(self.window.times(hostname()))
            if get_rank() == 0:
                self._tell(dict(self._found(ranks)))
        self._is_warm = True
        self.window.restart()

    def _found(self, ranks: Sequence[Times]) -> Iterator[tuple[str, StragglerWarning]]:
        yield from slow_ranks(ranks, self._limits)
        for times in ranks:
            yield from slow_handlers(times, self._limits)

    def _tell(self, found: Mapping[str, StragglerWarning]) -> None:
        self._streaks = {name: self._streaks.get(name, 0) + 1 for name in found}
        sites = {str(handler): handler.site for handler in self.window.handlers}
        for name, warning in found.items():
            if self._streaks[name] >= self._in_a_row and name not in self._told:
                self._told.add(name)
                site = sites.get(name)
                if site is None:
                    warnings.warn(warning, stacklevel=2)
                else:
                    file, line, module = site
                    warnings.warn_explicit(warning, StragglerWarning, file, line, module)
