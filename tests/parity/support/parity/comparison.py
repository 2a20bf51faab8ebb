"""Running one program on both libraries.

Owns: what is compared.
Must not know: where programs come from.
"""

from __future__ import annotations

from dataclasses import dataclass

from parity.departures import Departure
from parity.interpreter import Interpreter
from parity.kits import GLOWPLUG, IGNITE
from parity.programs import Program
from parity.reference import Reference


@dataclass(frozen=True)
class Comparison:
    """Two logs of one program.

    Args:
        ours: glowplug's log, as far as it is compared.
        theirs: pytorch-ignite's log, as far as it is compared.
        met: the departures that were met.
        cut: the departure at which the comparison ends, if any.
    """

    ours: list[str]
    theirs: list[str]
    met: frozenset[Departure]
    cut: Departure | None


def compared(program: Program) -> Comparison:
    """Run a program on both."""
    theirs = Reference(IGNITE, program)
    theirs.play()
    ours = Interpreter(GLOWPLUG, program)
    ours.play()
    end, cut = theirs.cut or (None, None)
    return Comparison(ours.log[:end], theirs.log[:end], frozenset(theirs.met), cut)
