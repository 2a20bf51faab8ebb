"""The contract of hook plugins, kept and broken."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from glowplug import Engine

Judge = Callable[..., Any]

HOOKS = """
import random
import glowplug
from glowplug import Events

runs = []

def count(engine):
    runs.append(engine.state.epoch)

@glowplug.hookimpl
def glowplug_engine_created(engine):
    engine.add_event_handler(Events.COMPLETED, count)
"""
CONTRACT = """
    from glowplug.testing import HooksContract

    class TestTelemetry(HooksContract):
        plugin = "acme-telemetry"
"""


@pytest.fixture
def telemetry(judge: Judge, make_plugin: Any) -> Callable[..., Any]:
    """A function that lays down a hook plugin, and puts it through the contract."""

    def run(source: str = "", group: str = "glowplug") -> Any:
        modules = {"acme_telemetry": [HOOKS, source]}
        make_plugin(
            "acme-telemetry", modules=modules, entry_points={group: {"t": "acme_telemetry"}}
        )
        return judge(CONTRACT)

    return run


def test_a_hook_plugin_keeps_the_contract(telemetry: Callable[..., Any]) -> None:
    verdicts = telemetry()
    assert verdicts.of("failed") == verdicts.of("skipped") == []
    assert "switched_off_it_leaves_an_engine_alone" in verdicts


BROKEN = {
    "cannot be imported": (
        "import acme_nowhere",
        "it_is_what_its_kind_asks_for",
        "No module named 'acme_nowhere'",
    ),
    "ends every run early": (
        "def count(engine): ...\n"
        "@glowplug.hookimpl\n"
        "def glowplug_engine_created(engine):\n"
        "    engine.add_event_handler(Events.EPOCH_COMPLETED, engine.terminate)",
        "an_engine_runs_as_it_would_without_it",
        "with the plugin, an engine fires other events",
    ),
    "changes the batches": (
        "def double(engine): engine.state.batch *= 2\n"
        "@glowplug.hookimpl\n"
        "def glowplug_engine_created(engine):\n"
        "    engine.add_event_handler(Events.ITERATION_STARTED, double)",
        "an_engine_runs_as_it_would_without_it",
        "with the plugin, the output is another",
    ),
    "acts every other time": (
        "done = []\n"
        "@glowplug.hookimpl\n"
        "def glowplug_engine_created(engine):\n"
        "    if len(done) % 2:\n"
        "        engine.add_event_handler(Events.COMPLETED, count)\n"
        "    done.append(1)",
        "two_engines_are_both_acted_on",
        "the second engine has other handlers",
    ),
    "prints": (
        "@glowplug.hookimpl\ndef glowplug_engine_created(engine): print('telemetry is on')",
        "it_prints_nothing",
        "telemetry is on",
    ),
    "draws": (
        "@glowplug.hookimpl\ndef glowplug_engine_created(engine): random.random()",
        "it_leaves_the_global_random_generators_alone",
        "used or seeded",
    ),
}


@pytest.mark.parametrize(("change", "failing", "said"), BROKEN.values(), ids=BROKEN)
def test_a_broken_hook_plugin_fails_in_the_test_that_is_about_it(
    change: str, failing: str, said: str, telemetry: Callable[..., Any]
) -> None:
    verdicts = telemetry(change)
    assert failing in verdicts.of("failed")
    assert said in verdicts.said[failing]


def test_a_plugin_that_acts_though_it_is_switched_off_fails(
    telemetry: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    made = Engine.__init__

    def patched(self: Any, *args: Any, **kwargs: Any) -> None:
        made(self, *args, **kwargs)
        if any("disable" in plugin.reason for plugin in kwargs["plugins"].plugins):
            self.add_event_handler("COMPLETED", len, "")

    monkeypatch.setattr(Engine, "__init__", patched)
    failing = "switched_off_it_leaves_an_engine_alone"
    assert "an engine is not as without it" in telemetry().said[failing]


def test_a_plugin_that_is_not_installed_is_said_so(judge: Judge) -> None:
    verdicts = judge(CONTRACT)
    assert (
        "no plugin 'acme-telemetry' is installed" in verdicts.said["it_is_what_its_kind_asks_for"]
    )


def test_a_plugin_without_a_hook_is_told_where_to_declare_it(telemetry: Callable[..., Any]) -> None:
    verdicts = telemetry(group="glowplug.handlers")
    assert "metadata" in verdicts.said["it_is_what_its_kind_asks_for"] or verdicts.of("failed")
