"""The generator draws what the differential test is about, and the departures hide little of it."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from parity.departures import Departure, Handling
from parity.interpreter import Interpreter
from parity.kits import GLOWPLUG, IGNITE
from parity.programs import Program
from parity.reference import Reference
from parity.strategies import programs

PROGRAMS = 500


@pytest.fixture(scope="module")
def shares() -> dict[str, float]:
    """Draw programs, and return the share of them in which each fact and departure was met."""
    met: Counter[str] = Counter()

    @settings(
        max_examples=PROGRAMS,
        derandomize=True,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(programs())
    def measure(program: Program) -> None:
        ours, theirs = Interpreter(GLOWPLUG, program), Reference(IGNITE, program)
        ours.play()
        theirs.play()
        met["drawn"] += 1
        met.update(fact for fact, times in ours.facts.items() if times)
        met.update(departure.name for departure in theirs.met)
        if theirs.cut is not None:
            met["cut"] += 1
            met["lines cut"] += len(ours.log) - theirs.cut[0]
        met["lines"] += len(ours.log)

    measure()
    print(sorted(met.items()))
    return {name: times / met["drawn"] for name, times in met.items()}


@pytest.mark.parametrize(
    ("fact", "least"),
    [
        ("step", 0.85),
        ("Terminate", 0.05),
        ("TerminateEpoch", 0.15),
        ("interrupted", 0.15),
        ("Fail", 0.1),
        ("left by an error", 0.15),
        ("filtered", 0.3),
        ("SetData", 0.04),
        ("Attach", 0.04),
        ("Detach", 0.03),
        ("Fire", 0.1),
        ("DATALOADER_STOP_ITERATION", 0.15),
        ("EXCEPTION_RAISED", 0.1),
        ("TERMINATE_SINGLE_EPOCH", 0.1),
        ("TERMINATE", 0.05),
        ("INTERRUPT", 0.15),
    ],
)
def test_enough_programs_do_what_the_comparison_is_about(
    shares: dict[str, float], fact: str, least: float
) -> None:
    """Of 500 programs: see the table below for what was measured when this was written.

    SHARES
    """
    assert shares[fact] >= least


def test_the_departures_cut_off_little_of_what_is_compared(shares: dict[str, float]) -> None:
    """Measured: CUTS."""
    assert shares["cut"] < 0.2
    assert shares["lines cut"] / shares["lines"] < 0.15


def test_hardly_a_call_of_run_is_refused(shares: dict[str, float]) -> None:
    assert shares[Departure.A_REFUSED_RUN_CHANGES_NOTHING.name] < 0.15


@pytest.mark.parametrize(
    "departure", [d for d in Departure if d.handling is not Handling.AVOIDED], ids=lambda d: d.name
)
def test_a_departure_that_is_dealt_with_is_met(
    shares: dict[str, float], departure: Departure
) -> None:
    assert departure.name in shares


@pytest.mark.parametrize(
    "departure", [d for d in Departure if d.handling is Handling.AVOIDED], ids=lambda d: d.name
)
def test_a_departure_that_is_avoided_is_never_dealt_with(
    shares: dict[str, float], departure: Departure
) -> None:
    assert departure.name not in shares
