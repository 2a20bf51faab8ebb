"""What ``glowplug plugins show`` says.

Owns: the text about one plugin, and what is said where there is none of the name.
Must not know: how a plugin is probed, or what it does.
"""

from __future__ import annotations

import subprocess
from collections.abc import Callable

Run = Callable[..., "subprocess.CompletedProcess[str]"]


def test_a_plugin_is_shown_with_all_that_its_distribution_declares(glowplug: Run) -> None:
    done = glowplug("plugins show nan-stop", "nan-stop")
    title, *rows = done.stdout.splitlines()
    shown = {row[2:12].rstrip(): row[13:] for row in rows}
    assert (done.returncode, done.stderr, title) == (0, "", "nan-stop 0.1.0")
    assert shown.pop("location").endswith("nan-stop")
    assert shown == {
        "state": "active",
        "summary": "Ends a run whose output is not a number",
        "handler": "nan-stop  nan_stop:NanStop",
    }


def test_a_plugin_is_found_by_any_spelling_of_its_name(glowplug: Run) -> None:
    done = glowplug("plugins show ACME.hooks", "acme-hooks")
    assert done.stdout.startswith("acme-hooks 2.0\n")
    assert "  hooks      acme_hooks\n" in done.stdout


def test_a_hook_plugin_that_raises_is_shown_with_its_traceback(glowplug: Run) -> None:
    done = glowplug("plugins show broken-hook", "broken-hook")
    assert done.returncode == 1
    assert "  state      broken\n" in done.stdout
    assert "hook plugin broken_hook: ValueError: the hook of broken-hook fails" in done.stdout
    assert "Traceback (most recent call last):" in done.stdout
    assert "in glowplug_engine_created" in done.stdout


def test_a_plugin_that_cannot_be_imported_is_shown_with_its_traceback(glowplug: Run) -> None:
    done = glowplug("plugins show broken-import-error", "broken-import-error")
    assert "ModuleNotFoundError: No module named 'a_module_that_nobody_has'" in done.stdout
    assert "import a_module_that_nobody_has" in done.stdout


def test_a_plugin_that_kills_its_process_is_shown_as_broken(glowplug: Run) -> None:
    done = glowplug("plugins show broken-crash", "broken-crash")
    assert "  state      broken\n" in done.stdout
    assert "its import: ended Python with code 9" in done.stdout


def test_metadata_that_cannot_be_read_is_the_reason_of_its_plugin(glowplug: Run) -> None:
    done = glowplug("plugins show broken-malformed", "broken-malformed")
    assert done.returncode == 1
    assert "  state      broken: its entry points cannot be read: " in done.stdout


def test_a_plugin_that_is_switched_off_is_shown_with_the_reason_and_not_imported(
    glowplug: Run,
) -> None:
    done = glowplug("plugins show broken-crash --disable broken-crash", "broken-crash")
    assert done.returncode == 0
    assert "  state      off: the argument 'disable'\n" in done.stdout
    assert "its import" not in done.stdout


def test_a_shadowed_twin_is_noted_with_its_place(glowplug: Run) -> None:
    done = glowplug("plugins show broken-twin", "broken-twin-2", "broken-twin-1")
    assert done.stdout.startswith("broken-twin 2.0\n")
    assert "  note       shadows 1.0 at " in done.stdout


def test_an_unknown_plugin_fails_and_the_near_one_is_named(glowplug: Run) -> None:
    done = glowplug("plugins show nanstop", "nan-stop")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == ("glowplug: no plugin 'nanstop' is installed; did you mean 'nan-stop'?\n")


def test_no_name_at_all_is_misuse(glowplug: Run) -> None:
    done = glowplug("plugins show")
    assert (done.returncode, done.stdout) == (2, "")
    assert "name" in done.stderr
