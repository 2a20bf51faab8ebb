"""The pages "What differs from pytorch-ignite" list every departure, and show its code."""

from __future__ import annotations

from pathlib import Path

import pytest
from parity.departures import Departure
from parity.examples import Example
from parity.kits import GLOWPLUG, IGNITE
from parity.library import EXAMPLES
from parity.listing import outcome_of, program
from parity.page import CODE, PAGE, PARTS, written


@pytest.mark.parametrize("departure", Departure, ids=lambda departure: departure.name)
def test_the_page_holds_the_name_and_the_sentence_of_a_departure(departure: Departure) -> None:
    page = PAGE.read_text("utf-8")
    assert f"| `{departure.name}` | {departure.sentence} |" in page
    assert f"## `{departure.name}`\n\n{departure.sentence}\n" in CODE.read_text("utf-8")


@pytest.mark.parametrize("path", PARTS, ids=lambda path: path.stem)
def test_what_is_written_from_the_departures_is_current(path: Path) -> None:
    assert written(path) == path.read_text("utf-8"), "`python -m parity.page` in parity/support"


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.play.__name__)
def test_the_code_on_the_page_does_on_both_libraries_what_the_page_says(example: Example) -> None:
    code = program(example)
    assert code in CODE.read_text("utf-8")
    assert "kit" not in code
    assert outcome_of(example, GLOWPLUG) == example.ours
    assert outcome_of(example, IGNITE) == example.theirs
