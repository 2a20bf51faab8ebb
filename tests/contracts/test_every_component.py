"""Every component of this repository is put through the kit's contract of its kind."""

from __future__ import annotations

import ast
import tomllib
from pathlib import Path

import pytest

from glowplug import Kind

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
KINDS = {kind.group: kind.value for kind in Kind}
CONTRACTS = {
    "ComponentContract": "handler",
    "LoggerContract": "logger",
    "SchedulerContract": "scheduler",
    "MetricContract": "metric",
    "TrainerContract": "trainer",
    "EventsContract": "events",
    "CommandContract": "command",
    "HooksContract": "hooks",
}


def declared(project: dict[str, dict[str, dict[str, str]]]) -> list[str]:
    """Return the components of a distribution: their kinds and names."""
    groups = project.get("entry-points", {})
    hooks = [f"hooks {project['name']}"] if "glowplug" in groups else []
    return hooks + [f"{KINDS[g]} {n}" for g, names in groups.items() if g in KINDS for n in names]


PROJECTS = [
    tomllib.loads(path.read_text("utf-8"))["project"]
    for path in sorted(ROOT.glob("plugins/*/pyproject.toml"))
]
COMPONENTS = [component for project in PROJECTS for component in declared(project)]


@pytest.fixture(scope="module")
def contracts() -> dict[str, str]:
    """What the contracts beside this file are about, and the class of each."""
    trees = [ast.parse(path.read_text("utf-8")) for path in sorted(HERE.glob("test_*.py"))]
    classes = [node for tree in trees for node in tree.body if isinstance(node, ast.ClassDef)]
    kinds: dict[str, str] = dict(CONTRACTS)
    found = {}
    for node in classes:  # a class may inherit from one that stands before it
        (base, *_) = [kinds[name] for name in map(ast.unparse, node.bases) if name in kinds] or [""]
        if base:
            kinds[node.name] = base
        for line in node.body:
            if isinstance(line, ast.Assign) and ast.unparse(line.targets[0]) in (
                "component",
                "plugin",
            ):
                found[f"{base} {ast.literal_eval(line.value)}"] = node.name
    return found


@pytest.mark.parametrize("component", COMPONENTS)
def test_the_component_is_put_through_a_contract(component: str, contracts: dict[str, str]) -> None:
    assert contracts.get(component, "").startswith("Test"), (
        f"no class Test... in {HERE.name}/ is the contract of {component}: inherit from the class "
        "of its kind in glowplug.testing, and name it by component = '...'"
    )


def test_no_contract_is_about_a_component_that_there_is_not(contracts: dict[str, str]) -> None:
    assert set(contracts) - set(COMPONENTS) == set()
