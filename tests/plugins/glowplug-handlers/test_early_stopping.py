"""Early stopping, held against a slow model and what its users know of it."""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Sequence
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from glowplug import Engine, Events, component
from glowplug.errors import InvalidArgument, InvalidType
from glowplug_handlers import DeprecatedArgument, EarlyStopping, ScoreFailed

NAN, INF = math.nan, math.inf
Track = list[tuple[float | None, int, bool]]


def track(scores: Sequence[Any], patience: int = 2, **given: Any) -> Track:
    """Return best score, count and whether the run was ended, after each of the scores."""
    trainer: Engine[Any, Any] = Engine(lambda engine, batch: None)
    stopping = EarlyStopping(patience, lambda engine: engine.state.output, trainer, **given)
    evaluator: Engine[Any, Any] = Engine(lambda engine, batch: batch)
    evaluator.add_event_handler(Events.COMPLETED, stopping)
    seen: Track = []
    for score in scores:
        trainer.should_terminate = False
        evaluator.run([score])
        seen.append((stopping.best_score, stopping.counter, trainer.should_terminate))
    return seen


def test_a_run_ends_after_as_many_evaluations_without_improvement_as_the_patience() -> None:
    scores = iter([0.2, 0.4, 0.3, 0.35, 0.9])
    trainer: Engine[Any, Any] = Engine(lambda engine, batch: None)
    evaluator: Engine[Any, Any] = Engine(lambda engine, batch: next(scores))
    EarlyStopping(2, lambda engine: engine.state.output, trainer).attach(evaluator)
    trainer.add_event_handler(Events.EPOCH_COMPLETED, lambda: evaluator.run([0]))
    assert trainer.run([0], max_epochs=9).epoch == 4


def test_a_score_that_is_equal_to_the_best_is_no_improvement() -> None:
    assert track([1, 2, 2, 2.5, 1]) == [
        (1, 0, False),
        (2, 0, False),
        (2, 1, False),
        (2.5, 0, False),
        (2.5, 1, False),
    ]


def test_a_score_below_the_threshold_becomes_the_best_and_counts_as_no_improvement() -> None:
    assert track([1, 1.5, 2, 2.5], patience=9, threshold=1) == [
        (1, 0, False),
        (1.5, 1, False),
        (2, 2, False),
        (2.5, 3, False),
    ]


def test_where_it_is_cumulative_small_improvements_add_up() -> None:
    assert track([1, 1.5, 2, 2.5], patience=9, threshold=1, cumulative=True) == [
        (1, 0, False),
        (1, 1, False),
        (1, 2, False),
        (2.5, 0, False),
    ]


@pytest.mark.parametrize(
    ("mode", "scores", "counts"),
    [
        ("max", [10, 10.9, 12.1], [0, 1, 0]),
        ("min", [10, 9.1, 8.0], [0, 1, 0]),
        ("max", [-10, -9.1, -8.0], [0, 1, 0]),
        ("min", [-10, -10.9, -12.1], [0, 1, 0]),
        ("max", [-10, -10.5, -10.9], [0, 1, 2]),
    ],
)
def test_a_relative_threshold_is_a_share_of_the_best_scores_size(
    mode: str, scores: list[float], counts: list[int]
) -> None:
    seen = track(scores, patience=9, threshold=0.1, threshold_mode="rel", mode=mode)
    assert [count for _, count, _ in seen] == counts


def test_nan_counts_as_no_improvement_and_never_becomes_the_best() -> None:
    assert track([1, NAN, 2, NAN, NAN]) == [
        (1, 0, False),
        (1, 1, False),
        (2, 0, False),
        (2, 1, False),
        (2, 2, True),
    ]


def test_nan_from_the_start_ends_the_run_too() -> None:
    assert track([NAN, NAN, 3]) == [(None, 1, False), (None, 2, True), (3, 0, False)]


def test_nan_is_logged_as_a_warning(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        track([1, NAN])
    assert "the score is NaN, which counts as no improvement (best score: 1.0)" in caplog.text


@pytest.mark.parametrize("threshold_mode", ["abs", "rel"])
def test_an_infinite_score_is_beaten_by_any_that_is_better(threshold_mode: str) -> None:
    seen = track([-INF, -INF, 0.0, INF, INF], 9, threshold=0.5, threshold_mode=threshold_mode)
    assert [count for _, count, _ in seen] == [0, 1, 0, 0, 1]


numbers = st.floats(-8, 8).map(lambda x: round(x * 2) / 2) | st.sampled_from([NAN, INF, -INF])


@settings(deadline=None)
@given(
    st.lists(numbers, max_size=12),
    st.integers(1, 4),
    st.sampled_from([0.0, 0.5, 1.0]),
    st.booleans(),
    st.sampled_from(["abs", "rel"]),
    st.sampled_from(["min", "max"]),
)
def test_it_counts_as_a_slow_model_does(
    scores: list[float], patience: int, threshold: float, cumulative: bool, by: str, mode: str
) -> None:
    sign = 1 if mode == "max" else -1
    expected: Track = []
    for length in range(1, len(scores) + 1):
        counted, best, count = -INF, -INF, 0
        known = False
        for score in (sign * s for s in scores[:length]):
            base = counted if cumulative else best
            margin = 0 if math.isinf(base) else threshold * (abs(base) if by == "rel" else 1)
            better = score > base + margin or (not known and not math.isnan(score))
            count = 0 if better else count + 1
            counted = score if better else counted
            best = score if better or score > best else best
            known = known or not math.isnan(score)
        kept = counted if cumulative else best
        expected.append((sign * kept if known else None, count, count >= patience))
    assert (
        track(
            scores,
            patience,
            threshold=threshold,
            cumulative=cumulative,
            threshold_mode=by,
            mode=mode,
        )
        == expected
    )


def test_a_tensor_of_one_element_is_a_score_and_is_kept_as_a_number() -> None:
    ((best, _, _),) = track([torch.tensor([2.5])])
    assert type(best) is float


@pytest.mark.parametrize(
    ("score", "said"),
    [
        (None, "returned None of type NoneType; expected a number, or a tensor of one element"),
        ("0.5", "returned '0.5' of type str"),
        (torch.ones(2), r"returned tensor.* of type Tensor and shape \(2,\)"),
        (1j, "returned 1j of type complex"),
    ],
)
def test_a_score_that_is_no_number_is_refused_by_name(score: Any, said: str) -> None:
    with pytest.raises(InvalidType, match=f"the score function .*<lambda> {said}"):
        track([score])


def test_an_error_of_the_score_function_tells_which_metrics_there_are() -> None:
    evaluator: Engine[Any, Any] = Engine(lambda engine, batch: None)
    evaluator.state.metrics = {"loss": 0.5, "accuracy": 0.9}
    stopping = EarlyStopping(2, lambda e: e.state.metrics["acc"], evaluator)
    said = r"raised KeyError: 'acc' \(metrics of the engine: 'loss', 'accuracy'\)"
    with pytest.raises(ScoreFailed, match=said) as caught:
        stopping(evaluator)
    assert isinstance(caught.value.__cause__, KeyError)


def test_it_begins_anew_at_an_event_of_another_engine() -> None:
    trainer: Engine[Any, Any] = Engine(lambda engine, batch: None)
    evaluator: Engine[Any, Any] = Engine(lambda engine, batch: batch)
    stopping = EarlyStopping(2, lambda engine: engine.state.output, trainer)
    stopping.attach(evaluator, Events.COMPLETED, trainer, Events.STARTED)
    evaluator.run([3.0])
    evaluator.run([2.0])
    trainer.run([0])
    assert (stopping.best_score, stopping.counter) == (None, 0)


def test_a_run_that_goes_on_from_a_loaded_state_is_no_beginning() -> None:
    trainer: Engine[Any, Any] = Engine(lambda engine, batch: None)
    stopping = EarlyStopping(3, lambda engine: 0.0, trainer)
    stopping.attach(Engine(lambda engine, batch: None), Events.COMPLETED, trainer)
    trainer.load_state_dict({"iteration": 2, "epoch_length": 2, "max_epochs": 2})
    stopping.load_state_dict({"best_score": 0.5, "counter": 2})
    trainer.run([0, 1])
    assert (stopping.best_score, stopping.counter) == (0.5, 2)


def test_an_evaluation_before_the_run_goes_on_does_not_make_it_a_beginning() -> None:
    trainer: Engine[Any, Any] = Engine(lambda engine, batch: None)
    evaluator: Engine[Any, Any] = Engine(lambda engine, batch: None)
    stopping = EarlyStopping(9, lambda engine: 0.0, trainer)
    stopping.attach(evaluator, Events.COMPLETED, trainer)
    trainer.load_state_dict({"iteration": 2, "epoch_length": 2, "max_epochs": 2})
    stopping.load_state_dict({"best_score": 0.5, "counter": 2})
    evaluator.run([0])
    trainer.run([0, 1])
    assert (stopping.best_score, stopping.counter) == (0.5, 3)


def test_a_run_that_was_ended_and_goes_on_is_a_beginning() -> None:
    trainer: Engine[Any, Any] = Engine(lambda engine, batch: None)
    evaluator: Engine[Any, Any] = Engine(lambda engine, batch: None)
    EarlyStopping(1, lambda engine: 0.0, trainer).attach(evaluator, Events.COMPLETED, trainer)
    trainer.add_event_handler(Events.EPOCH_COMPLETED, lambda: evaluator.run([0]))
    assert trainer.run([0], max_epochs=9).epoch == 2
    assert trainer.run([0], max_epochs=9).epoch == 4


@pytest.mark.parametrize(("patience", "epochs", "said"), [(2, 3, True), (3, 4, False)])
def test_a_run_that_had_been_ended_ends_where_it_goes_on(
    patience: int, epochs: int, said: bool, caplog: pytest.LogCaptureFixture
) -> None:
    trainer: Engine[Any, Any] = Engine(lambda engine, batch: None)
    evaluator: Engine[Any, Any] = Engine(lambda engine, batch: None)
    stopping = EarlyStopping(patience, lambda engine: 0.0, trainer)
    stopping.attach(evaluator)
    trainer.add_event_handler(Events.EPOCH_COMPLETED, lambda: evaluator.run([0]))
    trainer.load_state_dict({"iteration": 3, "epoch_length": 1, "max_epochs": 9})
    stopping.load_state_dict({"best_score": 0.5, "counter": 2})
    with caplog.at_level(logging.INFO):
        assert trainer.run([0]).epoch == epochs
    assert ("the run ends, as it had; a patience above 2" in caplog.text) is said
    assert not trainer.has_event_handler(stopping._end_again)


def test_another_run_after_it_goes_on_as_ever() -> None:
    trainer: Engine[Any, Any] = Engine(lambda engine, batch: None)
    stopping = EarlyStopping(2, lambda engine: 0.0, trainer)
    for _ in range(2):
        stopping.load_state_dict({"best_score": 0.5, "counter": 2})
    assert trainer.run([0], max_epochs=3).epoch == 3  # it does not go on from anywhere
    assert trainer.run([0], max_epochs=5).epoch == 5


def test_a_new_run_after_loading_is_a_beginning() -> None:
    trainer: Engine[Any, Any] = Engine(lambda engine, batch: None)
    stopping = EarlyStopping(3, lambda engine: 0.0, trainer)
    stopping.attach(Engine(lambda engine, batch: None), Events.COMPLETED, trainer)
    stopping.load_state_dict({"best_score": 0.5, "counter": 2})
    trainer.run([0, 1])
    assert (stopping.best_score, stopping.counter) == (None, 0)


def test_further_arguments_of_attach_go_to_the_score_function() -> None:
    evaluator: Engine[Any, Any] = Engine(lambda engine, batch: batch)
    stopping = EarlyStopping(2, lambda engine, sign: sign * engine.state.output, evaluator)
    stopping.attach(evaluator, Events.COMPLETED, None, Events.STARTED, sign=-1)
    evaluator.run([3.0])
    assert stopping.best_score == -3.0


@pytest.mark.parametrize(
    ("former", "name", "value"),
    [
        ("min_delta", "threshold", 0.5),
        ("min_delta_mode", "threshold_mode", "rel"),
        ("cumulative_delta", "cumulative", True),
    ],
)
def test_a_former_name_is_taken_with_a_warning(former: str, name: str, value: Any) -> None:
    trainer: Engine[Any, Any] = Engine(lambda engine, batch: None)
    given: dict[str, Any] = {former: value}
    with pytest.warns(DeprecatedArgument, match=f"{former} is called {name} now: {name}="):
        stopping = EarlyStopping(2, len, trainer, **given)
    assert getattr(stopping, name) == getattr(stopping, former) == value


def test_the_warning_points_to_the_line_that_gave_the_former_name() -> None:
    with pytest.warns(DeprecatedArgument, match="min_delta is called threshold") as caught:
        EarlyStopping(2, len, Engine(lambda engine, batch: None), min_delta=0.5)
    assert caught[0].filename == __file__


def test_an_argument_and_its_former_name_may_not_contradict_each_other() -> None:
    with pytest.raises(InvalidArgument, match=r"min_delta=0\.5 is the former name of threshold"):
        EarlyStopping(2, len, Engine(lambda e, b: None), threshold=0.1, min_delta=0.5)


@pytest.mark.parametrize(
    ("change", "error", "said"),
    [
        ({"patience": 0}, InvalidArgument, "patience must be 1 or more, got 0"),
        ({"patience": 2.5}, InvalidType, "patience must be a whole number, got 2.5"),
        ({"score_function": 1}, InvalidType, r"score_function must be callable as f\(engine\)"),
        ({"trainer": None}, InvalidType, "trainer must be an Engine, got None"),
        ({"threshold": -0.1}, InvalidArgument, "threshold must be 0 or more, got -0.1"),
        ({"threshold": NAN}, InvalidArgument, "threshold must be .*, got nan"),
        ({"threshold_mode": "relative"}, InvalidArgument, "threshold_mode must be one of 'abs', "),
        ({"mode": "mix"}, InvalidArgument, "one of 'min', 'max', got 'mix'; did you mean "),
        ({"cumulative": 1}, InvalidType, "cumulative must be True or False, got 1"),
    ],
)
def test_an_argument_that_makes_no_sense_is_refused(
    change: dict[str, Any], error: type[Exception], said: str
) -> None:
    given = {"patience": 2, "score_function": len, "trainer": Engine(lambda e, b: None), **change}
    with pytest.raises(error, match=said):
        EarlyStopping(**given)


@pytest.mark.parametrize(
    ("saved", "error", "said"),
    [
        ([], InvalidType, r"the state of EarlyStopping must be what its state_dict\(\) returned"),
        ({"counter": 1}, InvalidArgument, "this one lacks 'best_score'"),
        ({"counter": -1, "best_score": 1.0}, InvalidArgument, "counter must be a whole number"),
        ({"counter": 1, "best_score": "x"}, InvalidType, "best_score is 'x' of type str"),
    ],
)
def test_a_state_that_is_none_is_refused_and_changes_nothing(
    saved: Any, error: type[Exception], said: str
) -> None:
    stopping = EarlyStopping(2, len, Engine(lambda engine, batch: None))
    with pytest.raises(error, match=said):
        stopping.load_state_dict(saved)
    assert stopping.state_dict() == {"counter": 0, "best_score": None}


def test_attaching_to_the_same_engine_again_is_refused() -> None:
    engine: Engine[Any, Any] = Engine(lambda engine, batch: None)
    stopping = EarlyStopping(2, len, engine)
    stopping.attach(engine)
    with pytest.raises(InvalidArgument, match="this EarlyStopping is attached to the engine"):
        stopping.attach(engine, Events.EPOCH_COMPLETED)


def test_a_refused_attachment_leaves_no_handler_behind() -> None:
    engine: Engine[Any, Any] = Engine(lambda engine, batch: None)
    stopping = EarlyStopping(2, len, engine)
    wrong: Any = "the trainer"
    with pytest.raises(InvalidType, match="reset_engine must be an Engine, got 'the trainer'"):
        stopping.attach(engine, Events.COMPLETED, wrong)
    assert not engine.has_event_handler(stopping)


def test_detaching_from_an_engine_that_it_is_not_attached_to_is_refused() -> None:
    engine: Engine[Any, Any] = Engine(lambda engine, batch: None)
    with pytest.raises(InvalidArgument, match="this EarlyStopping is not attached to the engine"):
        EarlyStopping(2, len, engine).detach(engine)


def test_it_is_found_in_the_catalog_by_its_name() -> None:
    found: Callable[..., Any] = component("handler", "early-stopping")
    assert found is EarlyStopping
