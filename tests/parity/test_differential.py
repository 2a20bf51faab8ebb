"""Programs that Hypothesis draws run the same on glowplug and on pytorch-ignite.

Only the departures that are meant are excepted, each by its name: see
``support/parity/departures.py``. ``PARITY_EXAMPLES`` sets how many programs are drawn.
"""

from __future__ import annotations

import os

from hypothesis import HealthCheck, event, given, note, settings
from parity.interpreter import Interpreter
from parity.kits import GLOWPLUG, IGNITE
from parity.programs import Program
from parity.reference import Reference
from parity.strategies import programs

EXAMPLES = int(os.environ.get("PARITY_EXAMPLES", "400"))


@settings(
    max_examples=EXAMPLES,
    derandomize="PARITY_EXAMPLES" not in os.environ,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(program=programs())
def test_a_program_runs_as_on_pytorch_ignite_but_for_the_departures(program: Program) -> None:
    theirs = Reference(IGNITE, program)
    theirs.play()
    ours = Interpreter(GLOWPLUG, program)
    ours.play()
    for departure in sorted(theirs.met, key=lambda met: met.name):
        event(departure.name)
    note(f"met: {sorted(met.name for met in theirs.met)}, cut: {theirs.cut}")
    end = None if theirs.cut is None else theirs.cut[0]
    assert ours.log[:end] == theirs.log[:end]
