"""The tests of acme-nan-stop."""

from __future__ import annotations

import doctest
from typing import Any

import pytest
from glowplug import Engine
from glowplug.testing import ComponentContract, assert_plugin_ok, run_engine

import acme_nan_stop.handler
from acme_nan_stop import AcmeNanStop


class TestAcmeNanStop(ComponentContract):
    """It keeps the contract of every component."""

    attaching_twice = "error"

    def make(self) -> AcmeNanStop:
        return AcmeNanStop(patience=2)

    def data(self) -> list[float]:
        return [float("nan"), 1.0, float("nan")]


def engine_with(handler: AcmeNanStop) -> Engine[Any, Any]:
    """Return an engine whose outputs are its batches."""
    return Engine(lambda engine, batch: batch, handlers=[handler])


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), {"loss": [1.0, float("-inf")]}])
def test_an_output_that_is_not_finite_ends_the_run(bad: Any) -> None:
    events = run_engine(engine_with(AcmeNanStop()), [1.0, bad, 2.0])
    assert events.only("TERMINATE") == [("TERMINATE", 1, 2, 1)]


def test_finite_outputs_do_not() -> None:
    events = run_engine(engine_with(AcmeNanStop()), [1.0, {"loss": 2}, (3, 4.5)])
    assert "TERMINATE" not in events.names


def test_patience_is_for_outputs_in_a_row() -> None:
    engine = engine_with(AcmeNanStop(patience=2))
    for _ in range(2):  # a new run has all of it
        assert engine.run([float("nan"), 1.0, float("nan"), float("inf"), 2.0]).iteration == 4
        engine.state.max_epochs = None


def test_a_patience_below_one_is_an_error() -> None:
    with pytest.raises(ValueError, match="patience must be 1 or more, got 0"):
        AcmeNanStop(patience=0)


def test_what_is_watched_can_be_chosen() -> None:
    engine = engine_with(AcmeNanStop(lambda output: output["loss"]))
    assert engine.run([{"loss": 1.0, "text": "nan"}] * 2).iteration == 2


def test_what_is_no_number_is_an_error_that_says_what_to_do() -> None:
    with pytest.raises(TypeError, match="got 'text' of type str; choose what is watched"):
        engine_with(AcmeNanStop()).run(["text"])


def test_the_examples_of_the_docstrings_hold() -> None:
    assert doctest.testmod(acme_nan_stop.handler).failed == 0


def test_the_installed_plugin_is_whole() -> None:
    assert_plugin_ok("acme-nan-stop")
