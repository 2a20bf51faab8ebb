"""What a component's name means, and what is said where it means nothing.

Owns: bare and qualified names, kinds, near names, and the names that stay glowplug's own.
Must not know: hooks, or what an engine does with a component.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import pytest

import glowplug
from glowplug import Component, Kind
from glowplug.errors import (
    InvalidArgument,
    InvalidType,
    MissingPlugin,
    PluginError,
    UnknownComponent,
)
from glowplug.manifest import Manifest, Scan
from glowplug.plugins import PluginManager

Make = Callable[..., PluginManager]


def offering(**plugins: list[Component]) -> PluginManager:
    """Return a manager of plugins that are installed in name only, and offer some components."""
    manifests = (
        Manifest(name.replace("_", "-"), "1.0", components=tuple(components))
        for name, components in sorted(plugins.items())
    )
    return PluginManager(scan=Scan(tuple(manifests)))


@pytest.mark.parametrize("name", ["nan-stop", "nan-stop:nan-stop", "Nan_Stop:nan-stop"])
def test_a_component_has_a_bare_and_a_qualified_name(manager: Make, name: str) -> None:
    plugins = manager("nan-stop")
    offer = plugins.find(name)
    assert (offer.plugin, offer.version, offer.qualified) == (
        "nan-stop",
        "0.1.0",
        "nan-stop:nan-stop",
    )
    assert "nan_stop" not in sys.modules
    assert plugins.component("handler", name).__name__ == "NanStop"


def test_glowplug_may_be_left_off_a_qualified_name() -> None:
    plugins = offering(glowplug_acme=[Component(Kind.METRIC, "mean", "statistics:fmean")])
    for name in ("mean", "acme:mean", "glowplug-acme:mean"):
        assert plugins.component("metric", name)([1, 2]) == 1.5


def test_an_unknown_name_is_told_with_the_near_one_and_its_plugin() -> None:
    plugins = offering(acme_ml=[Component(Kind.HANDLER, "early-stopping", "acme:Stop")])
    said = r"^no handler 'early-stoping'; did you mean 'early-stopping' \(acme-ml 1\.0\)\?$"
    with pytest.raises(UnknownComponent, match=said) as caught:
        plugins.component("handler", "early-stoping")
    assert caught.value.name == "early-stoping"


def test_a_name_near_one_of_glowplugs_own_that_is_not_installed_says_so(manager: Make) -> None:
    with pytest.raises(
        UnknownComponent, match=r"did you mean 'progress-bar' \(glowplug-tqdm, not installed\)\?"
    ):
        manager("nan-stop").component("logger", "progres-bar")


def test_a_name_near_to_nothing_says_where_to_look(manager: Make) -> None:
    with pytest.raises(UnknownComponent, match=r"no handler 'zzz'; `glowplug plugins list` shows"):
        manager("nan-stop").component("handler", "zzz")


def test_a_name_of_another_kind_says_which_kind_it_is(manager: Make) -> None:
    plugins = manager("nan-stop", "acme-kinds")
    with pytest.raises(
        UnknownComponent, match=r"no metric 'nan-stop': nan-stop 0\.1\.0 offers it as handler$"
    ):
        plugins.component("metric", "nan-stop")
    with pytest.raises(
        UnknownComponent, match=r"no handler, logger or scheduler 'mean'.*offers it as metric$"
    ):
        plugins.resolve_handler("mean")


def test_one_name_may_stand_for_things_of_different_kinds() -> None:
    plugins = offering(
        acme=[
            Component(Kind.METRIC, "mean", "statistics:fmean"),
            Component(Kind.TRAINER, "mean", "statistics:median"),
        ]
    )
    assert plugins.component("metric", "mean")([1, 1, 4]) == 2
    assert plugins.component("trainer", "mean")([1, 1, 4]) == 1


@pytest.mark.parametrize("kind", [Kind.HANDLER, "handler", "handlers"])
def test_a_kind_may_be_named_in_the_singular_and_the_plural(
    manager: Make, kind: Kind | str
) -> None:
    assert manager("nan-stop").component(kind, "nan-stop").__name__ == "NanStop"


def test_a_kind_that_there_is_not_is_told_with_the_near_one(manager: Make) -> None:
    with pytest.raises(InvalidArgument, match=r"got 'handlr'; did you mean 'handler'\?"):
        manager("nan-stop").component("handlr", "nan-stop")


def test_a_name_is_a_string(manager: Make) -> None:
    wrong: Any = 3
    with pytest.raises(InvalidType, match="expected the name of a component; got 3 of type int"):
        manager("nan-stop").component("handler", wrong)


def test_a_qualified_name_of_an_unknown_plugin_tells_the_near_one(manager: Make) -> None:
    with pytest.raises(
        MissingPlugin, match=r"no plugin 'nan-stpo' is installed; did you mean 'nan-stop'\?"
    ) as caught:
        manager("nan-stop").component("handler", "nan-stpo:nan-stop")
    assert caught.value.plugin == "nan-stpo"


def test_a_qualified_name_that_its_plugin_does_not_offer_tells_what_it_does(
    manager: Make,
) -> None:
    plugins = manager("nan-stop", "acme-timer")
    with pytest.raises(
        UnknownComponent, match=r"no handler 'nan-stpo' in plugin nan-stop; did you.*'nan-stop'"
    ):
        plugins.component("handler", "nan-stop:nan-stpo")
    with pytest.raises(UnknownComponent, match="no handler 'pacer' in plugin nan-stop"):
        plugins.component("handler", "nan-stop:pacer")


def test_a_plugin_that_offers_two_things_under_one_name_is_named() -> None:
    plugins = offering(
        acme=[Component(Kind.HANDLER, "x", "one:X"), Component(Kind.LOGGER, "x", "other:X")]
    )
    with pytest.raises(PluginError, match=r"acme 1\.0 offers 'x' more than once: .*one:X.*other:X"):
        plugins.resolve_handler("x")


def test_a_name_of_glowplugs_own_is_never_another_plugins(manager: Make) -> None:
    plugins = manager("broken-squatter")
    with pytest.raises(MissingPlugin, match="not installed: pip install glowplug-tqdm") as caught:
        plugins.component("logger", "progress-bar")
    assert caught.value.plugin == "glowplug-tqdm"
    assert "broken_squatter" not in sys.modules


def test_another_plugins_component_of_such_a_name_has_its_qualified_name(manager: Make) -> None:
    squatter = manager("broken-squatter").component("logger", "broken-squatter:progress-bar")
    assert squatter.__module__ == "broken_squatter"


def test_glowplugs_own_component_is_meant_where_both_are_installed() -> None:
    own = Component(Kind.LOGGER, "progress-bar", "statistics:fmean")
    other = Component(Kind.LOGGER, "progress-bar", "statistics:median")
    plugins = offering(acme=[other], glowplug_tqdm=[own])
    assert plugins.component("logger", "progress-bar")([1, 1, 4]) == 2
    assert plugins.component("logger", "acme:progress-bar")([1, 1, 4]) == 1


@pytest.mark.parametrize("name", ["tensorboard-logger", "tensorboard:tensorboard-logger"])
def test_a_component_of_glowplugs_own_that_is_not_installed_names_the_package(
    manager: Make, name: str
) -> None:
    with pytest.raises(MissingPlugin, match="pip install glowplug-tensorboard") as caught:
        manager("nan-stop").component("logger", name)
    assert caught.value.plugin == "glowplug-tensorboard"


@pytest.mark.parametrize("name", ["tqdm", "glowplug-tqdm", "glowplug_tqdm"])
def test_a_plugin_of_glowplugs_own_that_is_not_installed_names_the_package(
    manager: Make, name: str
) -> None:
    with pytest.raises(MissingPlugin, match="is installed: pip install glowplug-tqdm"):
        manager("nan-stop").plugin(name)


def test_what_a_hook_offers_at_run_time_is_found_without_an_engine(manager: Make) -> None:
    plugins = manager("acme-hooks", "nan-stop")
    assert [offer.component.name for offer in plugins.offers()] == ["nan-stop"]
    assert callable(plugins.component("metric", "made-at-run-time"))
    assert [offer.declared for offer in plugins.offers("metric")] == [False]


def test_a_name_that_an_entry_point_declares_imports_no_hook_plugin(manager: Make) -> None:
    manager("acme-hooks", "nan-stop").component("handler", "nan-stop")
    assert "acme_hooks" not in sys.modules


@pytest.mark.usefixtures("fresh_process")
def test_component_asks_the_processes_own_manager(installed: Callable[..., Scan]) -> None:
    installed("nan-stop")
    assert glowplug.component("handler", "nan-stop").__name__ == "NanStop"
    with pytest.raises(UnknownComponent, match="no handler 'nan-stpo'; did you mean 'nan-stop'"):
        glowplug.component("handler", "nan-stpo")


def test_offers_are_sorted_by_kind_name_and_plugin(manager: Make) -> None:
    plugins = manager("umbrella-timer", "nan-stop", "acme-kinds", "acme-timer")
    assert [offer.qualified for offer in plugins.offers()] == [
        "nan-stop:nan-stop",
        "acme-timer:pacer",
        "umbrella-timer:pacer",
        "acme-kinds:mean",
        "acme-kinds:acme-trainer",
        "acme-kinds:acme-events",
    ]
