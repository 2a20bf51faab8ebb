"""The rules that every module of the core and the plugins keeps.

Owns: those house rules that a machine can check in one file.
Must not know: which module imports which; that is for import-linter and its neighbour here.
"""

from __future__ import annotations

import ast
import re
from pathlib import Path

MOST_LINES_OF_A_FILE = 299
MOST_LINES_OF_A_FUNCTION = 39
NAMES_THAT_SAY_NOTHING = {"utils", "util", "helpers", "helper", "misc", "common", "contrib"}

# a suppression, and the reason that must follow it on its line
SUPPRESSION = re.compile(
    r"# (?:type: ignore(?:\[[\w, -]+\])?|noqa(?:: \w+(?:, \w+)*)?|pragma: \w+)"
)
REASON = re.compile(r" +# \S+| +- \S+| \(\S+")


def test_a_module_says_what_it_owns_and_what_it_must_not_know(module: Path) -> None:
    doc = ast.get_docstring(ast.parse(module.read_text("utf-8"))) or ""
    summary, _, rest = doc.partition("\n")
    assert summary.endswith((".", "?"))
    assert re.search(r"^Owns: \S", rest, re.MULTILINE), f"{module} has no line 'Owns: ...'"
    assert re.search(r"^Must not know: \S", rest, re.MULTILINE), f"{module}: 'Must not know: ...'"


def test_a_file_has_less_than_three_hundred_lines(module: Path) -> None:
    assert len(module.read_text("utf-8").splitlines()) <= MOST_LINES_OF_A_FILE


def test_a_function_has_less_than_forty_lines_below_its_docstring(module: Path) -> None:
    tree = ast.parse(module.read_text("utf-8"))
    functions = (ast.FunctionDef, ast.AsyncFunctionDef)
    found = [node for node in ast.walk(tree) if isinstance(node, functions)]
    lengths = {f"{module}:{node.lineno} {node.name}": lines_of_code(node) for node in found}
    assert {name: n for name, n in lengths.items() if n > MOST_LINES_OF_A_FUNCTION} == {}


def lines_of_code(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Return the lines of a function's body; its signature and docstring do not count."""
    body = function.body
    if ast.get_docstring(function) is not None:
        body = body[1:]
    return (body[-1].end_lineno or 0) - body[0].lineno + 1 if body else 0


def test_a_module_has_a_name_that_says_something(module: Path) -> None:
    words = set(module.stem.lower().split("_")) | {part.lower() for part in module.parts[-3:-1]}
    assert words & NAMES_THAT_SAY_NOTHING == set()


def test_a_suppression_has_its_reason_on_its_line(module: Path) -> None:
    bare = []
    for number, line in enumerate(module.read_text("utf-8").splitlines(), 1):
        found = SUPPRESSION.search(line)
        if found and not REASON.match(line[found.end() :]):
            bare.append(f"{module}:{number}: {line.strip()}")
    assert bare == []


def test_no_work_is_left_for_later_without_a_reason(module: Path) -> None:
    lines = enumerate(module.read_text("utf-8").splitlines(), 1)
    marks = re.compile(r"#.*\b(TODO|FIXME|XXX|HACK)\b")
    assert [f"{module}:{number}" for number, line in lines if marks.search(line)] == []


def test_annotations_are_never_evaluated(module: Path) -> None:
    tree = ast.parse(module.read_text("utf-8"))
    futures = [n for n in tree.body if isinstance(n, ast.ImportFrom) and n.module == "__future__"]
    postponed = any(alias.name == "annotations" for node in futures for alias in node.names)
    assert postponed or not any(map(has_annotations, ast.walk(tree)))


def has_annotations(node: ast.AST) -> bool:
    """Return whether a node is a function, or a name that is given a type."""
    return isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.AnnAssign))


def test_logging_is_lazy(module: Path) -> None:
    tree = ast.parse(module.read_text("utf-8"))
    levels = {"debug", "info", "warning", "error", "exception", "critical", "log"}
    eager = [
        f"{module}:{node.lineno}"
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in levels
        and "log" in ast.unparse(node.func.value).lower()
        and any(isinstance(arg, (ast.JoinedStr, ast.BinOp)) for arg in node.args)
    ]
    assert eager == []
