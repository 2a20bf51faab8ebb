"""The commands that plugins offer, and the command line as a whole.

Owns: how commands are listed, found and run, and the exit codes.
Must not know: what `glowplug plugins` says.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from glowplug import __version__, cli

Run = Callable[..., "subprocess.CompletedProcess[str]"]


def test_the_help_lists_the_commands_and_their_plugins_without_importing_them(
    python: Callable[..., str],
) -> None:
    code = (
        "import sys; from glowplug.cli import main;"
        " code = main(['--help']); print(code, 'acme_commands' in sys.modules)"
    )
    *shown, last = python(code, "acme-commands").splitlines()
    assert last == "0 False"
    offered = [line.split() for line in shown if line.endswith("by acme-commands 0.1.0")]
    assert [words[0] for words in offered] == ["greet", "muddled", "quiet", "sure"]


def test_no_arguments_at_all_show_the_help(glowplug: Run) -> None:
    done, asked = glowplug("", "acme-commands"), glowplug("--help", "acme-commands")
    assert (done.returncode, done.stdout) == (0, asked.stdout)
    assert "list, show, check and make plugins" in done.stdout


@pytest.mark.parametrize("arguments", ["--disable acme-commands --help", "-h --only nan-stop"])
def test_the_help_lists_the_commands_of_plugins_that_may_act(glowplug: Run, arguments: str) -> None:
    done = glowplug(arguments, "acme-commands", "nan-stop")
    assert (done.returncode, done.stderr) == (0, "")
    assert "list, show, check and make plugins" in done.stdout
    assert "greet" not in done.stdout


def test_a_strict_help_fails_where_a_plugin_is_broken(glowplug: Run) -> None:
    done = glowplug("--help --strict", "broken-malformed")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("glowplug: plugin broken-malformed 0.1.0 is broken: ")


def test_the_help_lists_a_name_that_is_not_one_plugins_alone_in_the_way_that_works(
    glowplug: Run, tmp_path: Path
) -> None:
    folder = tmp_path / "acme-1.0.dist-info"
    folder.mkdir()
    (folder / "METADATA").write_text("Name: acme\nVersion: 1.0\n", "utf-8")
    (folder / "entry_points.txt").write_text("[glowplug.commands]\nplugins = a:b\n", "utf-8")
    path = os.pathsep.join([str(tmp_path), str(Path(cli.__file__).parents[1])])
    done = glowplug("--help", PYTHONPATH=path)
    assert "  acme:plugins          by acme 1.0\n" in done.stdout


def test_a_command_gets_its_arguments_and_gives_its_exit_code(glowplug: Run) -> None:
    done = glowplug("--strict --only acme-commands greet a --help --disable b", "acme-commands")
    assert done.stdout == "hello ['a', '--help', '--disable', 'b']\n"
    assert (done.returncode, done.stderr) == (7, "")


def test_a_command_that_returns_nothing_went_well(glowplug: Run) -> None:
    done = glowplug("quiet", "acme-commands")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_a_command_that_returns_no_exit_code_fails_with_that_reason(glowplug: Run) -> None:
    done = glowplug("muddled", "acme-commands")
    assert done.returncode == 1
    said = "'muddled' returned 'not an exit code' of type str; expected an exit code"
    assert said in done.stderr


def test_a_bool_is_no_exit_code(glowplug: Run) -> None:
    done = glowplug("sure", "acme-commands")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("glowplug: command 'sure' returned True of type bool; expected")


def test_a_command_is_found_by_its_qualified_name(glowplug: Run) -> None:
    done = glowplug("acme-commands:greet you", "acme-commands")
    assert (done.returncode, done.stdout) == (7, "hello ['you']\n")


def test_an_unknown_command_is_misuse_and_the_near_one_is_named(glowplug: Run) -> None:
    done = glowplug("gret", "acme-commands")
    assert (done.returncode, done.stdout) == (2, "")
    assert "no command 'gret'; did you mean 'greet'?" in done.stderr


def test_an_unknown_command_without_a_near_one_says_where_to_look(glowplug: Run) -> None:
    done = glowplug("zzzzz", "acme-commands")
    assert done.returncode == 2
    assert "no command 'zzzzz'; `glowplug plugins list` shows what there is" in done.stderr


def test_a_command_of_a_plugin_that_is_switched_off_does_not_run(glowplug: Run) -> None:
    done = glowplug("--disable acme-commands greet", "acme-commands")
    assert (done.returncode, done.stdout) == (2, "")
    assert "plugin acme-commands 0.1.0 is switched off by the argument 'disable'" in done.stderr


def test_the_version_is_that_of_the_core(glowplug: Run) -> None:
    done = glowplug("--version")
    assert (done.returncode, done.stdout) == (0, f"glowplug {__version__}\n")


@pytest.mark.parametrize("arguments", ["--help", "plugins list", "greet"])
def test_a_closed_pipe_leaves_no_traceback(
    arguments: str, environment: Callable[..., dict[str, str]]
) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run(
        (sys.executable, "-m", "glowplug", *arguments.split()),
        env=environment("acme-commands", PYTHONUNBUFFERED=""),  # argparse ignores what it meets
        stdout=writer,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )
    os.close(writer)
    assert (done.returncode, done.stderr) == (141, "")


@pytest.mark.parametrize("buffering", ["", "1"])
@pytest.mark.parametrize("arguments", ["--version", "--help", "plugins list", "plugins list -h"])
@pytest.mark.parametrize(
    ("redirection", "reason"),
    [(">&-", "standard output is closed"), ("> /dev/full", "No space left on device")],
)
def test_output_that_cannot_be_written_fails_with_the_reason(
    environment: Callable[..., dict[str, str]],
    arguments: str,
    redirection: str,
    reason: str,
    buffering: str,
) -> None:
    command = f"'{sys.executable}' -m glowplug {arguments} {redirection}"
    env = environment("acme-commands", PYTHONUNBUFFERED=buffering)
    done = subprocess.run(
        ("sh", "-c", command), env=env, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == f"glowplug: the output cannot be written: {reason}\n"


def test_nowhere_to_write_at_all_is_a_failure_too(
    environment: Callable[..., dict[str, str]],
) -> None:
    for command in ("--version", "nothing-of-this-name"):
        line = f"'{sys.executable}' -m glowplug {command} >&- 2>&-"
        done = subprocess.run(("sh", "-c", line), env=environment(), check=False)
        assert done.returncode in (1, 2)


def test_a_pipe_that_is_closed_by_a_shells_reader_leaves_no_traceback(
    environment: Callable[..., dict[str, str]],
) -> None:
    command = f"'{sys.executable}' -m glowplug plugins list | head -c 0"
    env = environment("acme-commands")
    done = subprocess.run(("sh", "-c", command), env=env, capture_output=True, check=False)
    assert (done.stdout, done.stderr) == (b"", b"")


def test_main_returns_exit_codes_rather_than_ending_python(python: Callable[..., str]) -> None:
    code = (
        "from glowplug.cli import main;"
        " asked = ['--version'], ['greet'], ['gret'], ['plugins'], ['plugins', 'show', 'nobody'];"
        " print([main(arguments) for arguments in asked])"
    )
    assert python(code, "acme-commands").splitlines()[-1] == "[0, 7, 2, 2, 1]"


@pytest.mark.parametrize("arguments", ["--help", "plugins list", "greet a", "gret"])
def test_the_installed_script_does_the_same(
    arguments: str, glowplug: Run, environment: Callable[..., dict[str, str]]
) -> None:
    script = Path(sys.executable).with_name("glowplug")
    done = subprocess.run(
        (str(script), *arguments.split()),
        env=environment("acme-commands"),
        capture_output=True,
        text=True,
        check=False,
    )
    same = glowplug(arguments, "acme-commands")
    assert (done.returncode, done.stdout) == (same.returncode, same.stdout)
    assert done.stderr == same.stderr
