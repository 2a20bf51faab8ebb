"""What is switched off is never imported, however it is said.

Owns: the environment's and the manager's switches, and the names that they take.
Must not know: what a broken plugin leads to.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import pytest

from glowplug import Engine
from glowplug.errors import (
    GlowplugError,
    InvalidArgument,
    InvalidType,
    MissingPlugin,
    PluginWarning,
    UnknownComponent,
)
from glowplug.manifest import Manifest, Scan
from glowplug.plugins import PluginManager

Make = Callable[..., PluginManager]

# Says which plugins a new engine has, and whether the hook plugin's module was imported for it.
ENGINE_MADE = """
import sys
from glowplug import Engine
engine = Engine(lambda engine, batch: batch)
print("acme-hooks" in engine.plugins, "nan-stop" in engine.plugins, "acme_hooks" in sys.modules)
"""


def echo(engine: Engine[Any, Any], batch: Any) -> Any:
    return batch


def of_glowplug(*names: str, **switches: Any) -> PluginManager:
    """Return a manager of plugins that are installed in name only."""
    found = tuple(Manifest(name, "1.0") for name in sorted(names))
    return PluginManager(scan=Scan(found), **switches)


def test_what_nobody_switches_off_is_imported_with_the_first_engine(
    python: Callable[..., str],
) -> None:
    assert python(ENGINE_MADE, "acme-hooks", "nan-stop") == "True True True\n"


@pytest.mark.parametrize(
    ("switch", "seen"),
    [
        ({"GLOWPLUG_PLUGINS": "nan-stop"}, "False True False\n"),
        ({"GLOWPLUG_PLUGINS": ""}, "False False False\n"),
        ({"GLOWPLUG_DISABLE_PLUGINS": "acme-hooks"}, "False True False\n"),
        ({"GLOWPLUG_DISABLE_PLUGINS": " Acme_Hooks , nan-stop "}, "False False False\n"),
        ({"GLOWPLUG_PLUGINS": "acme-hooks,nan-stop"}, "True True True\n"),
        (
            {"GLOWPLUG_PLUGINS": "acme-hooks", "GLOWPLUG_DISABLE_PLUGINS": "acme-hooks"},
            "False False False\n",
        ),
    ],
)
def test_a_plugin_that_the_environment_blocks_is_never_imported(
    python: Callable[..., str], switch: dict[str, str], seen: str
) -> None:
    assert python(ENGINE_MADE, "acme-hooks", "nan-stop", **switch) == seen


@pytest.mark.parametrize(
    "switch",
    [
        {"only": ["nan-stop"]},
        {"only": []},
        {"disable": ["acme-hooks"]},
        {"disable": ["ACME.hooks"]},
    ],
)
def test_a_plugin_that_the_manager_blocks_is_never_imported(
    manager: Make, switch: dict[str, list[str]]
) -> None:
    engine = Engine(echo, plugins=manager("acme-hooks", "nan-stop", **switch))
    assert "acme-hooks" not in engine.plugins
    assert "acme_hooks" not in sys.modules


def test_a_broken_plugin_that_is_switched_off_breaks_nothing_and_warns_of_nothing(
    manager: Make,
) -> None:
    broken = ("broken-import-error", "broken-system-exit", "broken-malformed")
    plugins = manager(*broken, "nan-stop", disable=broken, strict=True)
    assert dict(Engine(echo, plugins=plugins).plugins) == {"nan-stop": "0.1.0"}


def test_a_component_of_a_plugin_that_is_switched_off_says_what_switched_it_off(
    manager: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GLOWPLUG_DISABLE_PLUGINS", "nan-stop")
    plugins = manager("nan-stop")
    with pytest.raises(
        UnknownComponent, match=r"nan-stop 0\.1\.0 is switched off by GLOWPLUG_DISABLE_PLUGINS"
    ):
        plugins.component("handler", "nan-stop")
    assert "nan_stop" not in sys.modules


def test_of_two_that_offer_one_name_the_other_is_meant_when_one_is_switched_off(
    manager: Make,
) -> None:
    plugins = manager("acme-timer", "umbrella-timer", disable=["acme-timer"])
    assert plugins.component("handler", "pacer").__module__ == "umbrella_timer"


def test_what_is_not_switched_on_is_left_out_of_offers_and_versions(manager: Make) -> None:
    plugins = manager("acme-timer", "nan-stop", only=["nan-stop"])
    assert [offer.qualified for offer in plugins.offers()] == ["nan-stop:nan-stop"]
    assert dict(plugins.versions) == {"nan-stop": "0.1.0"}
    assert [(plugin.name, plugin.reason) for plugin in plugins.plugins] == [
        ("acme-timer", "the argument 'only'"),
        ("nan-stop", ""),
    ]


@pytest.mark.parametrize("name", ["tqdm", "glowplug-tqdm", "Glowplug_TQDM", "glowplug.tqdm"])
def test_a_leading_glowplug_may_be_left_off_a_plugins_name(name: str) -> None:
    installed = ("acme-ml", "glowplug-tqdm")
    assert list(of_glowplug(*installed, only=[name]).versions) == ["glowplug-tqdm"]
    assert list(of_glowplug(*installed, disable=[name]).versions) == ["acme-ml"]
    assert list(of_glowplug(*installed, require=[name]).versions) == ["acme-ml", "glowplug-tqdm"]


def test_the_exact_name_comes_before_the_one_with_glowplug() -> None:
    plugins = of_glowplug("tqdm", "glowplug-tqdm", disable=["tqdm"])
    assert list(plugins.versions) == ["glowplug-tqdm"]


def test_a_leading_glowplug_may_not_be_added() -> None:
    with pytest.warns(PluginWarning, match=r"names 'glowplug-acme', and no such plugin"):
        plugins = of_glowplug("acme", disable=["glowplug-acme"])
    assert list(plugins.versions) == ["acme"]


@pytest.mark.parametrize("switch", ["only", "disable"])
def test_a_name_that_matches_nothing_warns_with_the_near_name(manager: Make, switch: str) -> None:
    said = (
        rf"argument '{switch}' names 'nan-stpo', and no such plugin is installed; "
        r"did you mean 'nan-stop'\?"
    )
    with pytest.warns(PluginWarning, match=said) as caught:
        plugins = manager("nan-stop", **{switch: ["nan-stpo"]})
    assert len(caught) == len(plugins.unmatched) == 1


@pytest.mark.parametrize("variable", ["GLOWPLUG_PLUGINS", "GLOWPLUG_DISABLE_PLUGINS"])
def test_a_name_in_the_environment_that_matches_nothing_warns_with_the_variable(
    manager: Make, monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    monkeypatch.setenv(variable, "nan-stop,nan-stpo")
    with pytest.warns(PluginWarning, match=rf"^{variable} names 'nan-stpo', and no such"):
        manager("nan-stop")


@pytest.mark.parametrize("only", [None, []])
def test_only_in_code_stands_in_for_the_environment_and_disable_adds_to_it(
    manager: Make, monkeypatch: pytest.MonkeyPatch, only: list[str] | None
) -> None:
    monkeypatch.setenv("GLOWPLUG_PLUGINS", "nan-stop,acme-timer")
    monkeypatch.setenv("GLOWPLUG_DISABLE_PLUGINS", "acme-timer")
    plugins = manager("acme-timer", "nan-stop", "umbrella-timer", only=only)
    assert list(plugins.versions) == (["nan-stop"] if only is None else [])
    everything = manager("acme-timer", "umbrella-timer", only=["acme-timer", "umbrella-timer"])
    assert list(everything.versions) == ["umbrella-timer"]


def test_a_required_plugin_that_is_not_installed_is_missing(manager: Make) -> None:
    with pytest.raises(
        MissingPlugin, match=r"'nan-stpo' is not installed; did you mean 'nan-stop'\?"
    ) as caught:
        manager("nan-stop", require=["nan-stop", "nan-stpo"])
    assert caught.value.plugin == "nan-stpo"


def test_a_required_plugin_that_is_switched_off_is_missing_too(
    manager: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GLOWPLUG_DISABLE_PLUGINS", "nan-stop")
    with pytest.raises(
        MissingPlugin, match="'nan-stop' is switched off by GLOWPLUG_DISABLE_PLUGINS"
    ):
        manager("nan-stop", require=["nan-stop"])


def test_every_missing_plugin_is_named_at_once(manager: Make) -> None:
    with pytest.raises(MissingPlugin, match=r"'one' is not installed.*; 'two' is not installed"):
        manager("nan-stop", require=["one", "two"])


@pytest.mark.parametrize("switch", ["only", "disable", "require"])
@pytest.mark.parametrize("value", ["nan-stop", [3]])
def test_a_switch_wants_several_names(switch: str, value: Any) -> None:
    with pytest.raises(InvalidType, match=f"as {switch}="):
        of_glowplug("nan-stop", **{switch: value})


def test_strict_in_the_environment_wants_yes_or_no(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GLOWPLUG_STRICT", "perhaps")
    with pytest.raises(InvalidArgument, match="expected 1 or 0 as GLOWPLUG_STRICT; got 'perhaps'"):
        of_glowplug()


def test_what_the_switches_raise_is_caught_as_glowplugs_and_as_the_builtin() -> None:
    with pytest.raises(LookupError, match="required plugins are missing") as caught:
        of_glowplug(require=["acme"])
    assert isinstance(caught.value, GlowplugError)
