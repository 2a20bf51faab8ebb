"""What a plugin manager does for the engines that are made with it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from glowplug import Engine, Events, PluginManager
from glowplug.errors import UnknownComponent
from glowplug.manifest import Manifest, Scan

Make = Callable[..., PluginManager]


def echo(engine: Any, batch: Any) -> Any:
    return batch


def by_hand(modules: dict[str, str], monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> Scan:
    """Return a scan of hook plugins, each a module of this source."""
    monkeypatch.syspath_prepend(str(tmp_path))
    for name, source in modules.items():
        (tmp_path / f"{name}.py").write_text(source)
    return Scan(tuple(Manifest(name, "1.0", hooks=(name,)) for name in sorted(modules)))


def test_a_handler_package_that_imports_nothing_of_glowplug_is_attached_by_its_name(
    manager: Make,
) -> None:
    engine = Engine(echo, handlers=["nan-stop"], plugins=manager("nan-stop"))
    engine.run([1.0, float("nan"), 3.0])
    assert engine.should_terminate
    assert engine.state.iteration == 2


def test_an_unknown_name_attaches_nothing_of_what_stands_before_it(manager: Make) -> None:
    attached: list[Any] = []

    class Noting:
        def attach(self, engine: Any) -> None:
            attached.append(engine)

    with pytest.raises(UnknownComponent, match="'nan-stopp'; did you mean 'nan-stop'"):
        Engine(echo, handlers=[Noting, "nan-stopp"], plugins=manager("nan-stop"))
    assert attached == []


def test_two_engines_with_managers_of_their_own_do_not_share_plugins(manager: Make) -> None:
    both = manager("acme-hooks", "nan-stop")
    one = Engine(echo, plugins=both)
    other = Engine(echo, plugins=manager("acme-hooks", "nan-stop", disable=["acme-hooks"]))
    assert one.listens(Events.COMPLETED)
    assert not other.listens(Events.COMPLETED)


def test_an_engine_keeps_a_snapshot_of_names_and_versions(manager: Make) -> None:
    engine = Engine(echo, plugins=manager("acme-hooks", "nan-stop"))
    assert dict(engine.plugins) == {"acme-hooks": "2.0", "nan-stop": "0.1.0"}
    with pytest.raises(TypeError, match="does not support item assignment"):
        engine.plugins["nan-stop"] = "2.0"  # type: ignore[index]  # that is what is tested


def test_hook_plugins_are_imported_when_the_first_engine_is_made_and_not_before(
    python: Callable[..., str],
) -> None:
    told = python(
        "import sys; from glowplug import Engine, default_manager\n"
        "default_manager(); print('acme_hooks' in sys.modules)\n"
        "Engine(lambda engine, batch: batch); print('acme_hooks' in sys.modules)",
        "acme-hooks",
    )
    assert told.split() == ["False", "True"]


HOOK = """
from glowplug import hookimpl
seen = []
@hookimpl
def glowplug_engine_created(engine):
    seen.append(engine)
    engine.state.hooked = [*getattr(engine.state, "hooked", []), __name__]
"""


def test_hooks_are_called_once_for_each_engine_in_the_order_of_their_plugins_names(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    scan = by_hand({"zeta_hook": HOOK, "alpha_hook": HOOK}, monkeypatch, tmp_path)
    plugins = PluginManager(scan=scan)
    engines = [Engine(echo, plugins=plugins) for _ in range(2)]
    assert [engine.state.hooked for engine in engines] == [["alpha_hook", "zeta_hook"]] * 2


RECURSIVE = """
import glowplug
from glowplug import hookimpl
made = []
manager = None
@hookimpl
def glowplug_engine_created(engine):
    made.append(engine)
    made.append(glowplug.Engine(lambda engine, batch: batch, plugins=manager))
"""


def test_an_engine_that_a_hook_makes_for_itself_does_not_call_that_hook_again(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    plugins = PluginManager(scan=by_hand({"recursive_hook": RECURSIVE}, monkeypatch, tmp_path))
    plugins.load_hooks()
    import recursive_hook  # type: ignore[import-not-found]  # written above

    recursive_hook.manager = plugins
    Engine(echo, plugins=plugins)
    assert len(recursive_hook.made) == 2


def test_what_a_hook_attached_is_owned_by_its_plugin_and_named_in_the_note(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    source = (
        "from glowplug import hookimpl\n"
        "def fail():\n    raise KeyError('broken')\n"
        "@hookimpl\ndef glowplug_engine_created(engine):\n"
        "    engine.add_event_handler('STARTED', fail)\n"
    )
    scan = by_hand({"failing_hook": source}, monkeypatch, tmp_path)
    engine = Engine(echo, plugins=PluginManager(scan=scan))
    with pytest.raises(KeyError, match="broken"):
        engine.run([1])
    (owner,) = {r.origin.owner for slot in engine._table.slots.values() for r in slot.registrations}
    assert owner == "failing_hook"


def test_the_plugin_of_a_module_is_found_without_importing_it(
    manager: Make, python: Callable[..., str]
) -> None:
    assert manager("nan-stop").owner_of("nan_stop") == ("nan-stop", "0.1.0")
    told = python(
        "import sys; from glowplug import default_manager\n"
        "print(default_manager().owner_of('nan_stop'), 'nan_stop' in sys.modules)",
        "nan-stop",
    )
    assert told.strip() == "('nan-stop', '0.1.0') False"


def test_a_module_of_no_plugin_has_no_owner(manager: Make) -> None:
    assert manager("nan-stop").owner_of("json") is None
