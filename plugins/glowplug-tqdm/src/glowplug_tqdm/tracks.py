"""The life of one bar on one engine.

Owns: when a bar is made, moved, drawn and closed.
Must not know: what stands beside the bar, or where its stream goes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from time import time
from typing import Any, TypeAlias

from glowplug import Engine, Events
from glowplug.events import AnyEvent
from glowplug_tqdm.spans import Span
from glowplug_tqdm.terminals import Terminal

Postfix: TypeAlias = Callable[[Engine[Any, Any]], Mapping[str, Any]]
"""What is shown beside the bar, by name; asked when the bar is drawn."""


class Track:
    """One bar on one engine, made anew for each epoch or run that it follows.

    Args:
        span: what is counted, and when.
        make_bar: ``make_bar(desc=, total=, initial=)``, a new tqdm bar.
        terminal: where the bars are drawn.
        desc: the user's own title, or None.
        postfix: what is shown beside the bar.
        persist: whether a bar stays when it is complete.
    """

    def __init__(
        self,
        span: Span,
        make_bar: Callable[..., Any],
        terminal: Terminal,
        desc: str | None,
        postfix: Postfix,
        persist: bool,
    ) -> None:
        self.span = span
        self._make_bar = make_bar
        self._terminal = terminal
        self._desc = desc
        self._postfix = postfix
        self._persist = persist
        self._bar: Any = None
        self._base: int | None = None
        self._tally = 0

    def handlers(self, event_name: AnyEvent) -> Iterator[tuple[AnyEvent, Callable[..., None]]]:
        """Walk the events that concern the bar.

        Args:
            event_name: the counted event, with its filters.

        Yields:
            Events, and what to call at them.
        """
        if self.span.opening is not None:
            yield self.span.opening, self.begin
        if self.span.counter is None:
            yield self.span.event, self.count
        yield event_name, self.advance
        yield self.span.closing, self.finish
        if self.span.closing is not Events.COMPLETED:
            yield Events.COMPLETED, self.finish
        # A run that ends in another way does not reach the closing event.
        yield Events.TERMINATE | Events.INTERRUPT | Events.EXCEPTION_RAISED, self.abandon

    def begin(self, engine: Engine[Any, Any]) -> None:
        """Open a new bar at the opening event."""
        self.abandon()
        self._tally = 0
        self._base = self.span.base(engine.state)
        self._open(engine)

    def count(self) -> None:
        """Count an event that no attribute of the state counts."""
        self._tally += 1

    def advance(self, engine: Engine[Any, Any]) -> None:
        """Move the bar to where the run stands. What is beside it is worked out if it is drawn."""
        bar = self._open(engine) if self._bar is None else self._bar
        if bar.disable:
            return
        position = self._position(engine)
        # Between two drawings nothing else happens: this is on the path of an iteration.
        if position - bar.last_print_n >= bar.miniters and self._is_time(bar):
            self._draw(bar, position, engine)
        else:
            bar.n = position

    def finish(self, engine: Engine[Any, Any]) -> None:
        """Close the bar at the closing event."""
        bar = self._bar
        if bar is not None and not bar.disable and self._persist:
            self._draw(bar, self._position(engine), engine)
        self.abandon()
        self._base = None

    def abandon(self, *_: Any) -> None:
        """Close the bar where it stands, if there is one; a run that goes on opens it there."""
        if self._bar is not None:
            self._bar.close()
            self._bar = None

    def _open(self, engine: Engine[Any, Any]) -> Any:
        state = engine.state
        if self._base is None:  # attached in the middle of a run, or no event opens the bar
            self._base = self.span.base(state)
        title = self.span.title(state, self._desc)
        self._bar = self._make_bar(
            desc=f"{title}: ",
            total=self.span.total(state, self._base),
            initial=self._position(engine),
        )
        return self._bar

    def _position(self, engine: Engine[Any, Any]) -> int:
        counter = self.span.counter
        if counter is None:
            return self._tally
        count: int = getattr(engine.state, counter)
        return count - (self._base or 0)

    def _draw(self, bar: Any, position: int, engine: Engine[Any, Any]) -> None:
        if self._terminal.gone:
            bar.close()  # nothing can be seen any more: a bar that is closed ignores what follows
        else:
            bar.set_postfix(self._postfix(engine), refresh=False)
            bar.update(position - bar.n)

    @staticmethod
    def _is_time(bar: Any) -> bool:
        """Return whether tqdm would draw the bar now, by its own clock and settings."""
        now = time()
        return bool(now - bar.last_print_t >= bar.mininterval and now >= bar.start_t + bar.delay)
