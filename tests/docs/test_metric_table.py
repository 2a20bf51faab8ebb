"""What metrics are said to be checked against, held against the tests that check them.

Owns: that each comparison that the table shows is made by a test, and that no metric goes without.
Must not know: any metric by name, or what the values are.

The tests are read, not run: one that reaches both a metric and a function of a library compares
them. What it reaches is what its body, its decorators and all they name in their file mention; of
a mapping, which pairs metrics with functions, it is each item by itself.
"""

from __future__ import annotations

import ast
import runpy
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
TESTS = ROOT / "tests" / "plugins" / "glowplug-metrics"
AGREEMENT = ROOT / "tests" / "parity" / "test_metric_agreement.py"
TABLE: dict[str, Any] = runpy.run_path(str(ROOT / "docs" / "metric_table.py"))
CHECKED: dict[str, tuple[Any, ...]] = TABLE["checks"]()


class Source:
    """A test file: what it imports, and what its names stand for."""

    def __init__(self, path: Path) -> None:
        tree = ast.parse(path.read_text("utf-8"))
        self.imported: dict[str, str] = {}
        self.named: dict[str, ast.AST] = {}
        for node in tree.body:
            if isinstance(node, ast.Import):
                self.imported |= {a.asname or a.name: a.name for a in node.names}
            elif isinstance(node, ast.ImportFrom):
                for alias in node.names:
                    self.imported[alias.asname or alias.name] = f"{node.module}.{alias.name}"
            elif isinstance(node, ast.FunctionDef | ast.ClassDef):
                self.named[node.name] = node
            elif isinstance(node, ast.Assign | ast.AnnAssign) and node.value:
                targets = node.targets if isinstance(node, ast.Assign) else [node.target]
                self.named |= {t.id: node.value for t in targets if isinstance(t, ast.Name)}

    def dotted(self, node: ast.AST) -> str | None:
        """Return the full name of what an expression mentions, if it was imported."""
        parts: list[str] = []
        while isinstance(node, ast.Attribute):
            parts.insert(0, node.attr)
            node = node.value
        if isinstance(node, ast.Name) and node.id in self.imported:
            return ".".join([self.imported[node.id], *parts])
        return None

    def reached(self, node: ast.AST, seen: set[str], items: list[set[str]]) -> set[str]:
        """Return all imported names that a node leads to; those in mappings go to ``items``."""
        if name := self.dotted(node):
            return {name}
        if isinstance(node, ast.Name) and node.id in self.named and node.id not in seen:
            seen.add(node.id)
            return self.reached(self.named[node.id], seen, items)
        if isinstance(node, ast.Dict):
            for pair in zip(node.keys, node.values, strict=True):
                whole: set[str] = set()
                items.append(whole.union(*(self.reached(p, set(seen), items) for p in pair if p)))
            return set()
        children = ast.iter_child_nodes(node)
        return set().union(*(self.reached(child, seen, items) for child in children))

    def meetings(self) -> Iterator[tuple[str, set[str]]]:
        """Yield each test with the names that meet in it."""
        for name, node in self.named.items():
            if name.startswith("test_"):
                items: list[set[str]] = []
                everywhere = self.reached(node, {name}, items)
                for item in items or [set()]:
                    yield name, everywhere | item


@cache
def comparisons() -> set[tuple[str, str]]:
    """Return a class and what it meets: a function of a library, or the test itself."""
    found = set()
    for path in TESTS.glob("test_*.py"):
        for test, names in Source(path).meetings():
            classes = {n.rpartition(".")[2] for n in names if n.startswith("glowplug_metrics")}
            found |= {(cls, other) for cls in classes for other in (*names, f"{path.stem}.{test}")}
    agreeing = Source(AGREEMENT).named["AGREE"]
    assert isinstance(agreeing, ast.Dict)
    found |= {(str(ast.literal_eval(key)), "pytorch-ignite") for key in agreeing.keys if key}
    return found


def test_the_table_of_metrics_is_current() -> None:
    page = TABLE["PAGE"].read_text("utf-8")
    assert page == TABLE["page"](), "run `python docs/metric_table.py`"


@pytest.mark.parametrize("cls", CHECKED)
def test_a_metric_is_compared_with_what_the_table_says(cls: str) -> None:
    said = [check if isinstance(check, str) else check.name for check in CHECKED[cls]]
    assert said != []
    assert [check for check in said if (cls, check) not in comparisons()] == []


def test_every_metric_is_in_the_table() -> None:
    shown = {cls for cls, _ in TABLE["families"]()}
    assert set(CHECKED) == set(TABLE["components"]()) == shown


def test_a_comparison_that_nobody_makes_is_noticed() -> None:
    assert ("Accuracy", "sklearn.metrics.recall_score") not in comparisons()
    assert ("MeanAbsoluteError", "sklearn.metrics.max_error") not in comparisons()
