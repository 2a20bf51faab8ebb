"""What ``glowplug plugins check`` finds.

Owns: its verdict about good and hostile packages, and its exit codes.
Must not know: how a plugin is probed.
"""

from __future__ import annotations

import subprocess
from collections.abc import Callable

Run = Callable[..., "subprocess.CompletedProcess[str]"]

GOOD = ("acme-commands", "acme-hooks", "acme-kinds", "acme-timer", "nan-stop", "umbrella-timer")
HOSTILE = {
    "broken-components": "expected an iterable of Component",
    "broken-crash": "ended Python with code 9",
    "broken-groups": "did you mean 'glowplug.handlers'?",
    "broken-hook": "ValueError: the hook of broken-hook fails",
    "broken-import-error": "No module named 'a_module_that_nobody_has'",
    "broken-malformed": "its entry points cannot be read",
    "broken-no-hook": "implements no hook",
    "broken-system-exit": "SystemExit: this plugin wants Python to end",
    "broken-unknown-hook": "did you mean 'glowplug_engine_created'?",
    "broken-wrong-argument": "trainer",
}


def sections(output: str) -> dict[str, str]:
    """Return what a check says of each plugin, by its name."""
    found: dict[str, str] = {}
    name = ""
    for line in output.splitlines():
        first = line.split(" ")[0]
        name = first if first in (*GOOD, *HOSTILE) else name
        found[name] = f"{found.get(name, '')}{line}\n"
    return found


def test_good_plugins_pass(glowplug: Run) -> None:
    done = glowplug(f"plugins check {' '.join(GOOD)}", *GOOD)
    said = sections(done.stdout)
    assert (done.returncode, done.stderr) == (0, "")
    assert list(said) == list(GOOD)
    assert all(": ok (" in text for text in said.values())


def test_every_hostile_plugin_is_named_with_the_reason_and_the_good_ones_pass(
    glowplug: Run,
) -> None:
    names = ("nan-stop", *HOSTILE, "acme-timer")
    done = glowplug(f"plugins check {' '.join(names)}", *names)
    said = sections(done.stdout)
    assert done.returncode == 1
    assert said["nan-stop"] == "nan-stop 0.1.0: ok (1)\n"
    assert said["acme-timer"] == "acme-timer 0.1.0: ok (1)\n"
    assert {name: reason in said[name] for name, reason in HOSTILE.items()} == dict.fromkeys(
        HOSTILE, True
    )
    assert "ok" not in {said[name].split(": ")[1].split(" ")[0] for name in HOSTILE}


def test_one_plugin_that_kills_its_process_fails_the_check(glowplug: Run) -> None:
    done = glowplug("plugins check broken-crash", "broken-crash")
    assert done.returncode == 1
    assert done.stdout == (
        "broken-crash 0.1.0: 1 of 1 failed\n  its import: ended Python with code 9\n"
    )


def test_a_check_without_names_is_of_every_plugin(glowplug: Run) -> None:
    names = ("nan-stop", "broken-crash", "broken-hook")
    done = glowplug(f"plugins check --only {','.join(names)}", *names)
    said = sections(done.stdout)
    assert done.returncode == 1
    assert set(names) <= set(said)
    assert "nan-stop 0.1.0: ok (1)\n" in said["nan-stop"]
    assert "1 of 1 failed" in said["broken-crash"]
    assert "1 of 2 failed" in said["broken-hook"]


def test_a_check_of_one_plugin_says_nothing_of_the_others(glowplug: Run) -> None:
    done = glowplug("plugins check nan-stop", "nan-stop", "broken-crash")
    assert (done.returncode, done.stdout) == (0, "nan-stop 0.1.0: ok (1)\n")


def test_a_squatted_name_and_a_twin_are_noted_and_are_no_fault(glowplug: Run) -> None:
    names = ("broken-squatter", "broken-twin-2", "broken-twin-1")
    done = glowplug("plugins check broken-squatter broken-twin", *names)
    assert done.returncode == 0
    assert "note: logger 'progress-bar' alone means that of glowplug-tqdm" in done.stdout
    assert "note: shadows 1.0 at " in done.stdout


def test_a_plugin_that_is_switched_off_cannot_be_checked_by_name(glowplug: Run) -> None:
    done = glowplug("plugins check nan-stop --disable nan-stop", "nan-stop")
    assert (done.returncode, done.stderr) == (1, "")
    assert done.stdout == ("nan-stop 0.1.0: not checked, switched off by the argument 'disable'\n")


def test_a_check_of_all_says_what_is_switched_off_and_does_not_fail_for_it(glowplug: Run) -> None:
    switch = {"GLOWPLUG_PLUGINS": "nan-stop"}
    done = glowplug("plugins check", "nan-stop", "broken-crash", **switch)
    said = sections(done.stdout)
    assert (done.returncode, said["nan-stop"]) == (0, "nan-stop 0.1.0: ok (1)\n")
    assert "broken-crash 0.1.0: not checked, switched off by GLOWPLUG_PLUGINS\n" in done.stdout


def test_a_plugin_that_is_not_there_cannot_be_checked(glowplug: Run) -> None:
    done = glowplug("plugins check nanstop", "nan-stop")
    assert (done.returncode, done.stdout) == (1, "")
    assert "no plugin 'nanstop' is installed; did you mean 'nan-stop'?" in done.stderr


def test_the_plugins_are_checked_in_processes_other_than_the_commands_own(
    python: Callable[..., str],
) -> None:
    code = (
        "import sys; from glowplug.cli import main;"
        " code = main(['plugins', 'check', 'nan-stop']); print(code, 'nan_stop' in sys.modules)"
    )
    assert python(code, "nan-stop").splitlines()[-1] == "0 False"
