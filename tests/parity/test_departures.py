"""Every departure from pytorch-ignite is shown by an example that both libraries run."""

from __future__ import annotations

import pytest
from parity.departures import Departure
from parity.examples import Example
from parity.kits import GLOWPLUG, IGNITE
from parity.library import EXAMPLES


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.departure.name)
def test_glowplug_does_what_the_example_of_a_departure_says(example: Example) -> None:
    assert example.play(GLOWPLUG) == example.ours


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.departure.name)
def test_pytorch_ignite_does_what_the_example_of_a_departure_says(example: Example) -> None:
    assert example.play(IGNITE) == example.theirs


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.departure.name)
def test_an_example_of_a_departure_shows_a_difference(example: Example) -> None:
    assert example.ours != example.theirs


def test_every_departure_has_an_example() -> None:
    assert {example.departure for example in EXAMPLES} == set(Departure)
