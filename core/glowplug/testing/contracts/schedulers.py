"""The contract of schedulers.

Owns: that a schedule moves something, and moves it alike each time.
Must not know: what is scheduled.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from typing import Any

from glowplug.components import Kind
from glowplug.engine import Engine
from glowplug.events import Events
from glowplug.testing.comparison import differences, frozen
from glowplug.testing.contracts.components import ComponentContract
from glowplug.testing.contracts.contract import fail


class SchedulerContract(ComponentContract):
    """The contract of a scheduler: that of a component, and that it changes a value over a run.

    Define ``value`` besides ``make``: what is scheduled, such as an optimizer's learning rate. It
    belongs to the outcome.

    Example:
        >>> class Halving:
        ...     def __init__(self):
        ...         self.rate = 1.0
        ...     def attach(self, engine):
        ...         return engine.add_event_handler("EPOCH_COMPLETED", self.halve)
        ...     def halve(self):
        ...         self.rate /= 2
        ...     def state_dict(self):
        ...         return {"rate": self.rate}
        ...     def load_state_dict(self, state):
        ...         self.rate = state["rate"]
        >>> class TestHalving(SchedulerContract):
        ...     attaching_twice = "error"
        ...     def make(self):
        ...         return Halving()
        ...     def value(self, engine, scheduler):
        ...         return scheduler.rate
        >>> TestHalving().use(Halving())["value"]
        0.125
    """

    kind = Kind.SCHEDULER

    @abstractmethod
    def value(self, engine: Engine[Any, Any], component: Any) -> Any:
        """Return what is scheduled, as it is now."""
        raise NotImplementedError(
            f"{type(self).__name__}: define value(self, engine, component), what is scheduled"
        )

    def outcome(self, engine: Engine[Any, Any], component: Any) -> Mapping[str, Any]:
        """Return what a run came to: that of a component, and the value at its end."""
        return {**super().outcome(engine, component), "value": self.value(engine, component)}

    def test_the_value_changes_over_a_run(self) -> None:
        """At some iteration, or after the last."""
        engine, component = self.make_engine(), self.make()
        self.attach(component, engine)
        values: list[Any] = []
        engine.add_event_handler(
            Events.ITERATION_STARTED | Events.COMPLETED,
            lambda engine: values.append(frozen(self.value(engine, component))),
        )
        self.run(engine)
        if not any(differences(value, values[0]) for value in values):
            fail(f"the value was {values[0]!r} all the time; let run() be longer, or see value()")
