"""The research log: which lines there are, and what stands in them."""

from __future__ import annotations

import logging
import pickle
import re
import time
from typing import Any

import pytest
import torch

from glowplug import Engine, Events
from glowplug.errors import InvalidArgument, InvalidType
from glowplug_handlers import FBResearchLogger


@pytest.fixture
def logger(caplog: pytest.LogCaptureFixture, clock: Any) -> logging.Logger:
    """A logger whose lines pytest keeps, on a clock on which only sleep takes time."""
    caplog.set_level(logging.INFO, "research")
    return logging.getLogger("research")


def lines(caplog: pytest.LogCaptureFixture) -> list[str]:
    """What was logged, with the times taken out."""
    found = [record.getMessage() for record in caplog.records if record.name == "research"]
    return [re.sub(r"\d+\.\d+(e-\d+)? s", "# s", line) for line in found]


def trainer(output: Any = None) -> Engine[Any, Any]:
    """An engine that returns the same each time."""
    return Engine(lambda engine, batch: output)


TIMES = "Iter time: # s  Data prep time: # s"


def test_a_run_is_told_by_lines_about_epochs_iterations_and_its_end(
    logger: logging.Logger, caplog: pytest.LogCaptureFixture
) -> None:
    engine = trainer()
    FBResearchLogger(logger).attach(engine, "Train", every=3)
    engine.run(range(5), max_epochs=2)
    assert lines(caplog) == [
        "Train: start epoch [1/2]",
        f"Epoch [1/2]  [3/5]:  ETA: 0:00:00  {TIMES}",
        "Train: Epoch [1/2]  Total time: 0:00:00  (# s / it)",
        "Train: start epoch [2/2]",
        f"Epoch [2/2]  [1/5]:  ETA: 0:00:00  {TIMES}",
        f"Epoch [2/2]  [4/5]:  ETA: 0:00:00  {TIMES}",
        "Train: Epoch [2/2]  Total time: 0:00:00  (# s / it)",
        "Train: run completed  Total time: 0:00:00",
    ]


def test_a_run_of_one_epoch_has_no_line_about_its_end(
    logger: logging.Logger, caplog: pytest.LogCaptureFixture
) -> None:
    engine = trainer()
    FBResearchLogger(logger).attach(engine, "Val")
    engine.run([1])
    assert len(lines(caplog)) == 3


@pytest.mark.parametrize(
    ("output", "shown"),
    [
        (1.5, "1.5000"),
        (3, "3"),
        (torch.tensor(2.5), "2.5000"),
        (torch.tensor([1.0, 2.0]), "[1.0000, 2.0000]"),
        ((torch.tensor(1.0), 2.0), "1.0000, 2.0000"),
        ({"loss": torch.tensor(0.5), "acc": 0.25, "note": "text"}, "loss: 0.5000  acc: 0.2500"),
        ({"parts": {"a": 1.0, "b": [1, 2]}}, "parts/a: 1.0000  parts/b: 1, 2"),
        (2.5e-7, "2.5000e-07"),
        (float("nan"), "nan"),
        ("text", ""),
        (None, ""),
    ],
)
def test_the_numbers_of_the_output_are_shown_on_demand(
    logger: logging.Logger, caplog: pytest.LogCaptureFixture, output: Any, shown: str
) -> None:
    for wanted in (True, False):
        engine = trainer(output)
        FBResearchLogger(logger, show_output=wanted).attach(engine, "Train")
        engine.run([1])
    part = f"{shown}  " if shown else ""
    assert lines(caplog)[1] == f"Epoch [1/1]  [1/1]:  ETA: 0:00:00  {part}{TIMES}"
    assert lines(caplog)[4] == f"Epoch [1/1]  [1/1]:  ETA: 0:00:00  {TIMES}"


def test_the_output_is_shown_as_transformed(
    logger: logging.Logger, caplog: pytest.LogCaptureFixture
) -> None:
    engine = trainer({"loss": 0.5})
    log = FBResearchLogger(logger, show_output=True)
    log.attach(engine, "Train", output_transform=lambda output: {"twice": 2 * output["loss"]})
    engine.run([1])
    assert "  twice: 1.0000  " in lines(caplog)[1]


@pytest.mark.parametrize(
    ("rates", "shown"),
    [([0.1], "lr: 0.10000"), ([0.1, 1e-6], "lr [g0]: 0.10000  lr [g1]: 1.00000e-06")],
)
def test_the_learning_rates_of_an_optimizer_are_shown(
    logger: logging.Logger, caplog: pytest.LogCaptureFixture, rates: list[float], shown: str
) -> None:
    groups = [{"params": [torch.zeros(1, requires_grad=True)], "lr": rate} for rate in rates]
    engine = trainer()
    FBResearchLogger(logger).attach(engine, "Train", optimizer=torch.optim.SGD(groups))
    engine.run([1])
    assert lines(caplog)[1] == f"Epoch [1/1]  [1/1]:  ETA: 0:00:00  {shown}  {TIMES}"


def test_metrics_are_shown_at_the_end_of_an_epoch_and_named_ones_before(
    logger: logging.Logger, caplog: pytest.LogCaptureFixture
) -> None:
    engine = trainer()
    FBResearchLogger(logger).attach(engine, "Train", metric_names=["running"])

    def fill(engine: Engine[Any, Any]) -> None:
        engine.state.metrics = {"running": torch.tensor(0.5), "per class": torch.tensor([1.0, 2.0])}

    with engine.in_phase("compute"):
        handle = engine.add_event_handler(Events.ITERATION_COMPLETED, fill)
    handle.declare(computes=["running"])
    engine.run([1])
    told = lines(caplog)
    assert "  running: 0.5000  Iter time" in told[1]
    assert "per class" not in told[1]
    assert told[2].endswith("(# s / it)  running: 0.5000  per class: [1.0000, 2.0000]")


def test_attributes_of_the_state_are_shown(
    logger: logging.Logger, caplog: pytest.LogCaptureFixture
) -> None:
    engine = trainer()
    engine.state.alpha, engine.state.beta = 3.5, torch.tensor(2.0)
    FBResearchLogger(logger).attach(engine, "Train", state_attributes=["alpha", "beta"])
    engine.run([1])
    assert "  alpha: 3.5000  beta: 2.0000  " in lines(caplog)[1]


def test_an_attribute_that_the_state_lacks_is_an_error_with_the_near_name(
    logger: logging.Logger,
) -> None:
    engine = trainer()
    engine.state.alpha = 1.0
    FBResearchLogger(logger).attach(engine, "Train", state_attributes=["alhpa"])
    with pytest.raises(InvalidArgument, match=r"'alhpa'.*did you mean 'alpha'"):
        engine.run([1])


def test_data_of_unknown_length_has_neither_an_end_nor_an_eta(
    logger: logging.Logger, caplog: pytest.LogCaptureFixture
) -> None:
    engine = trainer()
    FBResearchLogger(logger).attach(engine, "Train")
    engine.run(iter([1]))
    assert lines(caplog)[1] == f"Epoch [1/1]  [1]:  {TIMES}"


def test_a_run_of_max_iters_has_its_eta_up_to_there(
    logger: logging.Logger, caplog: pytest.LogCaptureFixture
) -> None:
    engine: Engine[Any, Any] = Engine(lambda engine, batch: time.sleep(1))
    FBResearchLogger(logger).attach(engine, "Train")
    engine.run(range(1000), max_iters=1)  # all of them would take a quarter of an hour
    assert lines(caplog)[:2] == [
        "Train: start epoch [1]",
        f"Epoch [1]  [1/1000]:  ETA: 0:00:00  {TIMES}",
    ]


def test_the_times_are_means_of_the_epoch(
    logger: logging.Logger, caplog: pytest.LogCaptureFixture
) -> None:
    def slow() -> Any:
        for seconds in (2, 0):
            time.sleep(seconds)
            yield seconds

    engine: Engine[Any, Any] = Engine(lambda engine, batch: time.sleep(1))
    FBResearchLogger(logger).attach(engine, "Train")
    engine.run(slow(), epoch_length=2)
    found = re.findall(r"Iter time: (\S+) s  Data prep time: (\S+) s", caplog.text)
    assert found == [("3.0000", "2.0000"), ("2.0000", "1.0000")]
    assert "Train: Epoch [1/1]  Total time: 0:00:04  (2.0000 s / it)" in caplog.messages


def test_the_time_left_is_that_of_the_iterations_left_of_the_epoch(
    logger: logging.Logger, caplog: pytest.LogCaptureFixture
) -> None:
    engine: Engine[Any, Any] = Engine(lambda engine, batch: time.sleep(1))
    FBResearchLogger(logger).attach(engine, "Train")
    engine.add_event_handler(Events.ITERATION_COMPLETED(once=2), engine.terminate)
    engine.run(range(1002))
    assert re.findall(r"ETA: (\S+)  ", caplog.text) == ["0:16:41", "0:16:40"]


def test_by_the_real_clock_an_iteration_takes_its_seconds(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO, "research")
    engine: Engine[Any, Any] = Engine(lambda engine, batch: time.sleep(0.01))
    FBResearchLogger(logging.getLogger("research")).attach(engine, "Train")
    engine.run([1])
    (seconds,) = re.findall(r"Iter time: (\S+) s", caplog.text)
    assert float(seconds) >= 0.01


def test_a_run_that_goes_on_within_an_epoch_counts_on(
    logger: logging.Logger, caplog: pytest.LogCaptureFixture
) -> None:
    engine = trainer()
    engine.load_state_dict({"iteration": 7, "epoch_length": 5, "max_epochs": 2})
    FBResearchLogger(logger).attach(engine, "Train")
    engine.run(range(5))
    assert [line.partition(":")[0] for line in lines(caplog)[1:4]] == [
        "Epoch [2/2]  [3/5]",
        "Epoch [2/2]  [4/5]",
        "Epoch [2/2]  [5/5]",
    ]


def test_one_logger_serves_several_engines(
    logger: logging.Logger, caplog: pytest.LogCaptureFixture
) -> None:
    log, one, other = FBResearchLogger(logger, delimiter=" | "), trainer(), trainer()
    log.attach(one, "Train")
    log.attach(other, "Val")
    one.add_event_handler(Events.EPOCH_COMPLETED, lambda: other.run([1, 2]))
    one.run([1])
    assert [line.partition(" |")[0] for line in lines(caplog)] == [
        "Train: start epoch [1/1]",
        "Epoch [1/1]",
        "Val: start epoch [1/1]",
        "Epoch [1/1]",
        "Epoch [1/1]",
        "Val: Epoch [1/1]",
        "Train: Epoch [1/1]",
    ]


def test_a_logger_that_says_nothing_costs_no_look_at_the_output(logger: logging.Logger) -> None:
    logger.setLevel(logging.WARNING)
    engine = trainer()

    def never(output: Any) -> Any:
        raise AssertionError("nobody reads it")

    FBResearchLogger(logger, show_output=True).attach(engine, "Train", output_transform=never)
    assert engine.run([1, 2]).iteration == 2


def test_a_copy_by_pickle_logs_too(
    logger: logging.Logger, caplog: pytest.LogCaptureFixture
) -> None:
    copied, engine = pickle.loads(pickle.dumps(FBResearchLogger(logger))), trainer()
    copied.attach(engine, "Train")
    engine.run([1])
    assert len(lines(caplog)) == 3


def test_a_line_about_an_engine_that_is_not_attached_is_refused(logger: logging.Logger) -> None:
    log, engine = FBResearchLogger(logger), trainer()
    for write in (log.log_every, lambda e: log.log_epoch_completed(e, "Train")):
        with pytest.raises(InvalidArgument, match=r"not attached to the engine; attach\(engine"):
            write(engine)


@pytest.mark.parametrize(
    ("asked", "error", "said"),
    [
        ({"every": 0}, InvalidArgument, "every must be 1 or more"),
        ({"every": 1.5}, InvalidType, "every must be a whole number"),
        ({"name": 3}, InvalidType, "name must be a string, got 3"),
        ({"output_transform": 3}, InvalidType, "output_transform must be callable"),
        ({"state_attributes": "alpha"}, InvalidType, "state_attributes must be a list of strings"),
        ({"metric_names": [1]}, InvalidType, "metric_names must be a list of strings"),
        ({"optimizer": 3}, InvalidType, "optimizer must have param_groups"),
        ({"engine": 3}, InvalidType, "engine must be an Engine"),
    ],
)
def test_an_impossible_argument_is_refused_and_nothing_is_attached(
    logger: logging.Logger, asked: dict[str, Any], error: type[Exception], said: str
) -> None:
    engine = trainer()
    with pytest.raises(error, match=said):
        FBResearchLogger(logger).attach(**{"engine": engine, "name": "Train", **asked})
    assert not engine.describe().rows


@pytest.mark.parametrize(
    ("made", "said"),
    [
        ({"logger": print}, r"logger must be a logging.Logger, .*setup_logger"),
        ({"delimiter": 2}, "delimiter must be a string"),
        ({"show_output": 1}, "show_output must be True or False"),
    ],
)
def test_an_impossible_logger_is_refused(
    logger: logging.Logger, made: dict[str, Any], said: str
) -> None:
    with pytest.raises(InvalidType, match=said):
        FBResearchLogger(**{"logger": logger, **made})
