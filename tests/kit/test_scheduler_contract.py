"""The contract of schedulers, kept and broken."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

Judge = Callable[..., Any]

HALVING = """
    class Halving:
        def __init__(self):
            self.rate = 1.0

        def attach(self, engine):
            if engine.has_event_handler(self.halve):
                raise ValueError("this schedule is attached already")
            return engine.add_event_handler("EPOCH_COMPLETED", self.halve)

        def halve(self):
            self.rate /= 2

        def state_dict(self):
            return {"rate": self.rate}

        def load_state_dict(self, state):
            self.rate = state["rate"]
"""
CONTRACT = """
    from glowplug.testing import SchedulerContract

    class TestHalving(SchedulerContract):
        attaching_twice = "error"

        def make(self):
            return Halving()

        def value(self, engine, scheduler):
            return scheduler.rate
"""


def test_a_strangers_scheduler_keeps_the_contract(judge: Judge) -> None:
    verdicts = judge(HALVING, CONTRACT)
    assert verdicts.of("failed") == verdicts.of("skipped") == []
    assert "the_value_changes_over_a_run" in verdicts


def test_a_value_that_is_changed_in_place_is_seen_to_change(judge: Judge) -> None:
    groups = """
        def halve(self):
            self.rate /= 2
            self.groups[0]["lr"] = self.rate
        Halving.halve, Halving.groups = halve, [{"lr": 1.0}]
        TestHalving.value = lambda self, engine, scheduler: scheduler.groups
    """
    assert "the_value_changes_over_a_run" in judge(HALVING, CONTRACT, groups).of("passed")


def test_a_schedule_that_moves_nothing_fails(judge: Judge) -> None:
    verdicts = judge(HALVING, CONTRACT, "Halving.halve = lambda self: None")
    assert verdicts.of("failed") == ["the_value_changes_over_a_run"]
    assert "the value was 1.0 all the time" in verdicts.said["the_value_changes_over_a_run"]


def test_a_schedule_that_does_not_save_fails(judge: Judge) -> None:
    verdicts = judge(HALVING, CONTRACT, "Halving.load_state_dict = lambda self, state: None")
    failing = "a_run_goes_on_from_any_saved_iteration_to_the_same_outcome"
    assert verdicts.of("failed") == [failing]
    assert "['value']: 0.25, not 0.125" in verdicts.said[failing]


def test_a_contract_that_does_not_say_what_is_scheduled_is_told_to(judge: Judge) -> None:
    verdicts = judge(HALVING, CONTRACT, "del TestHalving.value")
    said = verdicts.said["the_value_changes_over_a_run"]
    assert "TestHalving: define value(self, engine, component)" in said
