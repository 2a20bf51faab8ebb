"""Programs run the same on glowplug and on pytorch-ignite, but for the departures that are meant.

``support/parity/departures.py`` names them and says how each is dealt with. Hypothesis draws
PARITY_EXAMPLES programs, new ones each time; without that variable always the same 1000.
"""

from __future__ import annotations

import os

import pytest
from hypothesis import HealthCheck, event, given, note, settings
from parity.comparison import compared
from parity.departures import Departure, Handling
from parity.meetings import MEETINGS
from parity.programs import Program
from parity.strategies import programs

EXAMPLES = os.environ.get("PARITY_EXAMPLES")


@settings(
    max_examples=int(EXAMPLES or 1000),
    derandomize=EXAMPLES is None,
    database=None,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(program=programs())
def test_a_program_runs_as_on_pytorch_ignite_but_for_the_departures(program: Program) -> None:
    comparison = compared(program)
    for departure in sorted(comparison.met, key=lambda met: met.name):
        event(departure.name)
        note(f"met {departure.name}: {departure.handling.value}")
    assert comparison.ours == comparison.theirs


@pytest.mark.parametrize("departure", MEETINGS, ids=lambda departure: departure.name)
def test_a_program_that_meets_a_departure_runs_the_same_where_it_is_dealt_with(
    departure: Departure,
) -> None:
    comparison = compared(MEETINGS[departure])
    assert comparison.ours == comparison.theirs
    assert departure in comparison.met
    assert comparison.cut is (departure if departure.handling is Handling.CUT else None)


def test_every_departure_that_is_dealt_with_is_met_by_a_program() -> None:
    dealt_with = {known for known in Departure if known.handling is not Handling.AVOIDED}
    assert set(MEETINGS) == dealt_with
