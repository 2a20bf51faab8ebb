"""The contract of trainers, kept and broken."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

Judge = Callable[..., Any]

TRAINER = """
    import random
    from glowplug import Engine, Events

    class Step:
        def __init__(self):
            self.mean = 0.0

        def __call__(self, engine, batch):
            self.mean += 0.5 * (batch - self.mean)
            return self.mean

    def create_trainer(step_class=Step):
        return Engine(step_class())
"""
CONTRACT = """
    from glowplug.testing import TrainerContract

    class TestTrainer(TrainerContract):
        def make(self):
            return create_trainer()
"""


def test_a_strangers_trainer_keeps_the_contract(judge: Judge) -> None:
    verdicts = judge(TRAINER, CONTRACT)
    assert verdicts.of("failed") == verdicts.of("skipped") == []
    assert "two_engines_share_nothing" in verdicts


BROKEN = {
    "no engine": (
        "TestTrainer.make = lambda self: Step()",
        "it_is_what_its_kind_asks_for",
        "expected an Engine; got",
    ),
    "does nothing": (
        "TestTrainer.run = lambda self, engine: None",
        "it_runs_to_its_end",
        "did not do a single iteration",
    ),
    "one for all": (
        "single = create_trainer()\nTestTrainer.make = lambda self: single",
        "two_engines_share_nothing",
        "handler _nothing at STARTED: added",
    ),
    "starts anew after an interruption": (
        "def forget(engine): engine._step.mean = 0.0\n"
        "def create_trainer():\n"
        "    engine = Engine(Step())\n"
        "    engine.add_event_handler(Events.INTERRUPT, forget)\n"
        "    return engine",
        "an_interrupted_run_goes_on_to_the_same_outcome",
        "interrupted, it came to another outcome",
    ),
    "left to chance": (
        "own = random.Random()\nStep.__call__ = lambda self, engine, batch: own.random()",
        "two_of_them_come_to_the_same_outcome",
        "left to chance",
    ),
    "a step within a function": (
        "def create_trainer():\n    def step(engine, batch): return batch\n    return Engine(step)",
        "it_pickles_or_says_why_not",
        "local object",
    ),
}


@pytest.mark.parametrize(("change", "failing", "said"), BROKEN.values(), ids=BROKEN)
def test_a_broken_trainer_fails_in_the_test_that_is_about_it(
    change: str, failing: str, said: str, judge: Judge
) -> None:
    verdicts = judge(TRAINER, CONTRACT, change)
    assert failing in verdicts.of("failed")
    assert said in verdicts.said[failing]
