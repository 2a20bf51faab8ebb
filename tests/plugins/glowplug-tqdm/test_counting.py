from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from glowplug import Engine, EventEnum, Events, State
from glowplug_tqdm import ProgressBar
from glowplug_tqdm.spans import Span

Make = Callable[..., ProgressBar]
Trainer = Engine[Any, Any]


def test_a_bar_for_each_epoch_counts_its_iterations(
    make_bar: Make, screen: Any, trainer: Trainer
) -> None:
    make_bar().attach(trainer)
    trainer.run([1, 2], max_epochs=2)
    assert screen.counts == ["0/2", "1/2", "2/2", "0/2", "1/2", "2/2"]
    assert screen.titles == ["Epoch [1/2]", "Epoch [2/2]"]


def test_the_bar_of_a_single_epoch_is_named_after_iterations(
    make_bar: Make, screen: Any, trainer: Trainer
) -> None:
    make_bar().attach(trainer)
    trainer.run([1, 2])
    assert screen.titles == ["Iteration"]


@pytest.mark.parametrize(
    ("epochs", "titles"), [(1, ["Train"]), (2, ["Train [1/2]", "Train [2/2]"])]
)
def test_a_title_of_ones_own_takes_the_place_of_epoch(
    epochs: int, titles: list[str], make_bar: Make, screen: Any, trainer: Trainer
) -> None:
    make_bar(desc="Train").attach(trainer)
    trainer.run([1], max_epochs=epochs)
    assert screen.titles == titles


def test_a_filtered_event_moves_the_bar_by_what_was_counted(
    make_bar: Make, screen: Any, trainer: Trainer
) -> None:
    make_bar(persist=True).attach(trainer, event_name=Events.ITERATION_COMPLETED(every=4))
    trainer.run(range(10), max_epochs=2)
    assert screen.counts == [
        *("0/10", "4/10", "8/10", "10/10"),
        *("0/10", "2/10", "6/10", "10/10"),
    ]


def test_a_bar_for_the_whole_run_counts_all_iterations(
    make_bar: Make, screen: Any, trainer: Trainer
) -> None:
    make_bar().attach(trainer, closing_event_name=Events.COMPLETED)
    trainer.run([1, 2], max_epochs=2)
    assert screen.counts == ["0/4", "1/4", "2/4", "3/4", "4/4"]


@pytest.mark.parametrize("event", [Events.EPOCH_STARTED, Events.EPOCH_COMPLETED])
def test_a_bar_of_epochs_counts_epochs(
    event: Events, make_bar: Make, screen: Any, trainer: Trainer
) -> None:
    make_bar().attach(trainer, event_name=event, closing_event_name=Events.COMPLETED)
    trainer.run([1, 2], max_epochs=3)
    assert screen.counts == ["0/3", "1/3", "2/3", "3/3"]
    assert screen.titles == ["Epoch"]


def test_data_without_length_shows_no_total(make_bar: Make, screen: Any, trainer: Trainer) -> None:
    make_bar().attach(trainer)
    trainer.run(iter([1, 2]))
    assert screen.counts == ["0", "1", "2"]
    assert not any("?]" in line or "%" in line for line in screen.drawn)


def test_a_format_of_ones_own_is_kept_without_a_total(
    make_bar: Make, screen: Any, trainer: Trainer
) -> None:
    make_bar(bar_format="{desc}{n_fmt} of {total_fmt}").attach(trainer)
    trainer.run(iter([1]))
    assert screen.drawn[-1] == "Iteration: 1 of ?"


def test_the_last_epoch_of_a_run_of_max_iters_is_as_long_as_it_will_be(
    make_bar: Make, screen: Any, trainer: Trainer
) -> None:
    make_bar().attach(trainer)
    trainer.run([1, 2], max_iters=3)
    assert screen.counts == ["0/2", "1/2", "2/2", "0/1", "1/1"]
    assert screen.titles == ["Epoch [1]", "Epoch [2]"]


def test_a_run_that_stops_inside_an_epoch_completes_its_bar(
    make_bar: Make, screen: Any, trainer: Trainer
) -> None:
    bar = make_bar(persist=True)
    bar.attach(trainer, event_name=Events.ITERATION_COMPLETED(every=2))
    trainer.run(range(5), max_iters=3)
    assert screen.counts == ["0/3", "2/3", "3/3"]
    assert screen.getvalue().endswith("\n")


def test_an_epoch_that_was_cut_short_does_not_shift_the_next(
    make_bar: Make, screen: Any, trainer: Trainer
) -> None:
    make_bar().attach(trainer)
    trainer.on(Events.ITERATION_COMPLETED(once=1))(trainer.terminate_epoch)
    trainer.run([1, 2], max_epochs=2)
    assert screen.counts == ["0/2", "1/2", "0/2", "1/2", "2/2"]


def test_an_epoch_whose_closing_event_is_skipped_gives_way_to_the_next(
    make_bar: Make, screen: Any, trainer: Trainer
) -> None:
    make_bar(persist=True).attach(trainer)
    skip = lambda: trainer.terminate_epoch(skip_epoch_completed=True)  # noqa: E731  # one line
    trainer.on(Events.ITERATION_COMPLETED(once=1))(skip)
    trainer.run([1, 2], max_epochs=2)
    assert screen.counts == ["0/2", "1/2", "0/2", "1/2", "2/2"]


def test_a_run_resumed_inside_an_epoch_starts_its_bar_there(
    make_bar: Make, screen: Any, trainer: Trainer
) -> None:
    make_bar().attach(trainer)
    trainer.load_state_dict({"iteration": 5, "max_epochs": 2, "epoch_length": 4})
    trainer.run(range(4))
    assert screen.counts == ["1/4", "2/4", "3/4", "4/4"]
    assert screen.titles == ["Epoch [2/2]"]


def test_an_interrupted_run_goes_on_where_its_bar_stood(
    make_bar: Make, screen: Any, trainer: Trainer
) -> None:
    make_bar().attach(trainer)
    trainer.on(Events.ITERATION_COMPLETED(once=2))(trainer.interrupt)
    trainer.run(range(4))
    trainer.run()
    assert screen.counts == ["0/4", "1/4", "2/4", "3/4", "4/4"]


def test_a_bar_attached_in_the_middle_of_a_run_joins_in(
    make_bar: Make, screen: Any, trainer: Trainer
) -> None:
    trainer.on(Events.ITERATION_COMPLETED(once=5))(lambda: make_bar().attach(trainer))
    trainer.run(range(4), max_epochs=2)
    assert screen.counts == ["2/4", "3/4", "4/4"]


class Backprop(EventEnum):
    STEPPED = "stepped"


@pytest.mark.parametrize("attributes", [{}, {Backprop.STEPPED: "steps"}])
def test_an_event_of_ones_own_is_counted_with_and_without_an_attribute(
    attributes: dict[Any, str], make_bar: Make, screen: Any
) -> None:
    def step(engine: Any, batch: int) -> None:
        for _ in range(batch):
            engine.state.steps += 1
            engine.fire_event(Backprop.STEPPED)

    trainer: Any = Engine(step)
    trainer.register_events(*Backprop, event_to_attr=attributes)
    trainer.state.steps = 0
    make_bar().attach(trainer, event_name=Backprop.STEPPED(every=2))
    trainer.run([1, 2, 1], max_epochs=2)
    assert screen.counts == ["0", "2", "4", "0", "2", "4"]


def test_two_engines_share_one_bar_object(make_bar: Make, screen: Any, trainer: Trainer) -> None:
    evaluator: Trainer = Engine(lambda engine, batch: None)
    bar = make_bar()
    trainer.on(Events.EPOCH_COMPLETED)(lambda: evaluator.run(range(7)))
    bar.attach(trainer)
    bar.attach(evaluator)
    trainer.run(range(3), max_epochs=2)
    assert [c for c in screen.counts if c.endswith("/7")] == [f"{n}/7" for n in range(8)] * 2
    assert screen.titles == ["Epoch [1/2]", "Iteration", "Epoch [2/2]"]


@given(
    length=st.integers(1, 6),
    epochs=st.integers(1, 4),
    cuts=st.sets(st.integers(1, 24), max_size=4),
)
def test_positions_are_those_of_a_count_from_the_start_of_each_epoch(
    length: int, epochs: int, cuts: set[int]
) -> None:
    trainer: Trainer = Engine(lambda engine, batch: None)
    span = Span(Events.ITERATION_COMPLETED, Events.EPOCH_COMPLETED, "iteration")
    seen: list[tuple[int, int]] = []
    model = {"base": 0, "count": 0}

    @trainer.on(Events.EPOCH_STARTED)
    def begin(engine: Trainer) -> None:
        model.update(base=span.base(engine.state), count=0)

    @trainer.on(Events.ITERATION_COMPLETED)
    def moved(engine: Trainer) -> None:
        model["count"] += 1
        seen.append((engine.state.iteration - model["base"], model["count"]))
        if engine.state.iteration in cuts:
            engine.terminate_epoch()

    trainer.run(range(length), max_epochs=epochs)
    assert seen
    assert all(position == counted for position, counted in seen)


@pytest.mark.parametrize(
    ("counter", "state", "total"),
    [
        ("iteration", State(epoch_length=4, max_epochs=3), 12),
        ("iteration", State(epoch_length=4, max_iters=9), 9),
        ("iteration", State(max_epochs=3), None),
        ("epoch", State(epoch_length=4, max_epochs=3), 3),
        ("epoch", State(epoch_length=4, max_iters=9), 3),
        ("epoch", State(max_iters=9), None),
        (None, State(epoch_length=4, max_epochs=3), None),
    ],
)
def test_the_total_of_a_whole_run_is_given_where_it_is_known(
    counter: str | None, state: State[Any, Any], total: int | None
) -> None:
    assert Span(Events.ITERATION_COMPLETED, Events.COMPLETED, counter).total(state, 0) == total
