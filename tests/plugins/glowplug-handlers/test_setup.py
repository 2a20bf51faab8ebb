"""The set-up functions: what they attach, through the catalog, and what they refuse before."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from collections.abc import Callable
from contextlib import redirect_stderr
from pathlib import Path
from typing import Any

import pytest
import torch
from torch.utils.data.distributed import DistributedSampler

from glowplug import Engine, Events, component
from glowplug.errors import InvalidArgument, InvalidType
from glowplug_handlers import (
    EarlyStopping,
    add_early_stopping_by_val_score,
    empty_cuda_cache,
    gen_save_best_models_by_val_score,
    save_best_model_by_val_score,
    setup_any_logging,
    setup_common_training_handlers,
)

Trainer = Engine[Any, Any]


@pytest.fixture
def trainer() -> Trainer:
    """An engine whose step returns a loss and an accuracy."""
    return Engine(lambda engine, batch: {"loss": batch / 2, "accuracy": 0.5})


@pytest.fixture
def model() -> torch.nn.Module:
    """A small model."""
    return torch.nn.Linear(1, 1)


def attached(engine: Trainer) -> list[str]:
    """Return what is attached to an engine."""
    return [str(row.handler) for row in engine.describe().rows]


def test_running_averages_of_the_output_become_metrics(trainer: Trainer) -> None:
    setup_common_training_handlers(trainer, output_names=["loss"], with_pbars=False)
    trainer.run([1.0] * 3, max_epochs=2)
    assert trainer.state.metrics == {"loss": 0.5}


@pytest.mark.parametrize("output", [(1.0, 2.0), [1.0, 2.0], {"a": 1.0, "b": 2.0, "c": 3.0}])
def test_an_output_of_several_parts_is_averaged_by_place_or_by_name(output: Any) -> None:
    trainer: Trainer = Engine(lambda engine, batch: output)
    setup_common_training_handlers(trainer, output_names=["a", "b"], with_pbars=False)
    assert trainer.run([0, 0]).metrics == {"a": 1.0, "b": 2.0}


def test_an_output_of_one_number_has_the_one_name() -> None:
    trainer: Trainer = Engine(lambda engine, batch: 4.0)
    setup_common_training_handlers(trainer, output_names=["loss"], with_pbars=False)
    assert trainer.run([0, 0]).metrics == {"loss": 4.0}


def test_the_run_ends_at_nan_unless_that_is_not_wanted() -> None:
    iterations = []
    for stop in (True, False):
        trainer: Trainer = Engine(lambda engine, batch: batch)
        setup_common_training_handlers(trainer, with_pbars=False, stop_on_nan=stop)
        iterations.append(trainer.run([1.0, float("nan"), 1.0]).iteration)
    assert iterations == [2, 3]


def test_a_checkpoint_is_saved_every_so_often(trainer: Trainer, model: Any, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").touch()
    objects = {"model": model, "trainer": trainer}
    setup_common_training_handlers(
        trainer,
        to_save=objects,
        output_path=str(tmp_path),
        save_every_iters=3,
        n_saved=2,
        with_pbars=False,
    )
    trainer.run([1.0] * 7, max_epochs=2)
    saved = sorted(path.name for path in tmp_path.glob("*.pt"))
    assert saved == ["training_checkpoint_12.pt", "training_checkpoint_9.pt"]


def test_a_checkpoint_may_be_saved_through_anything(trainer: Trainer, model: Any) -> None:
    names: list[str] = []
    setup_common_training_handlers(
        trainer,
        to_save={"m": model},
        save_handler=lambda checkpoint, filename, metadata: names.append(filename),
        save_every_iters=2,
        with_pbars=False,
    )
    trainer.run([1.0] * 5)
    assert names == ["training_m_2.pt", "training_m_4.pt"]


def test_a_sampler_is_told_each_epoch_from_zero(trainer: Trainer) -> None:
    data = torch.utils.data.TensorDataset(torch.ones(2))
    sampler: DistributedSampler[Any] = DistributedSampler(data, num_replicas=1, rank=0)
    setup_common_training_handlers(trainer, sampler, with_pbars=False)
    epochs: list[int] = []
    trainer.add_event_handler(Events.EPOCH_COMPLETED, lambda: epochs.append(sampler.epoch))
    trainer.run([1.0], max_epochs=3)
    assert epochs == [0, 1, 2]


def test_a_scheduler_of_torch_is_stepped_after_each_iteration(model: Any) -> None:
    optimizer = torch.optim.SGD(model.parameters(), lr=1.0)
    rates: list[float] = []

    def step(engine: Trainer, batch: Any) -> None:
        optimizer.step()
        rates.append(optimizer.param_groups[0]["lr"])

    trainer: Trainer = Engine(step)
    scheduler = torch.optim.lr_scheduler.ExponentialLR(optimizer, 0.5)
    setup_common_training_handlers(trainer, lr_scheduler=scheduler, with_pbars=False)
    trainer.run([0] * 2, max_epochs=2)
    assert rates == [1.0, 0.5, 0.25, 0.125]


def test_a_scheduler_that_is_a_handler_is_called_before_each_iteration(trainer: Trainer) -> None:
    seen: list[int] = []
    setup_common_training_handlers(
        trainer, lr_scheduler=lambda e: seen.append(e.state.iteration), with_pbars=False
    )
    trainer.add_event_handler(Events.ITERATION_COMPLETED, lambda: seen.append(0))
    trainer.run([1.0] * 2)
    assert seen == [1, 0, 2, 0]


def test_a_bar_of_epochs_is_shown_and_one_of_iterations_with_the_metrics(
    trainer: Trainer, clock: Any
) -> None:
    with redirect_stderr(io.StringIO()) as screen:
        setup_common_training_handlers(trainer, output_names=["loss"], log_every_iters=1)
        trainer.add_event_handler(Events.ITERATION_STARTED, lambda: clock.sleep(1))
        trainer.run([1.0] * 4, max_epochs=2)
    assert "Epoch" in screen.getvalue()
    assert "loss=0.5" in screen.getvalue()
    assert "[4/4]" in screen.getvalue()


def test_the_bar_of_iterations_can_be_left_out(trainer: Trainer) -> None:
    with redirect_stderr(io.StringIO()) as screen:
        setup_common_training_handlers(trainer, with_pbar_on_iters=False, log_every_iters=1)
        trainer.run([1.0] * 4, max_epochs=2)
    assert "[2/2]" in screen.getvalue()
    assert "[4/4]" not in screen.getvalue()


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is CUDA, whose cache is cleared")
def test_without_cuda_no_cache_is_cleared(trainer: Trainer) -> None:
    setup_common_training_handlers(trainer, with_pbars=False, stop_on_nan=False)
    assert attached(trainer) == []
    empty_cuda_cache(trainer)


class Plateau:
    """A scheduler whose step needs a metric."""

    def step(self, metric: float) -> None: ...


@pytest.mark.parametrize(
    ("arguments", "error", "said"),
    [
        ({"output_names": "loss"}, InvalidType, "output_names must be a list of names, got 'loss'"),
        ({"output_names": [1]}, InvalidType, "output_names must be a list of names, got 1 in it"),
        ({"to_save": {"a": 1}}, InvalidArgument, "to_save needs either output_path, .* neither"),
        (
            {"to_save": {}, "output_path": "a", "save_handler": print},
            InvalidArgument,
            "to_save needs either output_path, a folder, or save_handler; got both",
        ),
        ({"n_saved": 2}, InvalidArgument, "n_saved would be for the checkpoint, and there is none"),
        ({"train_sampler": 3}, InvalidType, r"train_sampler must have set_epoch\(epoch\)"),
        ({"lr_scheduler": 3}, InvalidType, "lr_scheduler must be a scheduler: a handler, or"),
        ({"lr_scheduler": Plateau()}, InvalidType, "of Plateau needs more than can be known here"),
        ({"log_every_iters": 0}, InvalidArgument, "log_every_iters must be 1 or more, got 0"),
    ],
)
def test_nothing_is_attached_where_an_argument_is_wrong(
    trainer: Trainer, arguments: Any, error: Any, said: str
) -> None:
    with pytest.raises(error, match=said):
        setup_common_training_handlers(trainer, **arguments)
    assert attached(trainer) == []


@pytest.mark.parametrize(
    ("output", "said"),
    [
        (
            {"los": 1.0},
            "output_names has 'loss', which the step's output lacks; did you mean 'los'",
        ),
        ([], "output_names has 'loss' at place 0, and the step's output has 0 parts"),
    ],
)
def test_an_output_without_the_part_that_is_averaged_is_an_error(output: Any, said: str) -> None:
    trainer: Trainer = Engine(lambda engine, batch: output)
    setup_common_training_handlers(
        trainer, output_names=["loss"], with_pbars=False, stop_on_nan=False
    )
    with pytest.raises(InvalidArgument, match=said):
        trainer.run([0])


@pytest.mark.parametrize(
    ("plugin", "arguments"),
    [
        ("glowplug-tqdm", "with_pbars=True"),
        ("glowplug-metrics", "output_names=['loss']"),
        ("glowplug-checkpoint", "to_save={'a': torch.nn.Linear(1, 1)}, output_path='x'"),
    ],
)
def test_a_plugin_that_is_missing_is_named_before_anything_is_attached(
    plugin: str, arguments: str
) -> None:
    program = f"""
import torch
from glowplug import Engine, GlowplugError
from glowplug_handlers import setup_common_training_handlers
trainer = Engine(lambda engine, batch: batch)
try:
    setup_common_training_handlers(trainer, {arguments})
except GlowplugError as error:
    assert {plugin!r} in str(error), error
    assert not trainer.describe().rows
else:
    raise AssertionError("nothing was raised")
"""
    environment = {**os.environ, "GLOWPLUG_DISABLE_PLUGINS": plugin}
    subprocess.run([sys.executable, "-c", program], check=True, env=environment)


@pytest.fixture
def evaluator() -> Trainer:
    """An evaluator whose accuracy is a half."""
    engine: Trainer = Engine(lambda engine, batch: batch)
    engine.state.metrics["Accuracy"] = 0.5
    return engine


def follow(trainer: Trainer, evaluator: Trainer, scores: list[float]) -> None:
    """Let the evaluator run after each epoch, and come to the next score."""

    def evaluate() -> None:
        evaluator.state.metrics["Accuracy"] = scores[trainer.state.epoch - 1]
        evaluator.run([0])

    trainer.add_event_handler(Events.EPOCH_COMPLETED, evaluate)


def test_the_best_models_are_kept_with_their_epochs(
    trainer: Trainer, evaluator: Trainer, model: Any, tmp_path: Path
) -> None:
    follow(trainer, evaluator, [0.1, 0.4, 0.2, 0.3])
    best = save_best_model_by_val_score(
        str(tmp_path), evaluator, model, "Accuracy", n_saved=2, trainer=trainer
    )
    trainer.run([1.0], max_epochs=4)
    names = sorted(path.name for path in tmp_path.glob("*.pt"))
    assert names == ["best_model_2_val_accuracy=0.4000.pt", "best_model_4_val_accuracy=0.3000.pt"]
    assert isinstance(best, component("handler", "checkpoint"))


def test_several_models_are_saved_together_and_less_may_be_better(
    evaluator: Trainer, model: Any
) -> None:
    names: list[str] = []
    gen_save_best_models_by_val_score(
        lambda checkpoint, filename, metadata: names.append(filename),
        evaluator,
        {"a": model, "b": torch.nn.Linear(1, 1)},
        "Accuracy",
        tag="test",
        score_sign=-1.0,
    )
    evaluator.run([0])
    assert names == ["best_checkpoint_test_accuracy=-0.5000.pt"]


def test_further_arguments_reach_the_checkpoint(evaluator: Trainer, model: Any) -> None:
    names: list[str] = []
    gen_save_best_models_by_val_score(
        lambda checkpoint, filename, metadata: names.append(filename),
        evaluator,
        model,
        "Accuracy",
        filename_prefix="top",
    )
    evaluator.run([0])
    assert names == ["top_model_val_accuracy=0.5000.pt"]


def test_the_run_is_stopped_when_the_metric_gets_no_better(
    trainer: Trainer, evaluator: Trainer
) -> None:
    follow(trainer, evaluator, [0.1, 0.2, 0.2, 0.2, 0.9])
    stopping = add_early_stopping_by_val_score(2, evaluator, trainer, "Accuracy")
    assert trainer.run([1.0], max_epochs=5).epoch == 4
    assert isinstance(stopping, EarlyStopping)


def test_a_metric_that_is_not_there_is_named_with_one_that_is(
    trainer: Trainer, evaluator: Trainer, model: Any
) -> None:
    gen_save_best_models_by_val_score(print, evaluator, model, "Acuracy")
    with pytest.raises(InvalidArgument, match="no metric 'Acuracy'; did you mean 'Accuracy'"):
        evaluator.run([0])


@pytest.mark.parametrize(
    ("change", "error", "said"),
    [
        ({"evaluator": 3}, InvalidType, "evaluator must be an Engine, got 3"),
        ({"trainer": 3}, InvalidType, "trainer must be an Engine, got 3"),
        ({"metric_name": 3}, InvalidType, "metric_name must be a string, got 3"),
        ({"score_sign": 2.0}, InvalidArgument, "score_sign must be 1.0 where more is better"),
    ],
)
@pytest.mark.parametrize(
    "function",
    [
        lambda **given: add_early_stopping_by_val_score(3, **given),
        lambda **given: gen_save_best_models_by_val_score(
            print, models=torch.nn.Linear(1, 1), **given
        ),
    ],
)
def test_an_impossible_argument_is_refused(
    trainer: Trainer,
    evaluator: Trainer,
    function: Callable[..., Any],
    change: Any,
    error: Any,
    said: str,
) -> None:
    given = {"evaluator": evaluator, "trainer": trainer, "metric_name": "Accuracy", **change}
    with pytest.raises(error, match=said):
        function(**given)
    assert attached(evaluator) == []


def test_all_that_a_training_has_is_logged(
    trainer: Trainer, evaluator: Trainer, model: Any, tmp_path: Path
) -> None:
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    trainer.state.metrics["loss"] = 1.0
    follow(trainer, evaluator, [0.1, 0.2])
    with component("logger", "tensorboard-logger")(str(tmp_path)) as logger:
        setup_any_logging(logger, None, trainer, {"sgd": optimizer}, {"test": evaluator}, 2)
        trainer.run([1.0] * 4, max_epochs=2)
    assert logged(tmp_path) == {
        "training/loss": [2, 4, 6, 8],
        "sgd/lr/group_0": [2, 4, 6, 8],
        "test/Accuracy": [1, 2],
    }


def logged(folder: Path) -> dict[str, list[int]]:
    """Return the steps at which each scalar was logged."""
    from tensorboard.backend.event_processing.event_accumulator import (  # type: ignore[import-untyped]  # it has no types
        EventAccumulator,
    )

    events = EventAccumulator(str(folder))
    events.Reload()
    return {tag: [one.step for one in events.Scalars(tag)] for tag in events.Tags()["scalars"]}


class Lines:
    """A logger that notes what is attached."""

    def __init__(self) -> None:
        self.notes: list[Any] = []

    def attach_output_handler(self, engine: Trainer, event_name: Any, tag: str, **_: Any) -> None:
        self.notes.append((tag, str(event_name)))

    def attach_opt_params_handler(
        self, engine: Trainer, event_name: Any, *, tag: Any, **_: Any
    ) -> None:
        self.notes.append((tag, str(event_name)))


def test_single_ones_have_the_names_that_users_know(
    trainer: Trainer, evaluator: Trainer, model: Any
) -> None:
    lines, optimizer = Lines(), torch.optim.SGD(model.parameters())
    setup_any_logging(lines, None, trainer, optimizer, evaluator, None)
    assert lines.notes == [
        ("training", "ITERATION_COMPLETED(every=1)"),
        (None, "ITERATION_STARTED(every=1)"),
        ("validation", "COMPLETED"),
    ]


def test_a_logger_that_refuses_leaves_nothing_attached(
    trainer: Trainer, evaluator: Trainer, tmp_path: Path
) -> None:
    with (
        component("logger", "tensorboard-logger")(str(tmp_path)) as logger,
        pytest.raises(InvalidType, match="tag must be a string, got 3"),
    ):
        setup_any_logging(logger, None, trainer, None, {3: evaluator}, 10)
    assert attached(trainer) == []


@pytest.mark.parametrize(
    ("change", "error", "said"),
    [
        ({"logger": 3}, InvalidType, "logger must have attach_output_handler and attach_opt_p"),
        ({"trainer": 3}, InvalidType, "trainer must be an Engine, got 3"),
        ({"optimizers": {"a": 3}}, InvalidType, "optimizers must be an optimizer, or several"),
        ({"evaluators": 3}, InvalidType, "evaluators must be an Engine, or several of them"),
        ({"log_every_iters": 0}, InvalidArgument, "log_every_iters must be 1 or more, got 0"),
    ],
)
def test_nothing_is_logged_where_an_argument_is_wrong(
    trainer: Trainer, change: Any, error: Any, said: str
) -> None:
    lines = Lines()
    given = {"logger": lines, "logger_module": None, "trainer": trainer, "optimizers": None}
    with pytest.raises(error, match=said):
        setup_any_logging(**{**given, "evaluators": None, "log_every_iters": 1, **change})
    assert lines.notes == []
