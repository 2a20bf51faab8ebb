"""What a range test leaves behind: nothing."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from glowplug import Engine, Events, component
from glowplug.errors import EngineBusy
from glowplug.testing.comparison import differences, frozen
from glowplug_handlers import FastaiLRFinder
from glowplug_torch import manual_seed


class Training:
    """A supervised trainer of a model with all that is hard to put back, always the same."""

    def __init__(self, **options: Any) -> None:
        manual_seed(1)
        layers = nn.Linear(3, 8), nn.BatchNorm1d(8), nn.Dropout(0.3), nn.Linear(8, 1)
        self.model = nn.Sequential(*layers)
        self.optimizer = torch.optim.Adam(self.model.parameters(), lr=1e-3)
        create = component("trainer", "supervised-trainer")
        self.trainer = create(self.model, self.optimizer, nn.functional.mse_loss, **options)
        self.losses: list[float] = []
        self.trainer.add_event_handler(Events.ITERATION_COMPLETED, self.note)
        x = torch.randn(40, 3)
        dataset = TensorDataset(x, x.sum(1, keepdim=True))
        self.loader = DataLoader(
            dataset, batch_size=4, shuffle=True, generator=torch.Generator().manual_seed(2)
        )

    def note(self, engine: Engine[Any, Any]) -> None:
        self.losses.append(float(engine.state.output))

    def objects(self) -> dict[str, Any]:
        return {"model": self.model, "optimizer": self.optimizer}

    def test(self, **asked: Any) -> None:
        """Run a range test that diverges."""
        asked = {"end_lr": 1e6, "num_iter": 30, **asked}
        with FastaiLRFinder().attach(self.trainer, self.objects(), **asked) as trainer:
            trainer.run(self.loader)
        self.losses.clear()

    def all(self) -> dict[str, Any]:
        """All that there is, by value."""
        kept = {
            **{name: each.state_dict() for name, each in self.objects().items()},
            "gradients": [p.grad for p in self.model.parameters()],
            "modes": [module.training for module in self.model.modules()],
            "state": {n: v for n, v in vars(self.trainer.state).items() if n != "dataloader"},
            "random": [torch.get_rng_state(), self.loader.generator.get_state()],
        }
        return copy.deepcopy(kept)


@pytest.fixture(params=["memory", "folder"])
def where(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[dict[str, Any]]:
    """Where everything is kept meanwhile; a folder is empty again afterwards."""
    yield {} if request.param == "memory" else {"folder": tmp_path}
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("options", [{}, {"deterministic": True}])
def test_a_run_after_a_test_is_bit_for_bit_the_run_without_it(
    where: dict[str, Any], options: dict[str, Any]
) -> None:
    plain = Training(**options)
    plain.trainer.run(plain.loader, max_epochs=2)
    tested = Training(**options)  # which seeds anew
    tested.test(**where)
    tested.trainer.run(tested.loader, max_epochs=2)
    assert tested.losses == plain.losses
    assert not differences(frozen(tested.model.state_dict()), frozen(plain.model.state_dict()))


@pytest.mark.parametrize("options", [{}, {"deterministic": True}])
def test_a_run_that_is_extended_after_a_test_is_the_run_without_it(options: dict[str, Any]) -> None:
    plain = Training(**options)
    plain.trainer.run(plain.loader, max_epochs=3)
    plain.trainer.run(plain.loader, max_epochs=4)
    tested = Training(**options)
    tested.trainer.run(tested.loader, max_epochs=3)
    before = list(tested.losses)
    tested.test()  # in fewer epochs
    tested.trainer.run(tested.loader, max_epochs=4)
    assert before + tested.losses == plain.losses


def test_everything_is_put_back_when_the_test_is_over(where: dict[str, Any]) -> None:
    training = Training()
    training.trainer.run(training.loader, max_epochs=2)
    training.model[2].eval()
    training.trainer.state.metrics["accuracy"] = 0.5

    def measure(engine: Engine[Any, Any]) -> None:
        engine.state.metrics.update(accuracy=0.1, loss=2.0)

    training.trainer.add_event_handler(Events.EPOCH_COMPLETED, measure)
    before = training.all()
    training.test(**where)
    assert not differences(training.all(), before)


def test_everything_is_put_back_when_the_test_fails(where: dict[str, Any]) -> None:
    training = Training()
    before, attached = training.all(), str(training.trainer.describe())
    failure = Events.ITERATION_COMPLETED(once=4)

    def fail() -> None:
        raise RuntimeError("the disk is full")

    with (
        training.trainer.add_event_handler(failure, fail),
        pytest.raises(RuntimeError, match="the disk is full"),
    ):
        training.test(**where)
    assert not differences(training.all(), before)
    assert str(training.trainer.describe()) == attached


def test_an_object_that_cannot_be_put_back_does_not_keep_the_others_from_it() -> None:
    class Stubborn:
        def state_dict(self) -> dict[str, Any]:
            return {}

        def load_state_dict(self, state: dict[str, Any]) -> None:
            raise RuntimeError("I stay as I am")

    training = Training()
    before = training.all()
    objects = {"first": Stubborn(), **training.objects(), "last": Stubborn()}
    with (
        pytest.raises(RuntimeError, match="I stay as I am"),
        FastaiLRFinder().attach(training.trainer, objects, end_lr=1e6) as trainer,
    ):
        trainer.run(training.loader, max_epochs=3)
    assert not differences(training.all(), before)


def test_gradients_are_those_from_before() -> None:
    training = Training()
    for parameter in training.model.parameters():
        parameter.grad = torch.full_like(parameter, 0.25)
    training.model[0].bias.grad = None
    training.test()
    gradients = [p.grad for p in training.model.parameters()]
    assert gradients[1] is None
    assert all(bool((g == 0.25).all()) for g in gradients if g is not None)


def test_a_buffer_that_no_state_holds_is_put_back() -> None:
    training = Training()
    seen = torch.zeros(())
    training.model.register_buffer("seen", seen, persistent=False)
    with training.trainer.add_event_handler(Events.ITERATION_COMPLETED, lambda: seen.add_(1)):
        training.test()
    assert seen.item() == 0


def test_the_gradient_scaler_of_a_trainer_is_put_back() -> None:
    scaler = torch.amp.GradScaler("cpu", init_scale=64.0, growth_interval=2)
    training = Training(amp_mode="amp", amp_dtype=torch.bfloat16, scaler=scaler)
    scales: list[float] = []
    handle = training.trainer.add_event_handler(
        Events.ITERATION_COMPLETED, lambda: scales.append(scaler.get_scale())
    )
    training.test()
    handle.remove()
    assert max(scales) > 64.0
    assert scaler.get_scale() == 64.0


def test_further_objects_are_put_back_too() -> None:
    training = Training()
    schedule = torch.optim.lr_scheduler.StepLR(training.optimizer, 1)
    objects = {**training.objects(), "schedule": schedule}
    with (
        training.trainer.add_event_handler(Events.EPOCH_COMPLETED, lambda: schedule.step()),
        FastaiLRFinder().attach(training.trainer, objects, end_lr=1e6, num_iter=30) as trainer,
    ):
        trainer.run(training.loader)
    assert schedule.last_epoch == 0


def test_the_counters_begin_anew_in_the_test_and_stand_afterwards_where_they_stood() -> None:
    training = Training()
    state = training.trainer.state
    training.trainer.run(training.loader, max_epochs=2)
    seen: list[int] = []
    with training.trainer.add_event_handler(
        Events.ITERATION_COMPLETED, lambda engine: seen.append(engine.state.iteration)
    ):
        training.test()
    assert seen[0] == 1
    assert training.trainer.state is state
    assert (state.iteration, state.epoch, state.max_epochs) == (20, 2, 2)
    assert not training.trainer.should_terminate


def test_data_with_a_state_of_its_own_begins_anew_in_the_run_after_the_test() -> None:
    class Remembering:
        """Data that begins where a loaded state says, as a StatefulDataLoader does."""

        def __init__(self) -> None:
            self.place = self.loaded = 0
            self.given: list[int] = []

        def __iter__(self) -> Iterator[Any]:
            begin, self.loaded = self.loaded, 0
            for self.place in range(begin, 3):
                self.given.append(self.place)
                yield torch.ones(4, 3), torch.zeros(4, 1)

        def __len__(self) -> int:
            return 3

        def state_dict(self) -> dict[str, int]:
            return {"place": self.place}

        def load_state_dict(self, state: dict[str, int]) -> None:
            self.loaded = state["place"]

    training, data = Training(), Remembering()
    training.loader = data  # type: ignore[assignment]  # data of another kind
    training.trainer.run(data)
    training.test()
    data.given.clear()
    training.trainer.run(data)
    assert data.given == [0, 1, 2]


def test_a_test_is_refused_where_a_run_was_interrupted() -> None:
    training = Training()
    stop = Events.ITERATION_COMPLETED(once=14)
    training.trainer.add_event_handler(stop, training.trainer.interrupt)
    training.trainer.run(training.loader, max_epochs=2)
    with pytest.raises(EngineBusy, match=r"interrupted.*lose its place"):
        training.test()
    assert training.trainer.run().iteration == 20


def test_a_test_in_the_middle_of_a_run_is_refused() -> None:
    training = Training()

    def begin() -> None:
        training.test()

    with (
        training.trainer.add_event_handler(Events.EPOCH_COMPLETED, begin),
        pytest.raises(EngineBusy, match="in the middle of a run"),
    ):
        training.trainer.run(training.loader)
