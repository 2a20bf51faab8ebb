"""All examples.

Owns: the list.
Must not know: what is in it.
"""

from __future__ import annotations

from parity import examples_of_events, examples_of_runs, examples_of_stops

EXAMPLES = (
    *examples_of_events.EXAMPLES,
    *examples_of_runs.EXAMPLES,
    *examples_of_stops.EXAMPLES,
)
