"""The page "What differs from pytorch-ignite" lists every departure."""

from __future__ import annotations

import pytest
from parity.departures import Departure
from parity.page import PAGE, with_table


@pytest.mark.parametrize("departure", Departure, ids=lambda departure: departure.name)
def test_the_page_holds_the_name_and_the_sentence_of_a_departure(departure: Departure) -> None:
    page = PAGE.read_text("utf-8")
    assert f"| `{departure.name}` | {departure.sentence} |" in page


def test_the_table_on_the_page_is_the_one_that_is_written_from_the_departures() -> None:
    page = PAGE.read_text("utf-8")
    assert with_table(page) == page, "run `python -m parity.page` in tests/parity/support"
