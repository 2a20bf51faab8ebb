"""What ``glowplug plugins list`` says.

Owns: its text, its JSON, and what its switches do to them.
Must not know: how plugins are found, or what they do.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import sysconfig
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from glowplug import cli

Run = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def alone(tmp_path: Path) -> dict[str, str]:
    """The environment of a Python, run with -S, that can import the core and sees no plugin."""
    for package in Path(sysconfig.get_path("purelib")).iterdir():
        if package.suffix not in (".dist-info", ".pth") and "glowplug" not in package.name:
            (tmp_path / package.name).symlink_to(package)
    source = Path(cli.__file__).parent
    (tmp_path / source.name).symlink_to(source)
    kept = {key: value for key, value in os.environ.items() if "GLOWPLUG" not in key}
    return {**kept, "PYTHONPATH": str(tmp_path)}


def entry(document: str, name: str) -> dict[str, Any]:
    """Return one plugin of a JSON list."""
    (found,) = [plugin for plugin in json.loads(document)["plugins"] if plugin["name"] == name]
    assert isinstance(found, dict)
    return found


def test_the_list_shows_each_plugin_with_its_version_and_its_components(glowplug: Run) -> None:
    done = glowplug("plugins list", "nan-stop", "acme-hooks")
    assert (done.returncode, done.stderr) == (0, "")
    assert "nan-stop 0.1.0\n  handler    nan-stop\n" in done.stdout
    assert "acme-hooks 2.0\n  hooks      acme_hooks\n" in done.stdout


def test_an_empty_list_says_how_to_come_by_a_plugin(alone: dict[str, str]) -> None:
    command = (sys.executable, "-S", "-m", "glowplug", "plugins", "list")
    done = subprocess.run(command, env=alone, capture_output=True, text=True, check=True)
    assert "No plugin is installed" in done.stdout
    assert "pip install glowplug-" in done.stdout


def test_the_list_for_programs_keeps_its_keys(glowplug: Run) -> None:
    done = glowplug("plugins list --json", "nan-stop")
    document = json.loads(done.stdout)
    assert {"format", "plugins", "leftovers"} <= set(document)
    assert document["format"] == 1
    found = entry(done.stdout, "nan-stop")
    assert found.pop("location").endswith("nan-stop")
    assert found == {
        "name": "nan-stop",
        "version": "0.1.0",
        "summary": "Ends a run whose output is not a number",
        "state": "active",
        "reason": "",
        "hooks": [],
        "notes": [],
        "components": [
            {
                "kind": "handler",
                "name": "nan-stop",
                "qualified": "nan-stop:nan-stop",
                "target": "nan_stop:NanStop",
            }
        ],
    }


def test_the_list_of_one_kind_leaves_out_other_components_and_plugins(glowplug: Run) -> None:
    done = glowplug("plugins list --kind metrics", "nan-stop", "acme-kinds")
    assert "acme-kinds 0.1.0\n  metric     mean\n" in done.stdout
    assert "nan-stop" not in done.stdout
    assert "acme-trainer" not in done.stdout


def test_a_kind_that_there_is_not_is_misuse_and_the_near_one_is_named(glowplug: Run) -> None:
    done = glowplug("plugins list --kind comand")
    assert done.returncode == 2
    assert "did you mean 'command'?" in done.stderr


def test_a_disabled_plugin_is_listed_as_off_with_the_reason(glowplug: Run) -> None:
    done = glowplug("plugins list --disable nan-stop", "nan-stop", "acme-kinds")
    assert "nan-stop 0.1.0 (off: the argument 'disable')\n" in done.stdout
    assert "acme-kinds 0.1.0\n" in done.stdout


def test_a_plugin_that_the_environment_switches_off_names_the_variable(glowplug: Run) -> None:
    done = glowplug("plugins list --json", "nan-stop", GLOWPLUG_DISABLE_PLUGINS="nan-stop")
    found = entry(done.stdout, "nan-stop")
    assert (found["state"], found["reason"]) == ("off", "GLOWPLUG_DISABLE_PLUGINS")


def test_all_plugins_are_off_but_those_that_only_names(glowplug: Run) -> None:
    done = glowplug("plugins list --json --only nan-stop", "nan-stop", "acme-kinds")
    states = {plugin["name"]: plugin["state"] for plugin in json.loads(done.stdout)["plugins"]}
    assert states.pop("nan-stop") == "active"
    assert set(states.values()) == {"off"}


def test_an_empty_only_switches_everything_off(glowplug: Run) -> None:
    done = glowplug("plugins list --json --only=", "nan-stop", "acme-kinds")
    assert {plugin["state"] for plugin in json.loads(done.stdout)["plugins"]} == {"off"}


@pytest.mark.parametrize("switch", ["--only", "--disable"])
def test_switches_before_and_after_the_command_add_up(glowplug: Run, switch: str) -> None:
    names = ("nan-stop", "acme-kinds", "acme-timer")
    done = glowplug(f"{switch} nan-stop plugins list --json {switch} acme-kinds", *names)
    found = [entry(done.stdout, name)["state"] for name in names]
    named, other = ("active", "off") if switch == "--only" else ("off", "active")
    assert found == [named, named, other]


def test_strictness_before_the_command_holds_for_it(glowplug: Run) -> None:
    done = glowplug("--strict plugins list", "broken-malformed")
    assert (done.returncode, done.stdout) == (1, "")
    assert "plugin broken-malformed 0.1.0 is broken: " in done.stderr


def test_a_name_that_the_outputs_encoding_lacks_is_escaped(glowplug: Run, tmp_path: Path) -> None:
    folder = tmp_path / "acme-1.0.dist-info"
    folder.mkdir()
    (folder / "METADATA").write_text("Name: acme\nVersion: 1.0\n", "utf-8")
    (folder / "entry_points.txt").write_text("[glowplug.handlers]\nüber = acme:Über\n", "utf-8")
    path = os.pathsep.join([str(tmp_path), str(Path(cli.__file__).parents[1])])
    done = glowplug("plugins list", PYTHONIOENCODING="ascii", PYTHONPATH=path)
    assert (done.returncode, done.stderr) == (0, "")
    assert "acme 1.0\n  handler    \\xfcber\n" in done.stdout


def test_a_switch_that_matches_no_plugin_says_so_beside_the_list(glowplug: Run) -> None:
    done = glowplug("plugins list --only nan-stp", "nan-stop")
    assert done.returncode == 0
    assert "'nan-stp'" in done.stderr
    assert "did you mean 'nan-stop'?" in done.stderr
    assert "Warning" not in done.stderr


def test_a_broken_plugin_is_listed_with_the_reason_beside_the_good_ones(glowplug: Run) -> None:
    done = glowplug("plugins list", "broken-malformed", "nan-stop")
    assert (done.returncode, done.stderr) == (0, "")
    assert "broken-malformed 0.1.0 (broken: its entry points cannot be read: " in done.stdout
    assert "nan-stop 0.1.0\n" in done.stdout


def test_a_strict_list_fails_in_one_line_where_a_plugin_is_broken(glowplug: Run) -> None:
    done = glowplug("plugins list --strict", "broken-malformed", "nan-stop")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("glowplug: plugin broken-malformed 0.1.0 is broken: ")
    assert done.stderr.count("\n") == 1


def test_what_an_interrupted_pip_left_behind_is_shown_as_ignored(glowplug: Run) -> None:
    done = glowplug("plugins list", "broken-leftover")
    assert "ignored: " in done.stdout
    assert "~roken_leftover-0.1.0.dist-info (left by an interrupted pip)" in done.stdout


def test_a_shadowed_twin_is_noted_at_the_one_that_is_used(glowplug: Run) -> None:
    done = glowplug("plugins list --json", "broken-twin-2", "broken-twin-1")
    found = entry(done.stdout, "broken-twin")
    (note,) = found["notes"]
    assert found["version"] == "2.0"
    assert note.startswith("shadows 1.0 at ")


def test_listing_imports_neither_a_plugin_nor_torch(python: Callable[..., str]) -> None:
    code = (
        "import sys; from glowplug.cli import main;"
        " codes = [main(['plugins', 'list', *more]) for more in ([], ['--json'])];"
        " unwanted = {'torch', 'nan_stop', 'acme_hooks', 'broken_crash'};"
        " print(codes, sorted(unwanted & {*sys.modules}))"
    )
    output = python(code, "nan-stop", "acme-hooks", "broken-crash")
    assert output.splitlines()[-1] == "[0, 0] []"
