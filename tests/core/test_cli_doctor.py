"""What ``glowplug doctor`` finds, says and returns.

Owns: the diagnosis of good and hostile packages that are really installed, its text, its JSON, its
    remedies and its exit codes.
Must not know: how plugins are probed, or how requirements are read.
"""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import glowplug
from glowplug import __version__

Run = Callable[..., "subprocess.CompletedProcess[str]"]

# Stands before the real torch, so that a diagnosis is the same on every machine, and quick.
TORCH = """
import sys
from importlib.metadata import entry_points
from types import SimpleNamespace
__version__ = "9.9+fake"
entry_points(group="torch.backends")
off = SimpleNamespace(is_available=lambda: False)
backends = SimpleNamespace(mps=off)
cuda = SimpleNamespace(
    is_available=lambda: True, device_count=lambda: 1, get_device_name=lambda i: "ACME 9000"
)
"""


@pytest.fixture(scope="session")
def torch(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a torch that sees one device."""
    folder = tmp_path_factory.mktemp("torch")
    (folder / "torch.py").write_text(TORCH, "utf-8")
    return folder


@pytest.fixture
def examine(torch: Path, environment: Callable[..., dict[str, str]]) -> Run:
    """A function that runs the doctor where some distributions and that torch are installed."""

    def run(
        arguments: str, *names: str, first: Path = torch, **more: str
    ) -> subprocess.CompletedProcess[str]:
        env = environment(*names, **more)
        env["PYTHONPATH"] = os.pathsep.join([str(first), env["PYTHONPATH"]])
        command = (sys.executable, "-m", "glowplug", *arguments.split())
        return subprocess.run(command, env=env, capture_output=True, text=True, check=False)

    return run


def remarks(done: subprocess.CompletedProcess[str], about: str) -> list[dict[str, Any]]:
    """Return what a diagnosis in JSON says about something."""
    return [each for each in json.loads(done.stdout)["remarks"] if about in each["about"]]


def entry(done: subprocess.CompletedProcess[str], name: str) -> dict[str, Any]:
    """Return one plugin of a diagnosis in JSON."""
    (found,) = [each for each in json.loads(done.stdout)["plugins"] if each["name"] == name]
    assert isinstance(found, dict)
    return found


def test_a_whole_installation_is_told_in_lines_and_nothing_is_to_be_mended(examine: Run) -> None:
    done = examine("doctor --only nan-stop", "nan-stop")
    rows = [line.split(maxsplit=1) for line in done.stdout.splitlines() if line]
    said = {label: value for label, value in rows if label not in ("plugin", "note:", "type:")}
    assert (done.returncode, done.stderr) == (0, "")
    assert said["python"] == f"CPython {platform.python_version()}  {sys.executable}"
    assert said["platform"] == platform.platform()
    assert said["glowplug"] == f"{__version__}  {Path(glowplug.__file__).parents[1]}"
    assert (said["torch"], said["device"]) == ("9.9+fake", "cuda:0  ACME 9000")
    assert "plugin     nan-stop 0.1.0 (active)\n" in done.stdout
    assert "error" not in done.stdout


def test_the_diagnosis_for_programs_keeps_its_keys(examine: Run) -> None:
    done = examine("doctor --json --only nan-stop", "nan-stop")
    document = json.loads(done.stdout)
    keys = "format ok python glowplug torch switches plugins remarks"
    assert list(document) == keys.split()
    assert (document["format"], document["ok"], done.returncode) == (1, True, 0)
    assert list(document["python"]) == ["implementation", "version", "executable", "platform"]
    assert document["switches"] == {"only": ["nan-stop"], "disable": {}, "strict": False}
    assert document["torch"] == {
        "installed": True,
        "version": "9.9+fake",
        "error": "",
        "traceback": "",
        "accelerators": [{"device": "cuda:0", "name": "ACME 9000"}],
    }
    found = entry(done, "nan-stop")
    assert found.pop("location").endswith("nan-stop")
    assert found == {
        "name": "nan-stop",
        "version": "0.1.0",
        "state": "active",
        "reason": "",
        "traceback": "",
        "asked_for": True,
        "unmet": [],
        "missing_extras": {},
    }


def test_neither_torch_nor_a_plugin_is_imported_by_the_doctor_itself(
    torch: Path, python: Callable[..., str]
) -> None:
    code = (
        f"import sys; sys.path.insert(0, {str(torch)!r}); from glowplug.cli import main;"
        " code = main(['doctor', '--only', 'nan-stop']);"
        " print(code, sorted({'torch', 'nan_stop'} & {*sys.modules}))"
    )
    assert python(code, "nan-stop").splitlines()[-1] == "0 []"


HOSTILE = {
    "broken-components": "expected an iterable of Component",
    "broken-crash": "its import: ended Python with code 9",
    "broken-groups": "did you mean 'glowplug.handlers'?",
    "broken-hook": "ValueError: the hook of broken-hook fails",
    "broken-import-error": "No module named 'a_module_that_nobody_has'",
    "broken-malformed": "its entry points cannot be read: ",
    "broken-no-hook": "implements no hook",
    "broken-system-exit": "SystemExit: this plugin wants Python to end",
    "broken-unknown-hook": "did you mean 'glowplug_engine_created'?",
    "broken-wrong-argument": "trainer",
}


@pytest.mark.parametrize(("name", "what"), HOSTILE.items())
def test_a_broken_plugin_that_was_asked_for_is_an_error_with_its_reason(
    examine: Run, name: str, what: str
) -> None:
    done = examine(f"doctor --json --only {name}", name)
    (found,) = remarks(done, f"plugin {name} 0.1.0")
    assert (done.returncode, found["severity"]) == (1, "error")
    assert what in found["what"]
    assert entry(done, name)["state"] == "broken"
    assert what in entry(done, name)["reason"]


def test_all_hostile_plugins_at_once_are_warnings_where_nobody_asked_for_them(
    examine: Run,
) -> None:
    done = examine("doctor --json", "nan-stop", *HOSTILE)
    found = {name: remarks(done, f"plugin {name} ") for name in HOSTILE}
    assert {name: [each["severity"] for each in said] for name, said in found.items()} == {
        name: ["warning"] for name in HOSTILE
    }
    assert (done.returncode, json.loads(done.stdout)["ok"]) == (0, True)
    assert entry(done, "nan-stop")["state"] == "active"
    assert found["broken-hook"][0]["mend"] == [
        "pip install --upgrade broken-hook",
        "export GLOWPLUG_DISABLE_PLUGINS=broken-hook",
    ]


@pytest.mark.parametrize("strict", [("--strict", {}), ("", {"GLOWPLUG_STRICT": "1"})])
def test_a_strict_doctor_fails_for_every_broken_plugin(
    examine: Run, strict: tuple[str, dict[str, str]]
) -> None:
    option, variable = strict
    done = examine(f"doctor --json {option}", "broken-hook", **variable)
    (found,) = remarks(done, "plugin broken-hook")
    assert (done.returncode, found["severity"]) == (1, "error")


def test_words_over_several_lines_are_told_in_one(examine: Run) -> None:
    done = examine("doctor --only broken-wrong-argument", "broken-wrong-argument")
    (line,) = [line for line in done.stdout.splitlines() if line.startswith("error: ")]
    assert line.endswith(
        "Argument(s) {'trainer'} are declared in the hookimpl but can not be found in the hookspec"
    )


def test_what_is_switched_off_is_not_imported(examine: Run) -> None:
    done = examine("doctor --json --strict --only nan-stop", "nan-stop", "broken-crash")
    assert (done.returncode, remarks(done, "broken-crash")) == (0, [])
    assert entry(done, "broken-crash")["state"] == "off"


def test_the_switches_before_the_command_count(examine: Run) -> None:
    done = examine("--disable broken-hook --strict doctor --json --only broken-hook", "broken-hook")
    assert json.loads(done.stdout)["switches"] == {
        "only": ["broken-hook"],
        "disable": {"broken-hook": "the argument 'disable'"},
        "strict": True,
    }


def test_a_traceback_stands_below_what_it_belongs_to(examine: Run) -> None:
    done = examine("doctor --only broken-hook", "broken-hook")
    assert "plugin     broken-hook 0.1.0 (broken)\n" in done.stdout
    head, _, rest = done.stdout.partition("\nerror: plugin broken-hook 0.1.0: ")
    assert "Traceback" not in head
    assert rest.splitlines()[1] == "    Traceback (most recent call last):"
    assert "    ValueError: the hook of broken-hook fails\n  type: pip install" in rest
    assert done.stdout.splitlines()[-1].startswith("1 error")


def test_what_a_plugin_requires_and_is_not_there_is_named_with_the_line_to_type(
    examine: Run,
) -> None:
    done = examine("doctor --json --only broken-needs", "broken-needs")
    found = {each["what"]: each for each in remarks(done, "plugin broken-needs")}
    missing = found[
        "needs a-package-that-nobody-has[fast]>=2, and a-package-that-nobody-has is not installed"
    ]
    assert (done.returncode, missing["severity"]) == (1, "error")
    assert missing["mend"] == ["pip install 'a-package-that-nobody-has[fast]>=2'"]
    assert f"needs glowplug>=99, and glowplug {__version__} is installed" in found
    assert "pluggy" not in done.stdout
    assert "another-that-nobody-has" not in done.stdout


def test_a_plugin_whose_requirements_are_not_met_may_still_be_active(examine: Run) -> None:
    done = examine("doctor --json --disable nan-stop", "broken-needs", "nan-stop")
    found = entry(done, "broken-needs")
    assert (done.returncode, found["state"]) == (0, "active")
    assert {each["requirement"]: each["known"] for each in found["unmet"]} == {
        "a-package-that-nobody-has[fast]>=2": True,
        "glowplug>=99": True,
    }


def test_an_extra_that_is_not_installed_is_a_note_with_the_line_to_type(examine: Run) -> None:
    done = examine("doctor --json --only broken-needs", "broken-needs")
    (found,) = [each for each in remarks(done, "broken-needs") if each["severity"] == "note"]
    assert list(found) == ["severity", "about", "what", "mend", "traceback"]
    assert found["what"] == (
        "its extra 'video' is not installed, which needs a-codec-that-nobody-has>=3"
    )
    assert found["mend"] == ["pip install 'broken-needs[video]'"]


@pytest.mark.parametrize(
    ("variables", "mend"),
    [
        ({"GLOWPLUG_DISABLE_PLUGINS": "nan-stop"}, "unset GLOWPLUG_DISABLE_PLUGINS"),
        ({"GLOWPLUG_PLUGINS": ""}, "unset GLOWPLUG_PLUGINS"),
    ],
)
def test_a_plugin_that_a_variable_switches_off_is_a_note_that_says_which(
    examine: Run, variables: dict[str, str], mend: str
) -> None:
    done = examine("doctor --json", "nan-stop", **variables)
    (variable,) = variables
    (found,) = remarks(done, variable)
    assert (done.returncode, found["severity"], found["mend"]) == (0, "note", [mend])
    assert "nan-stop" in found["what"]
    assert entry(done, "nan-stop")["reason"] == variable


def test_a_plugin_that_an_option_switches_off_is_a_note_that_says_which(examine: Run) -> None:
    done = examine("doctor --disable nan-stop", "nan-stop")
    assert "plugin     nan-stop 0.1.0 (off: the argument 'disable')\n" in done.stdout
    assert "note: the argument 'disable': switches off nan-stop\n" in done.stdout
    assert "  type: leave out --disable\n" in done.stdout


def test_a_plugin_that_is_asked_for_and_switched_off_is_an_error(examine: Run) -> None:
    switches = {"GLOWPLUG_PLUGINS": "nan-stop", "GLOWPLUG_DISABLE_PLUGINS": "acme-timer,nan-stop"}
    done = examine("doctor --json", "nan-stop", "acme-timer", **switches)
    (found,) = remarks(done, "plugin nan-stop")
    assert (done.returncode, found["severity"]) == (1, "error")
    assert found["what"] == (
        "is asked for by GLOWPLUG_PLUGINS, and switched off by GLOWPLUG_DISABLE_PLUGINS"
    )
    assert found["mend"] == ["export GLOWPLUG_DISABLE_PLUGINS=acme-timer"]


@pytest.mark.parametrize(
    ("value", "mend"),
    [
        ("nan-stpo", "export GLOWPLUG_PLUGINS=nan-stop"),
        ("nan-stop,Acme_Unheard", "pip install acme-unheard"),
        ("nan-stop,mlflow-tqdm-nope", "pip install mlflow-tqdm-nope"),
    ],
)
def test_a_name_in_only_that_matches_nothing_is_an_error(
    examine: Run, value: str, mend: str
) -> None:
    done = examine("doctor --json", "nan-stop", GLOWPLUG_PLUGINS=value)
    (found,) = [each for each in remarks(done, "GLOWPLUG_PLUGINS") if each["severity"] != "note"]
    assert (done.returncode, found["severity"]) == (1, "error")
    assert "and no such plugin is installed" in found["what"]
    assert found["mend"] == [mend]


@pytest.mark.parametrize(
    ("value", "mend"),
    [
        ("nan-stpo", "export GLOWPLUG_DISABLE_PLUGINS=nan-stop"),
        ("acme-unheard", "unset GLOWPLUG_DISABLE_PLUGINS"),
        ("acme-unheard,nan-stop", "export GLOWPLUG_DISABLE_PLUGINS=nan-stop"),
    ],
)
def test_a_name_in_disable_that_matches_nothing_is_a_warning(
    examine: Run, value: str, mend: str
) -> None:
    done = examine("doctor --json", "nan-stop", GLOWPLUG_DISABLE_PLUGINS=value)
    said = remarks(done, "GLOWPLUG_DISABLE_PLUGINS")
    (found,) = [each for each in said if each["severity"] != "note"]
    assert (done.returncode, found["severity"], found["mend"]) == (0, "warning", [mend])


def test_a_strictness_that_says_neither_yes_nor_no_is_an_error(examine: Run) -> None:
    done = examine("doctor --json --only nan-stop", "nan-stop", GLOWPLUG_STRICT="perhaps")
    (found,) = remarks(done, "GLOWPLUG_STRICT")
    assert (done.returncode, found["severity"]) == (1, "error")
    assert "got 'perhaps'" in found["what"]
    assert found["mend"] == ["unset GLOWPLUG_STRICT"]


def test_a_shadowed_twin_is_named_with_its_place_and_what_to_type(examine: Run) -> None:
    done = examine("doctor --json --only broken-twin", "broken-twin-2", "broken-twin-1")
    (found,) = remarks(done, "plugin broken-twin 2.0")
    assert (done.returncode, found["severity"]) == (1, "error")
    assert found["what"].startswith("shadows 1.0 at ")
    assert found["mend"] == [
        "pip uninstall --yes broken-twin && pip uninstall --yes broken-twin"
        " && pip install broken-twin==2.0"
    ]
    assert entry(done, "broken-twin")["state"] == "active"


def test_what_an_interrupted_pip_left_behind_is_a_note(examine: Run) -> None:
    done = examine("doctor --json", "broken-leftover")
    (found,) = remarks(done, "~roken_leftover")
    assert (found["severity"], found["what"]) == (
        "note",
        "was left by an interrupted pip, and is ignored",
    )
    assert found["mend"] == [f"rm -r '{found['about']}'"]


def test_an_ambiguous_name_is_a_note_with_the_qualified_ones(examine: Run) -> None:
    done = examine("doctor --json", "acme-timer", "umbrella-timer")
    (found,) = remarks(done, "component 'pacer'")
    assert (done.returncode, found["severity"]) == (0, "note")
    assert found["mend"] == ["'acme-timer:pacer'", "'umbrella-timer:pacer'"]


def test_a_name_of_glowplugs_own_that_another_offers_is_a_note(examine: Run) -> None:
    done = examine("doctor --json --only broken-squatter", "broken-squatter")
    (found,) = remarks(done, "plugin broken-squatter")
    assert (done.returncode, found["severity"]) == (0, "note")
    assert found["mend"] == ["'broken-squatter:progress-bar'"]


def test_a_look_at_names_imports_no_hook_plugin(torch: Path, python: Callable[..., str]) -> None:
    names = ("broken-squatter", "acme-hooks")
    code = (
        f"import sys; sys.path.insert(0, {str(torch)!r}); from glowplug.cli import main;"
        f" code = main(['doctor', '--only', '{','.join(names)}']);"
        " print(code, 'acme_hooks' in sys.modules)"
    )
    assert python(code, *names).splitlines()[-1] == "0 False"


def test_malformed_metadata_that_break_torch_are_named_as_the_reason(examine: Run) -> None:
    done = examine("doctor --json", "broken-malformed")
    (found,) = remarks(done, "torch")
    assert found["severity"] == "warning"
    assert found["what"].endswith("(the entry points of broken-malformed may be why)")
    assert found["mend"] == ["pip install --force-reinstall --no-deps broken-malformed"]
    assert "entry_points" in found["traceback"]


def test_a_torch_that_lacks_what_it_requires_is_mended_by_that(
    examine: Run, tmp_path: Path
) -> None:
    (tmp_path / "torch.py").write_text("import a_module_that_nobody_has", "utf-8")
    folder = tmp_path / "torch-9.9.dist-info"
    folder.mkdir()
    needs = "Requires-Dist: a-module-that-nobody-has>=2"
    (folder / "METADATA").write_text(f"Name: torch\nVersion: 9.9\n{needs}\n", "utf-8")
    done = examine("doctor --json --strict --only=", first=tmp_path)
    (found,) = remarks(done, "torch")
    assert (done.returncode, found["severity"]) == (1, "error")
    assert found["mend"] == ["pip install 'a-module-that-nobody-has>=2'"]


def test_a_plugin_in_pieces_is_told_once_with_what_else_fails(examine: Run) -> None:
    done = examine("doctor --json --only broken-groups", "broken-groups")
    (found,) = remarks(done, "plugin broken-groups")
    assert found["what"].endswith("more: `glowplug plugins check broken-groups`)")
