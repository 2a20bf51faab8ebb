"""The contract of metrics, kept and broken."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

Judge = Callable[..., Any]

LARGEST = """
    class Largest:
        largest = float("-inf")

        def attach(self, engine, name):
            if not engine.has_event_handler(self.update):
                engine.add_event_handler("EPOCH_STARTED", self.reset)
                engine.add_event_handler("ITERATION_COMPLETED", self.update, name)

        def detach(self, engine):
            engine.remove_event_handler(self.reset, "EPOCH_STARTED")
            engine.remove_event_handler(self.update, "ITERATION_COMPLETED")

        def reset(self, engine):
            if engine.state.iteration % 4 == 0:
                self.largest = float("-inf")

        def update(self, engine, name):
            self.largest = max(self.largest, engine.state.output)
            engine.state.metrics[name] = self.largest

        def state_dict(self):
            return {"largest": self.largest}

        def load_state_dict(self, state):
            self.largest = state["largest"]
"""
CONTRACT = """
    from glowplug.testing import MetricContract

    class TestLargest(MetricContract):
        expected = 8.0

        def make(self):
            return Largest()

        def data(self):
            return [8.0, 2.0, 1.0, 4.0]
"""


def test_a_strangers_metric_keeps_the_contract(judge: Judge) -> None:
    verdicts = judge(LARGEST, CONTRACT)
    assert verdicts.of("failed") == verdicts.of("skipped") == []
    assert "another_run_begins_anew" in verdicts


BROKEN = {
    "under another name": (
        "Largest.update = lambda s, engine, name: engine.state.metrics.update(largest=8.0)",
        "its_value_is_found_under_its_name_and_is_the_expected_one",
        "there is no 'metric' in state.metrics, but 'largest'",
    ),
    "another value": (
        "TestLargest.expected = 7.0",
        "its_value_is_found_under_its_name_and_is_the_expected_one",
        "the value is 8.0; expected = 7.0",
    ),
    "a value of another type": (
        "TestLargest.expected = [8.0]",
        "its_value_is_found_under_its_name_and_is_the_expected_one",
        "8.0 of type float, not [8.0] of type list",
    ),
    "nothing expected": (
        "del TestLargest.expected",
        "its_value_is_found_under_its_name_and_is_the_expected_one",
        "worked out by other means; got 8.0",
    ),
    "never reset": (
        "Largest.reset = lambda self, engine: None\n"
        "Largest.largest = 0\n"
        "Largest.update = lambda self, engine, name: (\n"
        "    setattr(self, 'largest', self.largest + (engine.state.epoch == 3) * 2.0),\n"
        "    engine.state.metrics.update({name: self.largest}))",
        "another_run_begins_anew",
        "16.0, not 8.0",
    ),
}


def test_a_value_that_a_second_run_leaves_as_it_was_is_not_its_own(judge: Judge) -> None:
    once = """
        def attach(self, engine, name):
            handle = engine.add_event_handler("ITERATION_COMPLETED", self.update, name)
            engine.add_event_handler("COMPLETED", handle.remove)
            return handle
        Largest.attach = attach
        del Largest.detach
    """
    said = judge(LARGEST, CONTRACT, once).said["another_run_begins_anew"]
    assert "there is no 'metric' in state.metrics, but nothing" in said


def test_a_value_that_goes_on_in_place_does_not_begin_anew(judge: Judge) -> None:
    gathered = """
        def update(self, engine, name):
            self.gathered = getattr(self, "gathered", [])
            self.gathered.append(engine.state.output)
            engine.state.metrics[name] = self.gathered
        Largest.update = update
    """
    verdicts = judge(LARGEST, CONTRACT, gathered)
    assert ".length: 24, not 12" in verdicts.said["another_run_begins_anew"]


@pytest.mark.parametrize(("change", "failing", "said"), BROKEN.values(), ids=BROKEN)
def test_a_broken_metric_fails_in_the_test_that_is_about_it(
    change: str, failing: str, said: str, judge: Judge
) -> None:
    verdicts = judge(LARGEST, CONTRACT, change)
    assert failing in verdicts.of("failed")
    assert set(verdicts.of("failed")) <= {failing, "another_run_begins_anew"}
    assert said in verdicts.said[failing]
