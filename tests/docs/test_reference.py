"""What the pages say of variables, groups, hooks, commands and keys, held against the code.

Owns: that none is missing from its page of reference, and that no page names one that is not there.
Must not know: how the pages are built; public names are another file's.
"""

from __future__ import annotations

import importlib.util
import inspect
import json
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest

import glowplug
from glowplug import Engine, Events, Kind, PluginManager, hookspecs
from glowplug.cli import COMMANDS
from glowplug.plugin_commands import ACTIONS
from glowplug.plugins import ATTACHABLE

ROOT = Path(__file__).resolve().parents[2]
REFERENCE = ROOT / "docs" / "reference"
PAGES = [ROOT / "README.md", *ROOT.glob("docs/**/*.md"), *ROOT.glob("plugins/*/README.md")]
VARIABLE = re.compile(r"\bGLOWPLUG_[A-Z_]+\b")
HOOKS = [name for name in vars(hookspecs) if name.startswith("glowplug_")]


def variables(paths: Iterable[Path]) -> set[str]:
    """Return the environment variables that some files name."""
    return {name for path in paths for name in VARIABLE.findall(path.read_text("utf-8"))}


def sources() -> Iterator[Path]:
    """Yield the modules of the core and of the plugins."""
    yield from Path(str(glowplug.__file__)).parent.rglob("*.py")
    yield from ROOT.glob("plugins/*/src/**/*.py")


def rows(page: str, section: str = "") -> list[list[str]]:
    """Return the cells of all tables of a page of reference, or of one of its sections."""
    text = (REFERENCE / page).read_text("utf-8")
    if section:
        text = text.partition(f"\n## {section}\n")[2].partition("\n## ")[0]
    lines = text.splitlines()
    return [re.split(r" *(?<!\\)\| *", line.strip("| ")) for line in lines if line.startswith("|")]


@pytest.fixture(scope="module")
def tables() -> Any:
    """The script that writes the tables of the pages."""
    spec = importlib.util.spec_from_file_location("tables", ROOT / "docs" / "tables.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_tables_of_components_and_commands_are_current(tables: Any) -> None:
    pages = [path.relative_to(ROOT) for path in tables.stale()]
    assert pages == [], "run `python docs/tables.py`"


def test_a_plugin_that_is_added_has_its_rows_without_being_installed(
    tables: Any, tmp_path: Path
) -> None:
    source = tmp_path / "plugins" / "acme-nan" / "src" / "acme_nan"
    source.mkdir(parents=True)
    project = '[project]\nname = "acme-nan"\ndescription = "Stops"\n[project.entry-points]\n'
    groups = 'glowplug.hooks = "acme_nan.hooks"\n"glowplug.handlers".nan = "acme_nan:Nan"\n'
    (source.parents[1] / "pyproject.toml").write_text(project + groups, "utf-8")
    (source / "__init__.py").write_text("from acme_nan.stop import NanStop as Nan\n", "utf-8")
    (source / "hooks.py").write_text('"""Hooks."""\nimport nothing_of_this_name\n', "utf-8")
    (source / "stop.py").write_text('class NanStop:\n    """Stops at ``nan``."""\n', "utf-8")
    (package,) = tables.plugins(tmp_path)
    assert (package.name, package.description) == ("acme-nan", "Stops")
    assert package.offers == (
        ("hooks", "hook plugin", "Hooks"),
        ("nan", "handler", "Stops at `nan`"),
    )


def test_every_command_has_its_row() -> None:
    listed = {row[0].strip("`") for row in rows("command-line.md")}
    nested = {f"glowplug plugins {action}" for action in ACTIONS}
    assert {f"glowplug {command}" for command in COMMANDS} | nested <= listed


def test_no_page_names_an_option_that_its_command_does_not_have(tables: Any) -> None:
    known = {
        " ".join(command.words): set(re.findall(r"--[a-z-]+", str(command.arguments)))
        for command in tables.commands()
    }
    names = "|".join(sorted(filter(None, known), key=len, reverse=True))
    written = re.compile(rf"\bglowplug ({names})\b([^\n`|]*)")
    wrong = [
        (path.name, command, option)
        for path in PAGES
        for command, rest in written.findall(path.read_text("utf-8"))
        for option in re.findall(r"--[a-z-]+", rest)
        if option not in known[command]
    ]
    assert wrong == []


def test_the_page_of_variables_has_those_that_are_read_and_no_others() -> None:
    listed = [row[0].strip("`") for row in rows("environment-variables.md")[2:]]
    assert sorted(listed) == sorted(variables(sources()))


def test_the_options_beside_the_variables_are_those_of_the_command(tables: Any) -> None:
    (top, *_) = tables.commands()
    switches = [name.split()[0] for name, _ in top.arguments["which plugins"]]
    assert [row[-1].strip("`") for row in rows("environment-variables.md")[2:]] == switches


def test_the_arguments_beside_the_variables_are_those_of_the_manager() -> None:
    said = " ".join(row[3] for row in rows("environment-variables.md")[2:])
    parameters = inspect.signature(PluginManager).parameters
    named = re.findall(r"PluginManager\((\w+)=", said)
    assert len(named) == 3
    assert set(named) <= set(parameters)


def test_no_page_names_a_variable_that_nothing_reads() -> None:
    assert variables(PAGES) - variables(sources()) == set()


def test_the_table_of_kinds_has_each_with_its_entry_point_group() -> None:
    table = rows("components.md")
    end = next(i for i, row in enumerate(table) if row[0] == "plugin")
    listed = [(row[0], row[1].strip("`")) for row in table[2:end]]
    assert listed == [(kind.value, kind.group) for kind in Kind]
    by_name = [row[0] for row in table[2:end] if "handlers=" in row[2]]
    assert by_name == [kind.value for kind in ATTACHABLE]


def test_the_group_of_hook_plugins_is_on_the_page_of_hooks() -> None:
    page = (REFERENCE / "hooks.md").read_text("utf-8")
    assert "`glowplug`" in page
    assert "[project.entry-points.glowplug]" in page


def test_the_table_of_hooks_has_each_with_its_exact_signature() -> None:
    signatures = [f"{h}{inspect.signature(getattr(hookspecs, h))}".replace("'", "") for h in HOOKS]
    assert [row[0].strip("`") for row in rows("hooks.md")[2:]] == signatures


def test_the_page_of_descriptions_has_every_key_of_its_json() -> None:
    engine: Engine[Any, Any] = Engine(lambda engine, batch: batch, plugins=PluginManager(only=[]))
    engine.add_event_handler(Events.COMPLETED, lambda: None)
    described = json.loads(engine.describe().to_json())
    timing = set(described["run"])
    handler = set(described["events"][0]["handlers"][0])
    table = rows("insight.md", "A description")
    page = {row[0].strip("`"): set(re.findall(r"`(\w+)`", row[1])) for row in table}
    assert set(described) | {"events[].handlers[]"} == set(page) - {"key", "---"}
    assert page["events[].handlers[]"] == handler - timing
    text = (REFERENCE / "insight.md").read_text("utf-8")
    assert [key for key in timing if f"`{key}`" not in text] == []
