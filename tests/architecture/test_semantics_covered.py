"""Every line of the contract has a test that is named after it.

Owns: the numbers of the lines, and how a test's name says which of them it holds.
Must not know: what the lines say.
"""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

LAST_LINE = 34
NAME = re.compile(r"test_s(\d\d)_([a-z0-9_]+)")


def names(root: Path) -> list[str]:
    """Return the names of all tests of the core that are named after a line."""
    return [
        node.name
        for path in sorted((root / "tests" / "core").glob("test_*.py"))
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_s")
        if re.match(r"test_s\d", node.name)
    ]


@pytest.mark.parametrize("line", range(LAST_LINE + 1))
def test_each_line_of_the_contract_has_a_test(line: int, root: Path) -> None:
    assert [name for name in names(root) if name.startswith(f"test_s{line:02}_")]


def test_each_such_name_is_a_line_and_a_sentence(root: Path) -> None:
    for name in names(root):
        match = NAME.fullmatch(name)
        assert match, name
        assert int(match[1]) <= LAST_LINE, name
        assert len(match[2].split("_")) >= 4, name


def test_no_two_of_them_have_the_same_name(root: Path) -> None:
    found = names(root)
    assert len(found) == len(set(found)), sorted({n for n in found if found.count(n) > 1})
