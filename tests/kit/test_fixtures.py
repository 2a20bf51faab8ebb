"""The isolated manager, and plugins that are laid down."""

from __future__ import annotations

import importlib
import importlib.metadata
import os
import sys
from collections.abc import Callable
from typing import Any

import pytest

from glowplug import Engine, PluginManager, component, default_manager, manifest, plugins
from glowplug.errors import InvalidArgument, InvalidType, PluginError
from glowplug.switches import DISABLE, ONLY, STRICT
from glowplug.testing import ManagerMaker, PluginMaker

HANDLERS = {"glowplug.handlers": {"nan-stop": "acme_nan:NanStop"}}


class NanStop:
    """A handler whose source is taken from here."""

    def attach(self, engine: Engine[Any, Any]) -> Any:
        return engine.add_event_handler("ITERATION_COMPLETED", self.check)

    def check(self, engine: Engine[Any, Any]) -> None:
        if math.isnan(engine.state.output):  # type: ignore[name-defined]  # noqa: F821  # where it is laid down
            engine.terminate()


IMPORTS = "from __future__ import annotations\nimport math\nfrom typing import Any"
SOURCE: list[Any] = [IMPORTS, "from glowplug import Engine", NanStop]


def test_without_a_plugin_laid_down_a_manager_sees_none(plugin_manager: ManagerMaker) -> None:
    assert plugin_manager().plugins == default_manager().plugins == ()


def test_a_plugin_that_was_laid_down_is_found_by_every_manager(
    plugin_manager: ManagerMaker, make_plugin: PluginMaker
) -> None:
    make_plugin("acme-nan", "1.2", modules={"acme_nan": SOURCE}, entry_points=HANDLERS)
    for manager in (plugin_manager(), default_manager(), PluginManager()):
        assert dict(manager.versions) == {"acme-nan": "1.2"}


def test_its_components_serve_by_name_as_installed_ones_do(make_plugin: PluginMaker) -> None:
    make_plugin("acme-nan", modules={"acme_nan": SOURCE}, entry_points=HANDLERS)
    assert component("handler", "nan-stop").__module__ == "acme_nan"
    engine: Engine[float, float] = Engine(lambda engine, batch: batch, handlers=["nan-stop"])
    assert engine.run([1.0, float("nan"), 2.0]).iteration == 2


def test_a_hook_plugin_that_was_laid_down_acts(make_plugin: PluginMaker) -> None:
    hooks = "import glowplug\n@glowplug.hookimpl\ndef glowplug_engine_created(engine):\n"
    modules = {"acme_hooks": f"{hooks}    engine.state.seen = True\n"}
    make_plugin("acme-hooks", modules=modules, entry_points={"glowplug": {"hooks": "acme_hooks"}})
    engine: Engine[Any, Any] = Engine(lambda engine, batch: batch)
    assert engine.state.seen
    assert dict(engine.plugins) == {"acme-hooks": "1.0"}


def test_the_metadata_is_what_an_installer_leaves(make_plugin: PluginMaker) -> None:
    laid = make_plugin(
        "Acme.Nan",
        "1.2",
        modules={"acme_nan": SOURCE, "acme_more.inner": "LIMIT = 3"},
        entry_points=HANDLERS,
        requires=["pluggy>=1.5"],
        summary="Ends a run",
    )
    (found,) = importlib.metadata.distributions(name="acme-nan", path=[str(laid.path)])
    assert (found.version, found.requires) == ("1.2", ["pluggy>=1.5"])
    assert [(e.group, e.name) for e in found.entry_points] == [("glowplug.handlers", "nan-stop")]
    files = {str(file): file for file in found.files or ()}
    assert {"acme_nan.py", "acme_more/__init__.py", "acme_more/inner.py"} < set(files)
    assert all(file.locate().exists() for file in files.values())  # type: ignore[attr-defined]  # a path
    assert files["acme_more/inner.py"].size == len("LIMIT = 3\n")


def test_its_own_manager_lets_what_is_broken_raise(make_plugin: PluginMaker) -> None:
    entry_points = {"glowplug.handlers": {"nan-stop": "no target"}}
    laid = make_plugin("acme-nan", modules={}, entry_points=entry_points)
    with pytest.raises(PluginError, match="its entry points cannot be read"):
        laid.manager()


def test_its_own_manager_can_switch_it_off(make_plugin: PluginMaker) -> None:
    laid = make_plugin("acme-nan", modules={"acme_nan": SOURCE}, entry_points=HANDLERS)
    assert laid.manager().plugin("acme-nan").active
    assert not laid.manager(disable=["acme-nan"]).plugin("acme-nan").active


def test_variables_of_the_environment_do_not_count(
    monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    monkeypatch.setenv(ONLY, "")
    monkeypatch.setenv(DISABLE, "acme-nan")
    monkeypatch.setenv(STRICT, "perhaps")
    make_plugin = request.getfixturevalue("make_plugin")
    make_plugin("acme-nan", modules={"acme_nan": SOURCE}, entry_points=HANDLERS)
    assert request.getfixturevalue("plugin_manager")().plugin("acme-nan").active
    assert ONLY not in os.environ


TEST = """
    import os, sys
    from glowplug import default_manager, manifest, plugins

    def test_that_uses_all_of_it(make_plugin):
        os.environ["GLOWPLUG_STRICT"] = "1"
        modules = {"acme_x": "", "acme_y.z": ""}
        make_plugin("acme-x", modules=modules, entry_points={"glowplug": {"x": "acme_x"}})
        import acme_x, acme_y.z, wave
        sys.path.append("/nowhere")
        sys.modules["acme_other"] = sys
        assert default_manager().plugins

    def test_after_it():
        assert not [name for name in sys.modules if name in ("acme_x", "acme_y", "acme_y.z")]
        assert "wave" in sys.modules
        assert "/nowhere" not in sys.path
        assert not [entry for entry in sys.path if "plugins0" in entry]
        assert "GLOWPLUG_STRICT" not in os.environ
        assert os.environ["GLOWPLUG_PLUGINS"] == "acme-before"
        assert plugins._default is None and manifest._installed is None
"""


def test_everything_is_put_back_when_the_test_is_over(
    judge: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(ONLY, "acme-before")
    plugins.rescan()
    assert judge(TEST).of("passed") == ["that_uses_all_of_it", "after_it"]


def test_a_scan_and_a_manager_that_were_there_are_there_again(judge: Callable[..., Any]) -> None:
    manager, scan = default_manager(), manifest.installed()
    uses = "def test_it(make_plugin): make_plugin('acme-x', modules={'acme_x': ''})"
    assert judge(uses).of("passed") == ["it"]
    assert default_manager() is manager
    assert manifest.installed() is scan


def test_a_module_that_is_imported_already_is_not_laid_down(make_plugin: PluginMaker) -> None:
    with pytest.raises(InvalidArgument, match="a module 'glowplug' is imported already"):
        make_plugin("acme-nan", modules={"glowplug.more": ""})


def test_two_plugins_do_not_write_the_same_file(make_plugin: PluginMaker) -> None:
    make_plugin("acme-two", modules={"acme_two": ""})
    with pytest.raises(InvalidArgument, match=r"another plugin has laid down acme_two\.py"):
        make_plugin("acme-three", modules={"acme_two": ""})


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("-acme",), "expected a distribution's name such as 'acme-nan'; got '-acme'"),
        (("acme", "one"), "expected a version such as '1.0'; got 'one'"),
    ],
)
def test_what_no_installer_would_take_is_refused(
    arguments: tuple[str, ...], said: str, make_plugin: PluginMaker
) -> None:
    with pytest.raises(InvalidArgument, match=said):
        make_plugin(*arguments)


def test_a_name_that_no_module_can_have_is_refused(make_plugin: PluginMaker) -> None:
    with pytest.raises(
        InvalidArgument, match=r"a module's name such as 'acme.nan'; got 'acme-nan'"
    ):
        make_plugin("acme", modules={"acme-nan": ""})


def test_a_source_that_is_none_is_refused(make_plugin: PluginMaker) -> None:
    with pytest.raises(InvalidType, match="as text or as a class or function that a file defines"):
        make_plugin("acme", modules={"acme": 3})  # type: ignore[dict-item]  # on purpose


def test_a_package_may_be_imported_from_where_it_lies(make_plugin: PluginMaker) -> None:
    laid = make_plugin("acme", modules={"acme_tree": "ROOT = 1", "acme_tree.leaf": "LEAF = 2"})
    leaf = importlib.import_module("acme_tree.leaf")
    assert (sys.modules["acme_tree"].ROOT, leaf.LEAF) == (1, 2)
    assert str(laid.path) in str(leaf.__file__)
