"""The command `glowplug plugins new`.

Owns: what it says and how it ends.
Must not know: what the package holds.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

New = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def new(environment: Callable[..., dict[str, str]], tmp_path: Path) -> New:
    """A function that runs the command in an empty folder, beside some distributions."""

    def run(*arguments: str, beside: tuple[str, ...] = ()) -> subprocess.CompletedProcess[str]:
        command = (sys.executable, "-m", "glowplug", "plugins", "new", *arguments)
        env = environment(*beside)
        return subprocess.run(
            command, env=env, cwd=tmp_path, capture_output=True, text=True, check=False
        )

    return run


def test_it_says_what_was_made_and_what_to_type_next(new: New, tmp_path: Path) -> None:
    done = new("acme-x1", "--kind", "handler")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == (
        "made acme-x1 in acme-x1:\n"
        "  .github/workflows/ci.yml\n"
        "  .gitignore\n"
        "  CHANGELOG.md\n"
        "  README.md\n"
        "  pyproject.toml\n"
        "  src/acme_x1/__init__.py\n"
        "  src/acme_x1/handler.py\n"
        "  src/acme_x1/py.typed\n"
        "  tests/conftest.py\n"
        "  tests/test_handler.py\n"
        "next, in the environment that glowplug is installed in:\n"
        "  cd acme-x1\n"
        '  python -m pip install -e ".[test]"\n'
        "  python -m pytest\n"
        "  glowplug plugins check acme-x1\n"
    )
    assert [path.name for path in tmp_path.iterdir()] == ["acme-x1"]


def test_the_folder_and_the_licence_can_be_chosen(new: New, tmp_path: Path) -> None:
    done = new("acme-x1", "--kind", "metric", "--dir", "my code", "--holder", "Acme & Sons")
    assert "  cd 'my code/acme-x1'\n" in done.stdout
    assert "Acme & Sons" in (tmp_path / "my code" / "acme-x1" / "LICENSE").read_text("utf-8")


def test_a_name_that_gets_in_the_way_of_another_plugin_is_warned_of(new: New) -> None:
    done = new("nan-stop", "--kind", "handler", beside=("nan-stop",))
    assert done.returncode == 0
    assert done.stderr.startswith("glowplug: plugin nan-stop 0.1.0 is installed here (")


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (("accuracy", "--kind", "metric"), 1, "glowplug: no package can be called 'accuracy'"),
        (("acme-x1", "--kind", "handlers"), 1, "got 'handlers'; did you mean 'handler'?"),
        (("acme-x1", "--kind", "command"), 1, "expected a kind of package, one of handler,"),
        (("acme-x1", "--kind", "handler", "--dir", "/dev/null"), 1, "glowplug: cannot write"),
        (("acme-x1",), 2, "the following arguments are required: --kind"),
        (("--kind", "handler"), 2, "the following arguments are required: name"),
    ],
)
def test_what_cannot_be_done_is_explained_and_nothing_is_left(
    arguments: tuple[str, ...], code: int, says: str, new: New, tmp_path: Path
) -> None:
    done = new(*arguments)
    assert (done.returncode, done.stdout) == (code, "")
    assert says in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_no_other_action_reads_the_templates(python: Callable[..., str]) -> None:
    code = (
        "import sys; from glowplug.cli import main; main(['plugins', 'list']);"
        " print('glowplug.scaffold' in sys.modules)"
    )
    assert python(code).splitlines()[-1] == "False"
