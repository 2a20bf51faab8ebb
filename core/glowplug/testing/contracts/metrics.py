"""The contract of metrics.

Owns: where a metric's value appears, what it is, and when it begins anew.
Must not know: how it is computed.
"""

from __future__ import annotations

import math
from typing import Any, ClassVar

from glowplug.components import Kind
from glowplug.engine import Engine
from glowplug.testing.comparison import differences, frozen
from glowplug.testing.contracts.components import ComponentContract
from glowplug.testing.contracts.contract import fail, same


class MetricContract(ComponentContract):
    """The contract of a metric: that of a component, attached under a name.

    The output of ``step`` is what the metric takes in: by default a batch of ``data``.

    Attributes:
        name: what it is attached under.
        expected: its value after a run over the data, worked out by other means.

    Example:
        >>> class Largest:
        ...     def attach(self, engine, name):
        ...         engine.add_event_handler("STARTED", self.reset)
        ...         engine.add_event_handler("ITERATION_COMPLETED", self.update, name)
        ...     def reset(self):
        ...         self.largest = float("-inf")
        ...     def update(self, engine, name):
        ...         self.largest = max(self.largest, engine.state.output)
        ...         engine.state.metrics[name] = self.largest
        >>> class TestLargest(MetricContract):
        ...     expected = 4.0
        ...     def make(self):
        ...         return Largest()
        >>> TestLargest().use(Largest())["metrics"]
        {'metric': 4.0}
    """

    kind = Kind.METRIC
    name: ClassVar[str] = "metric"
    expected: ClassVar[Any] = ...

    def attach(self, component: Any, engine: Engine[Any, Any]) -> Any:
        """Attach the metric under the name."""
        return component.attach(engine, self.name)

    def value(self, engine: Engine[Any, Any]) -> Any:
        """Return the metric's value after a run: what is found under the name."""
        if self.name not in engine.state.metrics:
            found = ", ".join(map(repr, engine.state.metrics)) or "nothing"
            fail(f"after a run there is no {self.name!r} in state.metrics, but {found}")
        return engine.state.metrics[self.name]

    def test_its_value_is_found_under_its_name_and_is_the_expected_one(self) -> None:
        """Numbers are compared to nine digits."""
        engine = self._after_a_run()
        value = self.value(engine)
        if self.expected is ...:
            fail(f"declare what the value should be, worked out by other means; got {value!r}")
        if isinstance(self.expected, float) and isinstance(value, (int, float)):
            if not math.isclose(value, self.expected, rel_tol=1e-9, abs_tol=1e-12):
                fail(f"the value is {value!r}; expected = {self.expected!r}")
        else:
            same(value, self.expected, "the value is not the expected one")

    def test_another_run_begins_anew(self) -> None:
        """A second run of the same engine over the same data computes the same."""
        engine = self._after_a_run()
        first = frozen(self.value(engine))
        engine.state.metrics.clear()
        self.run(engine)
        found = differences(self.value(engine), first)
        if found:
            fail("\n  ".join(["a second run computed another value than the first:", *found]))

    def _after_a_run(self) -> Engine[Any, Any]:
        engine = self.make_engine()
        self.attach(self.make(), engine)
        self.run(engine)
        return engine
