"""What the tests of the documentation share.

Owns: which files are pages, how their code blocks run, and the built site.
Must not know: what the pages say.
"""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
import tomllib
from doctest import ELLIPSIS, NORMALIZE_WHITESPACE, OutputChecker
from pathlib import Path

import pytest
from sybil import Document, Example
from sybil.parsers.markdown import CodeBlockParser, PythonCodeBlockParser, SkipParser

ROOT = Path(__file__).resolve().parents[2]
PAGES = [
    ROOT / "README.md",
    *sorted(ROOT.glob("plugins/*/README.md")),
    *sorted(
        path
        for path in ROOT.glob("docs/**/*.md")
        if not {"_build", "examples"} & set(path.parts)  # an example is a package of its own
    ),
]

# commands that a page shows and no test can run: they would change the environment of the tests
SET_UP = re.compile(
    r"(\S*python[\d.]* -m )?(pip|venv)\b|git clone\b|cd\b|tox\b|\.venv/bin/|pre-commit\b"
)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run a test once for each page, where it asks for one."""
    if "page" in metafunc.fixturenames:
        metafunc.parametrize("page", PAGES, ids=lambda path: path.relative_to(ROOT).as_posix())


def run_toml(example: Example) -> None:
    """Parse a block of TOML."""
    tomllib.loads(example.parsed)


def run_console(example: Example) -> None:
    """Run each command after a ``$`` and compare what it prints; ``...`` stands for anything."""
    for block in re.split(r"^\$ ", example.parsed, flags=re.MULTILINE)[1:]:
        command, _, expected = block.partition("\n")
        if not SET_UP.match(command):
            printed = run(command)
            flags = ELLIPSIS | NORMALIZE_WHITESPACE
            if expected.strip():
                assert OutputChecker().check_output(expected, printed, flags), printed


def run_shell(example: Example) -> None:
    """Run each line of a block without prompts, where only success is looked at."""
    for command in example.parsed.splitlines():
        if command and not command.startswith("#") and not SET_UP.match(command):
            run(command)


def run(command: str) -> str:
    """Run a command line with this environment's programs, and return what it printed."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environment = {**os.environ, "PATH": path, "COLUMNS": "100", "PYTHONWARNINGS": "error"}
    words = shlex.split(command)
    done = subprocess.run(words, capture_output=True, text=True, env=environment, check=False)
    assert done.returncode == 0, f"{command} exited with {done.returncode}:\n{done.stderr}"
    return done.stdout


@pytest.fixture
def document(page: Path) -> Document:
    """A page, parsed into its runnable code blocks."""
    parsers = (
        PythonCodeBlockParser(doctest_optionflags=ELLIPSIS),
        CodeBlockParser("toml", run_toml),
        CodeBlockParser("console", run_console),
        CodeBlockParser("bash", run_shell),
        SkipParser(),
    )
    parsed = Document.parse(str(page), *parsers)
    parsed.namespace["__name__"] = "page"  # what classes that a page defines say of their module
    return parsed


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The documentation, built: by tox before these tests, or here without it."""
    if built := os.environ.get("GLOWPLUG_SITE"):
        return Path(built)
    folder = tmp_path_factory.mktemp("site")
    build = ["-m", "sphinx", "-W", "--keep-going", "-q", str(ROOT / "docs"), str(folder)]
    subprocess.run([sys.executable, *build], check=True)
    return folder
