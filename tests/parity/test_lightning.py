"""Both halves of the page "Coming from Lightning" come to the same.

Owns: running each half as one program in a process of its own, and comparing their results.
Must not know: what the programs are about.
"""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import torch

PAGE = (
    Path(__file__).resolve().parents[2] / "docs" / "explanation" / "coming-from-lightning.md"
).read_text("utf-8")
BLOCK = re.compile(
    r"^```(?:python|\{code-block\} python)\n# (both|Lightning|glowplug)\n(.*?)^```", re.M | re.S
)


class Section(NamedTuple):
    """A section of the page, with its code by whose it is."""

    title: str
    blocks: list[tuple[str, str]]


def sections() -> list[Section]:
    """Return the sections that have code; the first sets up what both need."""
    parts = re.split(r"^## ", PAGE, flags=re.MULTILINE)
    found = [Section(part.partition("\n")[0], BLOCK.findall(part)) for part in parts]
    return [section for section in found if section.blocks]


PAIRS = [section.title for section in sections()[1:]]


def results(whose: str, folder: Path, *options: str) -> dict[str, Any]:
    """Run one half of the page, and return the result of each section."""
    program = "results = {}\n"
    for section in sections():
        program += "\n".join(code for of, code in section.blocks if of in (whose, "both"))
        program += f"\nresults[{section.title!r}] = globals().pop('result', None)\n"
    program += "torch.save(results, 'results')\n"
    (folder / "half.py").write_text(program, "utf-8")
    command = [sys.executable, *options, "half.py"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    loaded: dict[str, Any] = torch.load(folder / "results")
    return loaded


@pytest.fixture(scope="module")
def theirs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What Lightning's half comes to."""
    return results("Lightning", tmp_path_factory.mktemp("lightning"))


@pytest.fixture(scope="module")
def ours(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What glowplug's half comes to, warnings being errors."""
    return results("glowplug", tmp_path_factory.mktemp("glowplug"), "-W", "error")


@pytest.mark.parametrize("title", PAIRS)
def test_both_halves_of_a_section_come_to_the_same(
    title: str, ours: dict[str, Any], theirs: dict[str, Any]
) -> None:
    assert ours[title] is not None
    one, other = torch.as_tensor(ours[title]), torch.as_tensor(theirs[title])
    torch.testing.assert_close(one, other, rtol=1e-5, atol=1e-6)


def test_the_results_of_two_sections_differ(ours: dict[str, Any]) -> None:
    weights = [value for value in ours.values() if isinstance(value, torch.Tensor)]
    first, *others = [value for value in weights if value.dim() == 1]
    assert len(others) > 4
    assert not any(value.shape == first.shape and torch.equal(value, first) for value in others)


def test_every_section_with_code_has_both_halves_and_says_whose_each_block_is() -> None:
    whose = {section.title: {of for of, _ in section.blocks} for section in sections()[1:]}
    assert len(whose) > 10
    assert {title for title, of in whose.items() if not {"Lightning", "glowplug"} <= of} == set()
    assert len(BLOCK.findall(PAGE)) == len(re.findall(r"^```\S", PAGE, re.MULTILINE))
