from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
import pytest
import torch

from glowplug import Engine, Events
from glowplug.errors import InvalidArgument, InvalidType
from glowplug_checkpoint import Checkpoint

Saved = list[tuple[str, Any]]


def saving(saved: Saved, **kwargs: Any) -> Checkpoint:
    """Return a Checkpoint that puts down names and priorities."""
    return Checkpoint(
        {"m": torch.nn.BatchNorm1d(1)},
        lambda content, name, about: saved.append((name, about["priority"])),
        **kwargs,
    )


def engine(**metrics: Any) -> Engine[Any, Any]:
    made: Engine[Any, Any] = Engine(lambda engine, batch: batch)
    made.state.metrics.update(metrics)
    return made


@pytest.mark.parametrize(
    ("score", "name", "number"),
    [
        (0.98765, "m_0.9877.pt", 0.98765),
        (3, "m_3.pt", 3),
        (True, "m_1.pt", 1),
        (torch.tensor(0.5), "m_0.5000.pt", 0.5),
        (torch.tensor([[2]]), "m_2.pt", 2),
        (torch.tensor(0.25, requires_grad=True), "m_0.2500.pt", 0.25),
        (np.float32(0.5), "m_0.5000.pt", 0.5),
        (np.int64(7), "m_7.pt", 7),
        (np.array([0.5]), "m_0.5000.pt", 0.5),
        (Fraction(1, 4), "m_0.2500.pt", 0.25),
        (0.0, "m_0.0000.pt", 0.0),
        (float("inf"), "m_inf.pt", float("inf")),
    ],
)
def test_a_score_is_any_one_number(score: Any, name: str, number: float) -> None:
    saved: Saved = []
    saving(saved, score_function=lambda engine: score)(engine())
    assert saved == [(name, number)]
    assert type(saved[0][1]) is type(number)


@pytest.mark.parametrize(
    ("score", "message"),
    [
        ("0.5", "a score is a number, .* '0.5' of type str"),
        (None, "a score is a number, .* None of type NoneType"),
        (torch.zeros(2), r"one number, got Tensor of shape \(2,\); reduce it"),
        (np.zeros((2, 1)), r"one number, got ndarray of shape \(2, 1\)"),
        (1j, "a score is a number, .* 1j of type complex"),
    ],
)
def test_a_score_that_is_no_number_is_an_error(score: Any, message: str) -> None:
    saved: Saved = []
    with pytest.raises(InvalidType, match=message):
        saving(saved, score_function=lambda engine: score)(engine())
    assert saved == []


def test_a_scores_name_alone_makes_the_metric_the_score() -> None:
    saved: Saved = []
    saving(saved, score_name="accuracy")(engine(accuracy=torch.tensor(0.5)))
    assert saved == [("m_accuracy=0.5000.pt", 0.5)]


def test_a_metric_that_there_is_not_is_told_with_those_that_there_are() -> None:
    saved: Saved = []
    with pytest.raises(InvalidArgument, match=r"no metric 'acuracy' .* did you mean 'accuracy'"):
        saving(saved, score_name="acuracy")(engine(accuracy=0.5, loss=0.1))


def test_a_metric_that_nobody_computes_is_told_before_the_first_step() -> None:
    trainer = engine()
    saving([], score_name="accuracy").attach(trainer)
    with pytest.warns(match="accuracy"), pytest.raises(InvalidArgument, match="accuracy"):
        trainer.run([1])


@pytest.mark.parametrize(("sign", "score"), [(1.0, 0.25), (-1.0, -0.25), (-1, -0.25)])
def test_the_default_score_is_the_metric_times_the_sign(sign: float, score: float) -> None:
    assert Checkpoint.get_default_score_fn("loss", sign)(engine(loss=0.25)) == score


@pytest.mark.parametrize("sign", [0.5, 0, -2.0])
def test_another_sign_is_refused(sign: float) -> None:
    with pytest.raises(InvalidArgument, match=r"score_sign must be 1.0, .* or -1.0"):
        Checkpoint.get_default_score_fn("loss", sign)


def test_a_metrics_name_that_is_no_string_is_refused() -> None:
    with pytest.raises(InvalidType, match="metric_name must be a string, got 3"):
        Checkpoint.get_default_score_fn(3)  # type: ignore[arg-type]  # that is the test


def test_the_best_model_is_saved_by_the_evaluator_with_the_trainers_epoch() -> None:
    from glowplug_checkpoint import global_step_from_engine

    saved: Saved = []
    trainer, evaluator = engine(), engine()
    best = saving(saved, score_name="a", global_step_transform=global_step_from_engine(trainer))
    evaluator.add_event_handler(Events.COMPLETED, best)

    @trainer.on(Events.EPOCH_COMPLETED)
    def validate(trainer: Engine[Any, Any]) -> None:
        evaluator.state.metrics["a"] = 1 / trainer.state.epoch
        evaluator.run([1])

    trainer.run([1, 2], max_epochs=3)
    assert saved == [("m_1_a=1.0000.pt", 1.0)]
