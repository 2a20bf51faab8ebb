"""The contract of hook plugins.

Owns: what a plugin that acts by itself must leave an engine as.
Must not know: what the plugin does to it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import pytest

from glowplug.engine import Engine
from glowplug.plugins import PluginManager
from glowplug.switches import DISABLE
from glowplug.testing.contracts.components import DATA
from glowplug.testing.contracts.contract import Contract, fail, same
from glowplug.testing.recorder import registered
from glowplug.testing.runs import run_engine
from glowplug.testing.sandbox import manager_of
from glowplug.testing.snapshots import Snapshot


class HooksContract(Contract):
    """The contract of a plugin that acts on every engine by ``glowplug_engine_created``.

    There is nothing to make: the plugin is installed, and named by its distribution.

    Attributes:
        plugin: the distribution's name.

    Example:
        >>> class TestTelemetry(HooksContract):
        ...     plugin = "acme-telemetry"
        >>> TestTelemetry().make()
        Traceback (most recent call last):
            ...
        glowplug.errors.MissingPlugin: no plugin 'acme-telemetry' is installed
    """

    plugin: ClassVar[str]

    def manager(self, **switches: Any) -> PluginManager:
        """Return a new manager of the plugin alone."""
        return manager_of(self.plugin, **switches)

    def make(self) -> PluginManager:
        """Return a manager under which the plugin acts."""
        return self.manager()

    def use(self, component: PluginManager) -> Mapping[str, Any]:
        """Run an engine that is made with a manager, and return its counters and metrics."""
        engine: Engine[Any, Any] = Engine(_step, plugins=component)
        engine.run(DATA, max_epochs=2)
        state = engine.state
        return {"epoch": state.epoch, "iteration": state.iteration, "metrics": state.metrics}

    def test_it_is_what_its_kind_asks_for(self) -> None:
        """The plugin is installed, can be imported, and declares a hook plugin."""
        manager = self.make()
        if not manager.plugin(self.plugin).manifest.hooks:
            fail(f"{self.plugin} declares no hook plugin: an entry point in the group glowplug")
        manager.load_hooks()

    def test_an_engine_runs_as_it_would_without_it(self) -> None:
        """The same events in the same order, with the same output."""
        plain: Engine[Any, Any] = Engine(_step, plugins=PluginManager(only=[]))
        acted_on: Engine[Any, Any] = Engine(_step, plugins=self.make())
        expected = run_engine(plain, DATA, max_epochs=2)
        names = set(expected.names)
        fired = [f for f in run_engine(acted_on, DATA, max_epochs=2) if f.event in names]
        same(fired, list(expected), "with the plugin, an engine fires other events")
        same(acted_on.state.output, plain.state.output, "with the plugin, the output is another")

    def test_two_engines_are_both_acted_on(self) -> None:
        """What it attaches to the first engine of a process, it attaches to the next as well."""
        manager = self.make()
        engines: list[Engine[Any, Any]] = [Engine(_step, plugins=manager) for _ in range(2)]
        first, second = (sorted(Snapshot(engine).handlers.elements()) for engine in engines)
        same(second, first, "the second engine has other handlers than the first")

    def test_switched_off_it_leaves_an_engine_alone(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """By argument or variable: nothing is attached, registered, or put on the state."""
        plain = _look(PluginManager(only=[]))
        off = self.manager(disable=[self.plugin])
        same(_look(off), plain, f"with disable=[{self.plugin!r}] an engine is not as without it")
        monkeypatch.setenv(DISABLE, self.plugin)
        off = self.manager()
        same(_look(off), plain, f"with {DISABLE}={self.plugin} an engine is not as without it")


def _look(manager: PluginManager) -> dict[str, list[str]]:
    engine: Engine[Any, Any] = Engine(_step, plugins=manager)
    seen = Snapshot(engine)
    handlers = sorted(seen.handlers.elements())
    return {
        "handlers": handlers,
        "events": [*map(str, registered(engine))],
        "attributes": [*seen.attributes],
    }


def _step(engine: Engine[Any, Any], batch: Any) -> Any:
    """Return the batch, as a step."""
    return batch
