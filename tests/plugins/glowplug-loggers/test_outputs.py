from __future__ import annotations

from typing import Any

import pytest
import torch

from glowplug import EventEnum, Events
from glowplug.errors import InvalidArgument, InvalidType
from glowplug_loggers import LoggerWarning


def identity(output: Any) -> Any:
    return output


@pytest.mark.parametrize(
    ("output", "logged"),
    [
        (1.5, {"training/output": 1.5}),
        (torch.tensor(1.5), {"training/output": 1.5}),
        (torch.tensor([1.5, 2]), {"training/output/0": 1.5, "training/output/1": 2.0}),
        ([1, 2.5], {"training/output/0": 1, "training/output/1": 2.5}),
        ({"loss": torch.tensor(0.5), 3: 1}, {"training/loss": 0.5, "training/3": 1}),
        ({"deep": {"x": [1, 2]}}, {"training/deep/x/0": 1, "training/deep/x/1": 2}),
        ([{"a": 1}, {"b": 2}], {"training/output/0/a": 1, "training/output/1/b": 2}),
    ],
)
def test_an_output_is_logged_under_the_tag(
    output: Any, logged: dict[str, float], logger: Any, halver: Any
) -> None:
    trainer = halver(output)
    logger.attach_output_handler(trainer, Events.COMPLETED, "training", output_transform=identity)
    trainer.run([1])
    assert {name: value for name, value, _ in logger.lines} == logged


def test_named_metrics_are_logged_and_others_are_not(logger: Any, halver: Any) -> None:
    trainer = halver()
    trainer.state.metrics = {"acc": 0.5, "per_class": torch.tensor([0.0, 1.0]), "other": 3}
    logger.attach_output_handler(trainer, Events.COMPLETED, "val", ["acc", "per_class"])
    trainer.run([1])
    assert [name for name, _, _ in logger.lines] == [
        "val/acc",
        "val/per_class/0",
        "val/per_class/1",
    ]


def test_all_metrics_are_those_that_there_are_at_the_time(logger: Any, halver: Any) -> None:
    trainer = halver()
    logger.attach_output_handler(trainer, Events.ITERATION_COMPLETED, "val", "all")
    trainer.on(Events.ITERATION_COMPLETED(once=2))(lambda e: e.state.metrics.update(late=1))
    trainer.run([1, 2])
    assert logger.lines == [("val/late", 1, 2)]


def test_attributes_win_over_the_output_and_the_output_over_metrics(
    halver: Any, output_handler: Any
) -> None:
    trainer = halver()
    trainer.state.metrics = {"a": 1, "b": 1, "c": 1}
    trainer.state.c = 3
    handler = output_handler("x", "all", lambda _: {"b": 2, "c": 2}, None, ["c"])
    assert handler.values(trainer) == {"x/a": 1, "x/b": 2, "x/c": 3}


def test_an_empty_tag_leaves_the_names_bare(halver: Any, output_handler: Any) -> None:
    handler = output_handler("", output_transform=lambda _: {"loss": 1})
    assert handler.values(halver()) == {"loss": 1}


def test_a_missing_metric_is_named_once_with_its_near_names(
    halver: Any, output_handler: Any
) -> None:
    trainer = halver()
    trainer.state.metrics = {"accuracy": 0.5, "loss": 1.0}
    handler = output_handler("val", ["acuracy", "loss"])
    with pytest.warns(LoggerWarning, match="no metric 'acuracy' to log; did you mean 'accuracy'"):
        assert handler.values(trainer) == {"val/loss": 1.0}
    assert handler.values(trainer) == {"val/loss": 1.0}  # a second warning would be an error


def test_a_missing_attribute_is_named_with_its_near_names(halver: Any, output_handler: Any) -> None:
    handler = output_handler("val", state_attributes=["epohc"])
    with pytest.warns(LoggerWarning, match=r"no state attribute 'epohc'.*did you mean 'epoch'"):
        assert handler.values(halver()) == {}


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("text", "got 'text' of type str"),
        (None, "got None of type NoneType"),
        (torch.ones(2, 2), r"of type Tensor and shape \(2, 2\)"),
    ],
)
def test_what_is_no_number_is_skipped_with_one_warning(
    value: Any, words: str, halver: Any, output_handler: Any
) -> None:
    handler = output_handler("x", output_transform=lambda _: {"odd": value, "loss": 1})
    with pytest.warns(LoggerWarning, match=f"cannot log 'x/odd'.*{words}"):
        assert handler.values(halver()) == {"x/loss": 1}
    assert handler.values(halver()) == {"x/loss": 1}  # a second warning would be an error


def test_the_step_is_the_count_of_the_event(logger: Any, halver: Any) -> None:
    trainer = halver()
    events = Events.ITERATION_COMPLETED(every=2) | Events.EPOCH_COMPLETED
    logger.attach_output_handler(trainer, events, "x", output_transform=identity)
    trainer.run([2, 4], max_epochs=2)
    assert logger.lines == [
        ("x/output", 2.0, 2),
        ("x/output", 2.0, 1),
        ("x/output", 2.0, 4),
        ("x/output", 2.0, 2),
    ]


def test_the_step_of_an_event_that_nothing_counts_is_the_iteration(
    logger: Any, halver: Any
) -> None:
    trainer = halver()
    logger.attach_output_handler(trainer, Events.TERMINATE, "x", output_transform=identity)
    trainer.on(Events.ITERATION_COMPLETED(once=2))(trainer.terminate)
    trainer.run([2, 4, 6])
    assert logger.lines == [("x/output", 2.0, 2)]


def test_the_step_of_an_event_of_ones_own_is_the_attribute_that_counts_it(
    logger: Any, halver: Any
) -> None:
    class Backprop(EventEnum):
        STEPPED = "stepped"

    trainer = halver()
    trainer.register_events(*Backprop, event_to_attr={Backprop.STEPPED: "steps"})
    trainer.state.steps = 7
    logger.attach_output_handler(trainer, Backprop.STEPPED, "x", output_transform=lambda _: 1)
    trainer.fire_event(Backprop.STEPPED)
    assert logger.lines == [("x/output", 1, 7)]


def test_a_step_transform_is_given_the_engine_and_the_plain_event(logger: Any, halver: Any) -> None:
    trainer, evaluator = halver(), halver()
    seen = []

    def step(engine: Any, event: Any) -> int:
        seen.append((engine, event))
        return int(trainer.state.epoch)

    logger.attach_output_handler(
        evaluator, Events.EPOCH_COMPLETED(every=1), "val", None, identity, step
    )
    trainer.on(Events.EPOCH_COMPLETED(once=3))(lambda: evaluator.run([2]))
    trainer.run([1], max_epochs=3)
    assert logger.lines == [("val/output", 1.0, 3)]
    assert seen == [(evaluator, Events.EPOCH_COMPLETED)]


def test_a_step_that_is_no_integer_is_an_error(halver: Any, output_handler: Any) -> None:
    handler = output_handler("x", "all", global_step_transform=lambda engine, event: 2.5)
    with pytest.raises(InvalidType, match=r"must be an integer, got 2\.5 of type float"):
        handler.global_step(halver(), Events.STARTED)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"tag": None, "metric_names": "all"}, "tag must be a string, got None"),
        ({"tag": "x", "metric_names": "acc"}, "metric_names must be .* got 'acc' of type str"),
        ({"tag": "x", "metric_names": [1]}, r"metric_names must be .* got \[1\] of type list"),
        ({"tag": "x", "output_transform": 1}, "output_transform must be callable as f"),
        ({"tag": "x", "metric_names": "all", "global_step_transform": 1}, "global_step_transform"),
        ({"tag": "x", "state_attributes": "epoch"}, "state_attributes must be a list"),
    ],
)
def test_an_argument_of_another_type_is_refused(
    arguments: dict[str, Any], words: str, output_handler: Any
) -> None:
    with pytest.raises(InvalidType, match=words):
        output_handler(**arguments)


def test_nothing_to_log_is_refused(output_handler: Any) -> None:
    with pytest.raises(InvalidArgument, match="at least one of metric_names, output_transform"):
        output_handler("x")


def test_nothing_is_asked_of_the_output_between_two_logs(logger: Any, halver: Any) -> None:
    trainer = halver()
    asked: list[float] = []

    def watch(output: float) -> float:
        asked.append(output)
        return output

    logger.attach_output_handler(
        trainer, Events.ITERATION_COMPLETED(every=5), "x", output_transform=watch
    )
    trainer.run(range(10))
    assert asked == [2.0, 4.5]
