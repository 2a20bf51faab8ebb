"""The range test: its rates, its curve, when it ends, and what it suggests."""

from __future__ import annotations

import itertools
import math
import sys
from collections.abc import Callable, Iterable
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from glowplug import Engine, Events
from glowplug.errors import InvalidArgument, InvalidType
from glowplug_handlers import (
    FastaiLRFinder,
    MissingLibrary,
    RangeTestFailed,
    RangeTestWarning,
)

# Falls, fastest at its fourth point, and diverges at its last.
VALLEY = (10.0, 9.5, 8.0, 5.0, 3.0, 2.0, 1.9, 2.5, 4.0, 20.0)


class Bench:
    """A trainer that returns its batches as losses, and notes the rates that its steps see."""

    def __init__(self, groups: int = 1) -> None:
        self.model = torch.nn.ParameterList(torch.zeros(1) for _ in range(groups))
        named = [{"params": [p], "lr": 0.01 * (i + 1)} for i, p in enumerate(self.model)]
        self.optimizer = torch.optim.SGD(named)
        self.used: list[list[float]] = []
        self.trainer: Engine[Any, Any] = Engine(self.step)
        self.finder = FastaiLRFinder()

    def step(self, engine: Engine[Any, Any], batch: Any) -> Any:
        self.used.append([float(group["lr"]) for group in self.optimizer.param_groups])
        return batch

    def test(self, losses: Iterable[Any], ends: Any = None, **asked: Any) -> FastaiLRFinder:
        """Run a range test over losses, without smoothing if nothing else is asked for."""
        objects = {"model": self.model, "optimizer": self.optimizer}
        with self.finder.attach(self.trainer, objects, **{"smooth_f": 0.0, **asked}) as trainer:
            trainer.run(losses, **(ends or {}))
        return self.finder


def test_the_rates_grow_by_one_factor_from_start_to_end() -> None:
    bench = Bench()
    rates = bench.test(VALLEY, start_lr=1e-3, end_lr=1.0).get_results()["lr"]
    assert (rates[0], rates[-1]) == (1e-3, 1.0)
    factors = {round(after / before, 9) for before, after in itertools.pairwise(rates)}
    assert factors == {round(1000 ** (1 / 9), 9)}


def test_the_rates_grow_by_one_difference_where_they_are_to_be_linear() -> None:
    rates = Bench().test(VALLEY, step_mode="linear", start_lr=0.1, end_lr=1.0).get_results()["lr"]
    assert rates == pytest.approx([0.1 * n for n in range(1, 11)])
    assert rates[-1] == 1.0


def test_linear_rates_may_start_at_0() -> None:
    finder = Bench().test(VALLEY, step_mode="linear", start_lr=0.0, end_lr=0.9)
    assert finder.get_results()["lr"] == pytest.approx([0.1 * n for n in range(10)])


def test_the_rates_of_the_curve_are_those_that_the_steps_used() -> None:
    bench = Bench()
    assert [[rate] for rate in bench.test(VALLEY).get_results()["lr"]] == bench.used
    assert bench.used[0] == [0.01], "the optimizer's own rate is the first"


def test_each_group_grows_from_its_own_start_to_its_own_end() -> None:
    bench = Bench(groups=2)
    finder = bench.test(VALLEY, start_lr=[1e-3, 1e-4], end_lr=[1.0, 2.0])
    rates = finder.get_results()["lr"]
    assert (rates[0], rates[-1]) == ([1e-3, 1e-4], [1.0, 2.0])
    assert rates == bench.used
    assert finder.lr_suggestion() == rates[3]


def test_the_losses_are_smoothed_and_the_first_is_taken_as_it_is() -> None:
    losses = [4.0, 2.0, 1.0, 50.0]
    found = Bench().test(losses, smooth_f=0.5, diverge_th=2.0).get_results()["loss"]
    assert found == [4.0, 3.0, 2.0, 26.0]


def test_a_loss_beyond_the_threshold_ends_the_test_with_itself_as_the_last() -> None:
    bench = Bench()
    found = bench.test([4.0, 2.0, 9.9, 10.1, 1.0], diverge_th=5.0).get_results()["loss"]
    assert found == [4.0, 2.0, 9.9, 10.1]
    assert len(bench.used) == 4


@pytest.mark.parametrize("loss", [math.nan, math.inf, torch.tensor(math.nan)])
def test_a_loss_that_is_not_finite_ends_the_test_and_is_not_part_of_the_curve(loss: Any) -> None:
    bench = Bench()
    assert bench.test([4.0, 3.0, 2.0, loss, 1.0]).get_results()["loss"] == [4.0, 3.0, 2.0]
    assert bench.finder.lr_suggestion() == bench.used[1][0]


def test_negative_losses_diverge_upwards_only() -> None:
    losses = [-1.0, -2.0, -4.0, -3.0, 13.0, 0.0]  # the smallest is -4: 16 above it is too much
    assert len(Bench().test(losses, diverge_th=5.0).get_results()["loss"]) == 5


@pytest.mark.parametrize(
    ("output", "transform"),
    [
        (torch.tensor(3.0, requires_grad=True), None),
        (torch.tensor([[3.0]]), None),
        (3, None),
        ({"loss": 3.0}, lambda output: output["loss"]),
    ],
)
def test_a_loss_is_a_number_or_a_tensor_of_one_as_transformed(output: Any, transform: Any) -> None:
    asked = {"output_transform": transform} if transform else {}
    with pytest.warns(RangeTestWarning, match="did not diverge"):
        assert Bench().test([output] * 2, **asked).get_results()["loss"] == [3.0, 3.0]


@pytest.mark.parametrize(
    ("output", "error", "said"),
    [
        ("text", InvalidType, "got 'text' of type str; pass output_transform"),
        (None, InvalidType, "got None of type NoneType"),
        (True, InvalidType, "got True of type bool"),
        (torch.ones(2), InvalidArgument, r"shape \(2,\); pass output_transform"),
    ],
)
def test_an_output_that_is_no_loss_is_refused(output: Any, error: Any, said: str) -> None:
    with pytest.raises(error, match=said):
        Bench().test([output])


def test_without_divergence_a_warning_says_what_can_be_done() -> None:
    with pytest.warns(
        RangeTestWarning, match="did not diverge in the 3 iterations.*end_lr"
    ) as all_:
        Bench().test([3.0, 2.0, 1.0])
    assert all_[0].filename == __file__


def test_num_iter_ends_the_test_before_the_run_would() -> None:
    bench = Bench()
    with pytest.warns(RangeTestWarning, match="did not diverge"):
        bench.test(VALLEY, num_iter=4)
    assert len(bench.used) == 4
    assert bench.finder.get_results()["lr"][-1] == 10.0


def test_num_iter_takes_as_many_epochs_as_it_needs() -> None:
    bench = Bench()
    with pytest.warns(RangeTestWarning, match="did not diverge"):
        bench.test([3.0, 2.0], num_iter=5)
    assert len(bench.used) == 5


def test_num_iter_beyond_max_iters_is_warned_of_once() -> None:
    with pytest.warns(RangeTestWarning, match="num_iter=20 is more than the 6 iterations") as all_:
        finder = Bench().test(VALLEY, {"max_iters": 6}, num_iter=20)
    assert len(all_) == 1
    assert len(finder.get_results()["lr"]) == 6


def test_data_that_ends_before_num_iter_is_warned_of() -> None:
    with (
        pytest.warns(RangeTestWarning, match="ended after 3 of the range test's 9 iterations"),
        pytest.warns(match="the data ended"),
    ):
        Bench().test(iter([3.0, 2.0, 1.0]), num_iter=9)


def test_data_of_unknown_length_needs_num_iter() -> None:
    with pytest.raises(InvalidArgument, match="pass num_iter"):
        Bench().test(iter(VALLEY))
    assert len(Bench().test(iter(VALLEY), num_iter=10).get_results()["lr"]) == 10


@pytest.mark.parametrize("ends", [{"max_epochs": 2}, {"max_iters": 10}])
def test_the_run_is_the_length_of_the_test_where_num_iter_is_left_out(ends: Any) -> None:
    bench = Bench()
    with pytest.warns(RangeTestWarning, match="did not diverge"):
        bench.test(VALLEY[:5], ends)  # and over again: 10 after 3 is less than five times as much
    assert len(bench.used) == 10
    assert bench.finder.get_results()["lr"][-1] == 10.0


def slopes(losses: list[float]) -> list[float]:
    """The slope at each point but the ends, from its neighbours, as slowly as can be."""
    return [(losses[i + 1] - losses[i - 1]) / 2 for i in range(1, len(losses) - 1)]


@given(st.lists(st.floats(0.5, 2.0), min_size=3, max_size=30))
def test_the_suggestion_is_where_the_loss_falls_fastest_before_it_is_smallest(
    losses: list[float],
) -> None:
    losses = [*losses, 0.25, 50.0]
    bench = Bench()
    steepest = slopes(losses[:-1])
    suggested = bench.test(losses).lr_suggestion()
    assert suggested == bench.used[1 + steepest.index(min(steepest))][0]


@pytest.mark.parametrize("losses", [[1.0, 2.0, 9.0], [2.0, 1.0, 9.0]])
def test_a_loss_that_did_not_fall_suggests_nothing(losses: list[float]) -> None:
    finder = Bench().test(losses)
    with pytest.raises(RangeTestFailed, match=r"smallest at point . of 3.*lower start_lr"):
        finder.lr_suggestion()


def test_the_suggestion_can_be_applied_to_rates_that_are_numbers_or_tensors() -> None:
    bench = Bench(groups=2)
    finder = bench.test(VALLEY)
    other = torch.optim.SGD([{"params": [p], "lr": 1.0} for p in bench.model])
    other.param_groups[1]["lr"] = kept = torch.tensor(1.0)
    finder.apply_suggested_lr(other)
    assert [float(g["lr"]) for g in other.param_groups] == pytest.approx(finder.lr_suggestion())
    assert other.param_groups[1]["lr"] is kept


def test_an_optimizer_with_other_groups_is_refused_the_suggestion() -> None:
    finder = Bench(groups=2).test(VALLEY)
    with pytest.raises(InvalidArgument, match="had 2 groups of parameters, and this one has 1"):
        finder.apply_suggested_lr(Bench().optimizer)


def test_rates_that_are_tensors_grow_in_place() -> None:
    bench = Bench()
    bench.optimizer.param_groups[0]["lr"] = rate = torch.tensor(0.01)
    bench.test(VALLEY)
    assert bench.used[-1] == [10.0]
    assert float(bench.optimizer.param_groups[0]["lr"]) == pytest.approx(0.01)
    assert float(rate) == 10.0 or rate is bench.optimizer.param_groups[0]["lr"]


def test_before_a_test_there_is_nothing_to_tell() -> None:
    finder = FastaiLRFinder()
    assert finder.get_results() == {"lr": [], "loss": []}
    asked: list[Callable[[], Any]] = [finder.lr_suggestion, finder.plot]
    for ask in asked:
        with pytest.raises(RangeTestFailed, match="no range test has been run: with lr_finder"):
            ask()


def test_a_second_test_replaces_the_results_of_the_first() -> None:
    bench = Bench()
    bench.test(VALLEY)
    assert bench.test([5.0, 4.0, 3.0, 99.0]).get_results()["loss"] == [5.0, 4.0, 3.0, 99.0]


def test_the_plot_shows_the_curve_without_its_ends_and_marks_the_suggestion() -> None:
    pytest.importorskip("matplotlib").use("Agg")
    finder = Bench().test(VALLEY)
    axes = finder.plot(skip_start=1, skip_end=2, figsize=(2, 2))
    (line,) = axes.lines
    assert list(line.get_ydata()) == list(VALLEY[1:8])
    assert list(line.get_xdata()) == finder.get_results()["lr"][1:8]
    assert axes.collections[0].get_offsets().tolist() == [[finder.lr_suggestion(), 5.0]]
    assert (axes.get_xscale(), axes.get_xlabel(), axes.get_ylabel()) == (
        "log",
        "Learning rate",
        "Loss",
    )


def test_the_plot_takes_axes_and_draws_a_line_for_each_group() -> None:
    pytest.importorskip("matplotlib").use("Agg")
    finder = Bench(groups=2).test(VALLEY)
    axes = finder.plot(0, 0, log_lr=False, display_suggestion=False)
    assert [line.get_label() for line in axes.lines] == ["group 0", "group 1"]
    assert axes.get_xscale() == "linear"
    assert len(axes.collections) == 0
    assert finder.plot(0, 0, ax=axes) is axes
    assert len(axes.lines) == 4


def test_a_curve_without_a_suggestion_can_be_plotted_all_the_same() -> None:
    pytest.importorskip("matplotlib").use("Agg")
    assert len(Bench().test([1.0, 2.0, 9.0]).plot(0, 0).collections) == 0


def test_a_suggestion_that_the_plot_leaves_out_is_said() -> None:
    pytest.importorskip("matplotlib").use("Agg")
    with pytest.warns(match="point 4, which skip_start and skip_end leave out"):
        Bench().test(VALLEY).plot(skip_start=5, skip_end=0)


def test_a_plot_of_no_point_is_refused() -> None:
    finder = Bench().test(VALLEY)
    with pytest.raises(InvalidArgument, match="leave none of the 10 points"):
        finder.plot()
    with pytest.raises(InvalidArgument, match="skip_start must be 0 or more"):
        finder.plot(skip_start=-1)
    with pytest.raises(InvalidType, match="skip_end must be a whole number"):
        finder.plot(skip_end=0.5)  # type: ignore[arg-type]  # the test's matter


def test_a_plot_without_matplotlib_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    finder = Bench().test(VALLEY)
    monkeypatch.setitem(sys.modules, "matplotlib.pyplot", None)
    with pytest.raises(MissingLibrary, match=r'pip install "glowplug-handlers\[plot\]"'):
        finder.plot(0, 0)


IMPOSSIBLE: list[tuple[dict[str, Any], type[Exception], str]] = [
    ({"num_iter": 0}, InvalidArgument, "num_iter must be 1 or more"),
    ({"num_iter": 1.5}, InvalidType, "num_iter must be a whole number"),
    ({"smooth_f": 1.0}, InvalidArgument, "smooth_f must be at least 0 and below 1"),
    ({"smooth_f": -0.1}, InvalidArgument, "smooth_f must be at least 0"),
    ({"diverge_th": 1.0}, InvalidArgument, "diverge_th must be above 1"),
    ({"step_mode": "linaer"}, InvalidArgument, "did you mean 'linear'"),
    ({"start_lr": "a"}, InvalidType, "start_lr must be a number or a list"),
    ({"start_lr": 20.0}, InvalidArgument, "start_lr must be below end_lr, got 20 and 10"),
    ({"end_lr": 1e-3}, InvalidArgument, "start_lr is the optimizer's own"),
    ({"end_lr": [1.0, 2.0]}, InvalidArgument, "for each of the optimizer's 1 groups, got 2"),
    ({"end_lr": math.nan}, InvalidArgument, "end_lr must be .* got nan"),
    ({"start_lr": 0.0}, InvalidArgument, "start_lr must be above 0 where it grows by a factor"),
    ({"start_lr": -1, "step_mode": "linear"}, InvalidArgument, "start_lr must be 0 or more"),
    ({"output_transform": 3}, InvalidType, "output_transform must be callable"),
    ({"to_save": ["optimizer"]}, InvalidType, "to_save must be a mapping"),
    ({"to_save": {"optimiser": Bench().optimizer}}, InvalidArgument, "; it has 'optimiser'"),
    ({"to_save": {"optimizer": Bench().optimizer}}, InvalidArgument, "has no model with 1 of the"),
    ({"to_save": {"optimizer": Bench().model}}, InvalidType, "must have param_groups"),
    ({"to_save": {"optimizer": 3}}, InvalidType, r"to_save\['optimizer'\] must have state_dict"),
    ({"trainer": 3}, InvalidType, "trainer must be an Engine"),
]


@pytest.mark.parametrize(("asked", "error", "said"), IMPOSSIBLE)
def test_an_impossible_argument_is_refused_at_the_call(
    asked: dict[str, Any], error: type[Exception], said: str
) -> None:
    bench = Bench()
    objects = {"model": bench.model, "optimizer": bench.optimizer}
    with pytest.raises(error, match=said):
        bench.finder.attach(**{"trainer": bench.trainer, "to_save": objects, **asked})


def test_a_test_within_a_test_is_refused() -> None:
    bench = Bench()
    objects = {"model": bench.model, "optimizer": bench.optimizer}
    inner = bench.finder.attach(bench.trainer, objects)
    with (
        bench.finder.attach(bench.trainer, objects),
        pytest.raises(InvalidArgument, match="under way"),
        inner,
    ):
        pass
    assert not bench.trainer.listens(Events.ITERATION_STARTED)
