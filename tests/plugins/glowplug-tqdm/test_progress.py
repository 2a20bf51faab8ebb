from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import Any

import pytest

from glowplug import Engine, Events
from glowplug.errors import InvalidArgument, InvalidType, MetricWarning, UnknownEvent
from glowplug_loggers import ClosedLogger, LoggerWarning
from glowplug_tqdm import ProgressBar

Make = Callable[..., ProgressBar]
Trainer = Engine[Any, Any]


class Lazy:
    """An output that counts how often it is turned into a number, as a tensor would be."""

    ndim = 0

    def __init__(self) -> None:
        self.fetched = 0

    def tolist(self) -> float:
        self.fetched += 1
        return 0.5


def test_metrics_output_and_attributes_stand_beside_the_bar(
    make_bar: Make, screen: Any, trainer: Trainer
) -> None:
    trainer.state.metrics = {"acc": 0.123456, "per_class": [1.0, 2.0], "mode": "fast"}
    make_bar(persist=True).attach(
        trainer, "all", lambda output: {"loss": output}, state_attributes=["epoch"]
    )
    trainer.run([3])
    beside = "acc=0.123, per_class_0=1, per_class_1=2, mode=fast, loss=3, epoch=1"
    assert beside in screen.drawn[-1]


def test_a_metric_that_is_missing_is_warned_about_once(make_bar: Make, trainer: Trainer) -> None:
    trainer.state.metrics = {"accuracy": 0.5}
    make_bar().attach(trainer, metric_names=["acuracy"])
    filled_by_hand = trainer.add_event_handler(Events.STARTED, lambda engine: None)
    filled_by_hand.declare(computes=[...])
    with pytest.warns(
        LoggerWarning, match=r"no metric 'acuracy'.*did you mean 'accuracy'"
    ) as caught:
        trainer.run([1, 2, 3])
    assert len(caught) == 1


def test_a_metric_that_nobody_computes_is_named_before_the_first_step(
    make_bar: Make, trainer: Trainer
) -> None:
    make_bar(persist=True).attach(trainer, metric_names=["acuracy"])
    validated = trainer.add_event_handler(Events.EPOCH_COMPLETED, lambda engine: None)
    validated.declare(computes=["accuracy"])
    trainer.on(Events.STARTED)(trainer.terminate)
    with pytest.warns(MetricWarning, match=r"Track.finish.*did you mean 'accuracy'"):
        trainer.run([1, 2, 3])


def test_a_tensor_is_not_fetched_while_nothing_is_drawn(make_bar: Make, clock: Any) -> None:
    output = Lazy()
    trainer: Trainer = Engine(lambda engine, batch: output)
    bar = make_bar(mininterval=1000, miniters=None)
    bar.attach(trainer, output_transform=lambda out: out)
    trainer.run(range(500))
    assert output.fetched == 0


def test_a_tensor_is_fetched_as_often_as_the_bar_is_drawn(
    make_bar: Make, screen: Any, clock: Any
) -> None:
    output = Lazy()
    trainer: Trainer = Engine(lambda engine, batch: output)
    make_bar(mininterval=20, miniters=1).attach(trainer, output_transform=lambda out: out)
    trainer.on(Events.ITERATION_STARTED)(lambda: clock.sleep(1))
    trainer.run(range(100))
    assert screen.counts == ["0/100", "20/100", "40/100", "60/100", "80/100", "100/100"]
    assert output.fetched == 5


def test_a_disabled_bar_asks_for_nothing(make_bar: Make, screen: Any) -> None:
    output = Lazy()
    trainer: Trainer = Engine(lambda engine, batch: output)
    make_bar(disable=True, persist=True).attach(trainer, output_transform=lambda out: out)
    trainer.run(range(5))
    assert (output.fetched, screen.getvalue()) == (0, "")


def test_a_bar_that_stays_shows_the_last_values(
    make_bar: Make, screen: Any, trainer: Trainer
) -> None:
    trainer.on(Events.EPOCH_COMPLETED)(lambda e: e.state.metrics.update(acc=0.75))
    make_bar(persist=True, mininterval=1000).attach(trainer, metric_names="all")
    trainer.run([1, 2, 3])
    assert "[3/3]" in screen.drawn[-1]
    assert "acc=0.75" in screen.drawn[-1]
    assert screen.getvalue().endswith("\n")


def test_a_bar_that_does_not_stay_leaves_an_empty_line(
    make_bar: Make, screen: Any, trainer: Trainer
) -> None:
    make_bar().attach(trainer)
    trainer.run([1])
    assert screen.getvalue().endswith(" \r")


@pytest.mark.parametrize(
    ("how", "options"),
    [
        ("raise", {}),
        ("terminate", {}),
        ("terminate", {"skip_completed": True}),
        ("interrupt", {}),
    ],
)
def test_a_run_that_ends_early_closes_its_bar(
    how: str, options: dict[str, Any], make_bar: Make, screen: Any, trainer: Trainer
) -> None:
    make_bar(persist=True).attach(trainer)

    @trainer.on(Events.ITERATION_COMPLETED(once=2))
    def end() -> None:
        if how == "raise":
            raise ZeroDivisionError("on purpose")
        getattr(trainer, how)(**options)

    with contextlib.suppress(ZeroDivisionError):
        trainer.run(range(4))
    # The bar comes after the handler that failed.
    assert screen.counts == ["0/4", "1/4", "2/4"][: 2 if how == "raise" else 3]
    assert screen.getvalue().endswith("\n")


def test_learning_rates_and_other_outputs_can_be_added(
    make_bar: Make, screen: Any, trainer: Trainer
) -> None:
    class Optimizer:
        param_groups = ({"lr": 0.1}, {"lr": 0.01})

    bar = make_bar(persist=True)
    bar.attach(trainer)
    bar.attach_opt_params_handler(trainer, Events.EPOCH_STARTED, Optimizer())
    bar.attach_output_handler(
        trainer, Events.ITERATION_COMPLETED(once=1), "first", output_transform=lambda out: out
    )
    trainer.run([5, 6])
    assert "lr_group_0=0.1, lr_group_1=0.01, first_output=5" in screen.drawn[-1]


def test_a_message_goes_to_the_file_of_the_bar(make_bar: Make, screen: Any) -> None:
    make_bar().log_message("half-way")
    assert screen.getvalue() == "half-way\n"


def test_a_message_goes_to_standard_output_otherwise(capsys: pytest.CaptureFixture[str]) -> None:
    ProgressBar().log_message("half-way")
    assert capsys.readouterr() == ("half-way\n", "")


def test_bars_go_to_standard_error_as_it_is_when_they_are_drawn(
    capsys: pytest.CaptureFixture[str], trainer: Trainer
) -> None:
    ProgressBar().attach(trainer)
    trainer.run([1])
    out, err = capsys.readouterr()
    assert out == ""
    assert "Iteration: " in err


def test_other_ranks_show_nothing(
    make_bar: Make, screen: Any, trainer: Trainer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RANK", "1")
    bar = make_bar()
    bar.attach(trainer)
    trainer.run([1])
    bar.log_message("half-way")
    assert screen.getvalue() == ""


def test_the_handle_takes_the_bar_away(make_bar: Make, screen: Any, trainer: Trainer) -> None:
    handle = make_bar(persist=True).attach(trainer)
    trainer.on(Events.ITERATION_COMPLETED(once=2))(handle.remove)
    trainer.run(range(4))
    assert screen.counts == ["0/4", "1/4"]
    assert screen.getvalue().endswith("\n")
    assert not any(
        trainer.listens(event) for event in Events if event is not Events.ITERATION_COMPLETED
    )


def test_a_closed_bar_is_gone_from_its_engines(
    make_bar: Make, screen: Any, trainer: Trainer
) -> None:
    with make_bar() as bar:
        bar.attach(trainer)
    trainer.run([1])
    assert screen.getvalue() == ""
    with pytest.raises(ClosedLogger, match="this ProgressBar is closed"):
        bar.attach(trainer)
    with pytest.raises(ClosedLogger, match="this ProgressBar is closed"):
        bar.log_message("late")


@pytest.mark.parametrize(
    ("event", "closing", "words"),
    [
        (Events.COMPLETED, Events.ITERATION_COMPLETED, "COMPLETED must come before .* ITERATION"),
        (Events.EPOCH_COMPLETED, Events.EPOCH_COMPLETED, "must come before"),
        (Events.ITERATION_COMPLETED(every=2), Events.STARTED, "must come before"),
        ("EPOCH_COMPLETED", "EPOCH_STARTED", "must come before"),
        (Events.ITERATION_COMPLETED, Events.EPOCH_COMPLETED(every=2), "must have no filter"),
        (Events.GET_BATCH_STARTED, Events.EPOCH_COMPLETED, "event_name must be one of STARTED, "),
        (Events.ITERATION_COMPLETED, Events.TERMINATE, "closing_event_name must be one of"),
        (Events.STARTED | Events.EPOCH_STARTED, Events.COMPLETED, "must be one event, got the un"),
    ],
)
def test_events_that_make_no_bar_are_refused(
    event: Any, closing: Any, words: str, make_bar: Make, trainer: Trainer
) -> None:
    with pytest.raises(InvalidArgument, match=words):
        make_bar().attach(trainer, event_name=event, closing_event_name=closing)
    assert not any(map(trainer.listens, Events))


def test_an_event_that_the_engine_does_not_know_is_refused(
    make_bar: Make, trainer: Trainer
) -> None:
    with pytest.raises(UnknownEvent, match="event stepped is not registered"):
        make_bar().attach(trainer, event_name="stepped")
    assert not any(map(trainer.listens, Events))


def test_something_that_is_no_event_or_engine_is_refused(make_bar: Make, trainer: Trainer) -> None:
    with pytest.raises(InvalidType, match="event_name must be an event, got 3 of type int"):
        make_bar().attach(trainer, event_name=3)  # type: ignore[arg-type]  # on purpose
    with pytest.raises(InvalidType, match="engine must be an Engine, got 3 of type int"):
        make_bar().attach(3)  # type: ignore[arg-type]  # on purpose


def test_an_argument_that_tqdm_does_not_have_is_refused_at_once() -> None:
    with pytest.raises(
        InvalidArgument, match="no argument 'minintervall'; did you mean 'mininterval"
    ):
        ProgressBar(minintervall=1)


def test_an_argument_that_the_bar_sets_itself_is_refused_at_once() -> None:
    with pytest.raises(InvalidArgument, match="sets tqdm's total, leave itself"):
        ProgressBar(total=3, leave=True)


def test_a_bar_that_counts_an_engines_event_already_is_refused_until_it_is_removed(
    make_bar: Make, trainer: Trainer
) -> None:
    bar = make_bar()
    handle = bar.attach(trainer)
    refused = "this ProgressBar counts ITERATION_COMPLETED of this engine until EPOCH_COMPLETED"
    with pytest.raises(InvalidArgument, match=refused):
        bar.attach(trainer, event_name=Events.ITERATION_COMPLETED(every=2))
    handle.remove()
    bar.attach(trainer)


def test_one_bar_may_count_epochs_and_iterations_of_an_engine(
    make_bar: Make, trainer: Trainer, screen: Any
) -> None:
    bar = make_bar()
    bar.attach(trainer)
    bar.attach(trainer, event_name=Events.EPOCH_COMPLETED, closing_event_name=Events.COMPLETED)
    trainer.run([1, 2], max_epochs=2)
    assert {"2/2"} <= set(screen.counts)
