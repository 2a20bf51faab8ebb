"""The rules that the tests themselves keep.

Owns: those house rules about tests that a machine can check.
Must not know: what is tested.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

TESTS = Path(__file__).resolve().parents[1]
FILES = sorted(path for path in TESTS.rglob("*.py") if "dists" not in path.parts)
FEWEST_WORDS_OF_A_SENTENCE = 3


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run each test once for each file of tests."""
    metafunc.parametrize("file", FILES, ids=lambda path: str(path.relative_to(TESTS)))


def calls(file: Path, name: str) -> Iterator[ast.Call]:
    """Yield the calls of ``name`` in a file."""
    for node in ast.walk(ast.parse(file.read_text("utf-8"))):
        if isinstance(node, ast.Call) and ast.unparse(node.func) == name:
            yield node


def test_every_expected_error_is_known_by_its_message(file: Path) -> None:
    known = {"match", "check"}
    unmatched = [
        f"{file}:{call.lineno}"
        for name in ("pytest.raises", "pytest.warns")
        for call in calls(file, name)
        if not known & {keyword.arg for keyword in call.keywords}
    ]
    assert unmatched == []


def test_nothing_is_mocked(file: Path) -> None:
    imports = [
        f"{file}:{node.lineno}"
        for node in ast.walk(ast.parse(file.read_text("utf-8")))
        if isinstance(node, (ast.Import, ast.ImportFrom)) and "mock" in ast.unparse(node)
    ]
    assert imports == []


def test_a_tests_name_is_a_sentence(file: Path) -> None:
    functions = (ast.FunctionDef, ast.AsyncFunctionDef)
    nodes = [n for n in ast.parse(file.read_text("utf-8")).body if isinstance(n, functions)]
    names = [node.name for node in nodes if node.name.startswith("test_")]
    words = {name: len(name.removeprefix("test_").split("_")) for name in names}
    assert {n: w for n, w in words.items() if w < FEWEST_WORDS_OF_A_SENTENCE} == {}


def test_two_tests_of_a_file_do_not_share_a_name(file: Path) -> None:
    names = [n.name for n in ast.parse(file.read_text("utf-8")).body if hasattr(n, "name")]
    assert sorted(names) == sorted(set(names))
