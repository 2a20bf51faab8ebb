"""A hostile package is named once, and the good ones beside it keep working.

Owns: every broken package of tests/dists, installed for real, and what one manager makes of it.
Must not know: the command line, or how the metadata is read.
"""

from __future__ import annotations

import math
import sys
import warnings
from collections.abc import Callable
from typing import Any

import pluggy
import pytest

from glowplug import Engine
from glowplug.errors import (
    AmbiguousComponent,
    GlowplugError,
    InvalidArgument,
    InvalidType,
    PluginError,
    PluginWarning,
)
from glowplug.plugins import PluginManager
from glowplug.roster import PluginState

Make = Callable[..., PluginManager]

GOOD = ("acme-hooks", "nan-stop")
# The package, what the warning says is wrong with it, and the error that lies behind it.
CASES = [
    ("broken-import-error", "ModuleNotFoundError: No module named 'a_module", ImportError),
    ("broken-system-exit", "SystemExit: this plugin wants Python to end", SystemExit),
    ("broken-unknown-hook", "unknown hook 'glowplug_engine_craeted'; did you", InvalidArgument),
    ("broken-wrong-argument", "'trainer'", pluggy.PluginValidationError),
    ("broken-no-hook", "implements no hook; mark its functions", InvalidArgument),
    ("broken-components", "expected an iterable of Component", InvalidType),
    ("broken-hook", "its hook glowplug_engine_created raised: ValueError", ValueError),
    ("broken-malformed", "its entry points cannot be read", None),
]
NAMES = [case[0] for case in CASES]


def echo(engine: Engine[Any, Any], batch: Any) -> Any:
    return batch


def told(make: Callable[[], object]) -> list[str]:
    """Return the messages of the plugin warnings that ``make`` gives."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        make()
    assert {w.category for w in caught} <= {PluginWarning}
    return [str(w.message) for w in caught]


@pytest.mark.parametrize(("name", "what", "error"), CASES)
def test_a_broken_plugin_is_named_exactly_once(
    manager: Make, name: str, what: str, error: type[BaseException] | None
) -> None:
    engines: list[Engine[Any, Any]] = []

    def make() -> None:
        plugins = manager(name, *GOOD)
        engines.extend(Engine(echo, plugins=plugins) for _ in range(3))

    (message,) = told(make)
    assert message.startswith(f"plugin {name} 0.1.0 is switched off: ")
    assert what in message
    shown = "the traceback" if error else "where it is installed"
    assert message.endswith(f"(`glowplug plugins show {name}` shows {shown})")


@pytest.mark.parametrize("name", NAMES)
def test_the_good_plugins_beside_a_broken_one_keep_working(quiet_manager: Make, name: str) -> None:
    plugins = quiet_manager(name, *GOOD)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", PluginWarning)
        engine = Engine(echo, handlers=["nan-stop"], plugins=plugins)
    assert dict(engine.plugins) == {"acme-hooks": "2.0", "nan-stop": "0.1.0"}
    assert engine.run([1.0, math.nan, 3.0]).iteration == 2
    assert sys.modules["acme_hooks"].runs == [2]
    assert plugins.find("made-at-run-time", ["metric"]).plugin == "acme-hooks"


@pytest.mark.parametrize(("name", "what", "error"), CASES)
def test_a_broken_plugin_keeps_its_reason_and_its_traceback(
    quiet_manager: Make, name: str, what: str, error: type[BaseException] | None
) -> None:
    plugins = quiet_manager(name, *GOOD)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", PluginWarning)
        Engine(echo, plugins=plugins)
    plugin = plugins.plugin(name)
    assert plugin.state is PluginState.BROKEN
    assert what in plugin.reason
    assert plugin.traceback.startswith("Traceback") is (error is not None)


@pytest.mark.parametrize("switch", ["strict", "GLOWPLUG_STRICT", "only", "require"])
@pytest.mark.parametrize(("name", "what", "error"), CASES)
def test_a_broken_plugin_raises_where_it_is_asked_for_or_all_must_be_whole(
    manager: Make,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    what: str,
    error: type[BaseException] | None,
    switch: str,
) -> None:
    if switch == "GLOWPLUG_STRICT":
        monkeypatch.setenv("GLOWPLUG_STRICT", "1")
    given: dict[str, Any] = {"strict": True} if switch == "strict" else {}
    given |= {switch: [name]} if switch in ("only", "require") else {}
    with pytest.raises(PluginError, match=f"plugin {name} 0.1.0 is broken: ") as caught:
        Engine(echo, plugins=manager(name, *GOOD, **given))
    assert caught.value.plugin == name
    assert what in str(caught.value)
    cause = caught.value.__cause__
    assert cause is None if error is None else isinstance(cause, error)


def test_strict_in_code_may_be_taken_back_from_the_environment(
    manager: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GLOWPLUG_STRICT", "1")
    plugins = manager("broken-hook", strict=False)
    with pytest.warns(PluginWarning, match=r"plugin broken-hook 0\.1\.0 is switched off"):
        Engine(echo, plugins=plugins)


def test_asking_for_a_good_plugin_leaves_a_broken_one_to_its_warning(manager: Make) -> None:
    plugins = manager("broken-import-error", "nan-stop", require=["nan-stop"])
    with pytest.warns(PluginWarning, match="broken-import-error"):
        engine = Engine(echo, plugins=plugins)
    assert list(engine.plugins) == ["nan-stop"]


@pytest.mark.parametrize("name", ["broken-hook", "broken-unknown-hook", "broken-wrong-argument"])
def test_a_broken_hook_leaves_nothing_on_the_engine(quiet_manager: Make, name: str) -> None:
    with pytest.warns(PluginWarning, match=name):
        engine = Engine(echo, plugins=quiet_manager(name))
    state = engine.run([1])
    assert not hasattr(state, "touched")
    assert getattr(sys.modules[name.replace("-", "_")], "calls", []) == []


def test_the_handlers_that_others_attached_stay_when_a_hook_raises(quiet_manager: Make) -> None:
    with pytest.warns(PluginWarning, match="broken-hook"):
        engine = Engine(echo, handlers=["nan-stop"], plugins=quiet_manager("broken-hook", *GOOD))
    assert engine.run([math.nan, 1.0]).iteration == 1
    assert sys.modules["acme_hooks"].runs == [1]


def test_a_hook_that_raised_is_not_called_for_the_next_engine(quiet_manager: Make) -> None:
    plugins = quiet_manager("broken-hook")
    with pytest.warns(PluginWarning, match="the hook of broken-hook fails"):
        Engine(echo, plugins=plugins)
    assert Engine(echo, plugins=plugins).plugins == {}


def test_a_strict_engine_is_not_made_and_neither_is_the_next(manager: Make) -> None:
    plugins = manager("broken-import-error", strict=True)
    for _ in range(2):
        with pytest.raises(PluginError, match="No module named 'a_module_that_nobody_has'"):
            Engine(echo, plugins=plugins)


@pytest.mark.parametrize(
    ("package", "name"), [("broken-hook", "bystander"), ("broken-import-error", "import-error")]
)
def test_a_component_of_a_broken_plugin_is_refused_with_the_reason(
    quiet_manager: Make, package: str, name: str
) -> None:
    plugins = quiet_manager(package)
    with pytest.warns(PluginWarning, match=package):
        Engine(echo, plugins=plugins)
    with pytest.raises(
        PluginError, match=f"handler '{name}' is not to be had: plugin {package} 0.1.0 is broken"
    ):
        plugins.component("handler", name)


@pytest.mark.parametrize(
    ("package", "name", "error"),
    [
        ("broken-import-error", "import-error", ImportError),
        ("broken-system-exit", "system-exit", SystemExit),
    ],
)
def test_a_component_that_cannot_be_imported_names_plugin_and_target(
    manager: Make, package: str, name: str, error: type[BaseException]
) -> None:
    with pytest.raises(PluginError, match=rf"'{name}' of plugin {package} 0\.1\.0 cannot be") as e:
        manager(package).component("handler", name)
    assert e.value.plugin == package
    assert isinstance(e.value.__cause__, error)


def test_a_leftover_of_pip_is_neither_imported_nor_warned_of(manager: Make) -> None:
    plugins = manager("broken-leftover", *GOOD, strict=True)
    assert list(Engine(echo, plugins=plugins).plugins) == ["acme-hooks", "nan-stop"]
    assert [path.rpartition("/")[2] for path in plugins.leftovers] == [
        "~roken_leftover-0.1.0.dist-info"
    ]


def test_a_shadowed_twin_is_noted_once_and_the_first_is_used(manager: Make) -> None:
    made: list[PluginManager] = []
    twins = ("broken-twin-2", "broken-twin-1")

    def make() -> None:
        made.append(manager(*twins, *GOOD))
        for _ in range(2):
            Engine(echo, handlers=["nan-stop", "twin"], plugins=made[0])

    (message,) = told(make)
    assert message.startswith("plugin broken-twin 2.0 is installed twice: ")
    assert "(1.0) is not; uninstall one" in message
    assert made[0].component("handler", "twin").version == 2


@pytest.mark.parametrize(
    "switch", [{"strict": True}, {"require": ["broken-twin"]}, {"only": ["broken-twin"]}]
)
def test_a_shadowed_twin_raises_where_it_is_asked_for_or_all_must_be_whole(
    manager: Make, switch: dict[str, Any]
) -> None:
    with pytest.raises(PluginError, match=r"broken-twin 2\.0 is installed twice") as caught:
        manager("broken-twin-2", "broken-twin-1", **switch)
    assert caught.value.plugin == "broken-twin"


def test_two_plugins_with_one_name_are_ambiguous_and_the_qualified_names_work(
    manager: Make,
) -> None:
    plugins = manager("umbrella-timer", "acme-timer", *GOOD)
    with pytest.raises(
        AmbiguousComponent, match="'pacer'; ask for one of 'acme-timer:pacer', 'umbrella-timer:p"
    ) as caught:
        Engine(echo, handlers=["nan-stop", "pacer"], plugins=plugins)
    assert caught.value.choices == ("acme-timer:pacer", "umbrella-timer:pacer")
    for choice in caught.value.choices:
        engine = Engine(echo, handlers=["nan-stop", choice], plugins=plugins)
        assert f"{engine.state.timed_by}-timer:pacer" == choice


def test_all_of_them_at_once_are_each_named_once_in_order_and_the_good_ones_work(
    manager: Make,
) -> None:
    engines: list[Engine[Any, Any]] = []

    def make() -> None:
        plugins = manager(*NAMES, "broken-leftover", *GOOD)
        engines.extend(Engine(echo, handlers=["nan-stop"], plugins=plugins) for _ in range(2))

    named = [message.split()[1] for message in told(make)]
    assert sorted(named) == sorted(NAMES)
    assert [list(engine.plugins) for engine in engines] == [list(GOOD)] * 2


def test_a_plugin_error_is_caught_as_glowplugs_and_as_a_runtime_error(manager: Make) -> None:
    with pytest.raises(RuntimeError, match="broken-malformed") as caught:
        manager("broken-malformed", strict=True)
    assert isinstance(caught.value, GlowplugError)
