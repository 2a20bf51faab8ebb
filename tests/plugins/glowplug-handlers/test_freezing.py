"""What is frozen when, what that does to training, and which patterns there are."""

from __future__ import annotations

import copy
import io
import logging
from itertools import pairwise
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn
from torch.nn.parallel import DistributedDataParallel

from glowplug import Engine, Events
from glowplug.errors import InvalidArgument, InvalidType, UnknownEvent
from glowplug_handlers import Frozen, LayerFreezing


class Network(nn.Module):
    """A backbone with batch norm, and a head."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.backbone = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Linear(4, 4))
        self.head = nn.Linear(4, 1)

    def forward(self, x: torch.Tensor) -> Any:
        return self.head(self.backbone(x))


@pytest.fixture
def model() -> Network:
    return Network()


def trainer_of(model: nn.Module, **optimizer: Any) -> Engine[Any, Any]:
    """An engine that trains a model for real, with an optimizer that holds all parameters."""
    made = torch.optim.SGD(model.parameters(), **{"lr": 0.01, **optimizer})

    def step(engine: Engine[Any, Any], batch: torch.Tensor) -> None:
        model.train()
        made.zero_grad()
        (model(batch) - batch.sum(1, keepdim=True)).square().mean().backward()
        made.step()

    return Engine(step)


def frozen_by_epoch(
    model: Network, patterns: Any, epochs: int = 5, event: Any = Events.EPOCH_STARTED
) -> list[set[str]]:
    """Return which layers are frozen in each epoch, or iteration."""
    freezing = LayerFreezing(model, patterns)
    seen: list[set[str]] = []
    engine: Engine[Any, Any] = Engine(
        lambda engine, batch: seen.append({n.rpartition(".")[0] for n in freezing.frozen})
    )
    freezing.attach(engine, event)
    engine.run([0], max_epochs=epochs)
    return seen


BACKBONE = {"backbone.0", "backbone.1", "backbone.2"}


def test_a_layer_is_frozen_before_the_epoch_that_is_named(model: Network) -> None:
    seen = frozen_by_epoch(model, {"backbone": Frozen(before=3)})
    assert seen == [BACKBONE, BACKBONE, set(), set(), set()]


def test_or_after_it(model: Network) -> None:
    assert frozen_by_epoch(model, {"head": Frozen(after=3)}) == [set()] * 3 + [{"head"}] * 2


def test_or_between_two_or_always_or_several_times(model: Network) -> None:
    patterns = {
        "backbone.0": Frozen(after=1, before=4),
        "backbone.1": Frozen(),
        "head": [Frozen(before=2), Frozen(after=4)],
    }
    two, one, head = "backbone.0", "backbone.1", "head"
    seen = frozen_by_epoch(model, patterns)
    assert seen == [{one, head}, {one, two}, {one, two}, {one}, {one, head}]


def test_where_several_patterns_fit_one_that_freezes_is_enough(model: Network) -> None:
    patterns = {"*": Frozen(before=2), "backbone": Frozen(before=3), "*.0": Frozen(before=4)}
    assert frozen_by_epoch(model, patterns, 4) == [
        {*BACKBONE, "head"},
        BACKBONE,
        {"backbone.0"},
        set(),
    ]


bound = st.none() | st.integers(1, 8)


@given(bound, bound, st.integers(1, 10))
def test_the_bounds_are_those_of_an_events_filter(
    before: int | None, after: int | None, epoch: int
) -> None:
    if before is not None and before - (after or 0) < 2:
        with pytest.raises(InvalidArgument, match="is never: no epoch lies between its bounds"):
            Frozen(before, after)
        return
    seen: list[Any] = []
    engine: Engine[Any, Any] = Engine(lambda engine, batch: None)
    event = Events.EPOCH_STARTED(after=after, before=before) if before or after else None
    engine.add_event_handler(event or Events.EPOCH_STARTED, lambda: seen.append(engine.state.epoch))
    engine.run([0], max_epochs=10)
    assert Frozen(before, after).at(epoch) is (epoch in seen)


def test_what_is_frozen_is_not_trained_whatever_the_optimizer_remembers(
    model: Network, batches: list[torch.Tensor]
) -> None:
    trainer = trainer_of(model, momentum=0.9, weight_decay=0.1)
    LayerFreezing(model, {"backbone": Frozen(after=1, before=3)}).attach(trainer)
    seen: list[dict[str, torch.Tensor]] = []
    trainer.add_event_handler(
        Events.EPOCH_COMPLETED, lambda: seen.append(copy.deepcopy(model.state_dict()))
    )
    trainer.run(batches, max_epochs=3)
    moved = [
        {name.partition(".")[0] for name in before if not torch.equal(before[name], after[name])}
        for before, after in pairwise(seen)
    ]
    # num_batches_tracked among them: the statistics stay too
    assert moved == [{"head"}, {"head", "backbone"}]


def test_a_frozen_parameter_has_no_gradient(model: Network, batches: list[torch.Tensor]) -> None:
    trainer = trainer_of(model)
    freezing = LayerFreezing(model, {"backbone.0.weight": Frozen(after=1)})
    freezing.attach(trainer)
    trainer.run(batches, max_epochs=2)
    assert freezing.frozen == ("backbone.0.weight",)
    grads = {name: p.grad is None for name, p in model.named_parameters()}
    assert [name for name, none in grads.items() if none] == ["backbone.0.weight"]


def test_statistics_of_frozen_batch_norm_layers_stay_through_training_mode(
    model: Network, batches: list[torch.Tensor]
) -> None:
    trainer = trainer_of(model)
    LayerFreezing(model, {"backbone": Frozen(before=3)}).attach(trainer)
    tracked: list[int] = []
    trainer.add_event_handler(
        Events.EPOCH_COMPLETED,
        lambda: tracked.append(int(model.get_buffer("backbone.1.num_batches_tracked"))),
    )
    trainer.run(batches, max_epochs=3)
    assert tracked == [0, 0, 6]
    assert all(module.training for module in model.modules())


def test_statistics_are_gathered_where_that_was_asked_for(
    model: Network, batches: list[torch.Tensor]
) -> None:
    trainer = trainer_of(model)
    LayerFreezing(model, {"backbone": Frozen()}, batch_norm=False).attach(trainer)
    trainer.run(batches)
    assert model.get_buffer("backbone.1.num_batches_tracked") == 6


def test_a_batch_norm_layer_of_which_a_part_is_trained_is_in_training_mode(
    model: Network, batches: list[torch.Tensor]
) -> None:
    trainer = trainer_of(model)
    LayerFreezing(model, {"backbone.1.weight": Frozen()}).attach(trainer)
    trainer.run(batches)
    assert model.get_buffer("backbone.1.num_batches_tracked") == 6


@pytest.mark.parametrize("how", ["copy", "pickle"])
def test_a_copy_of_a_frozen_model_trains_as_any(
    model: Network, batches: list[torch.Tensor], how: str
) -> None:
    LayerFreezing(model, {"backbone": Frozen()}).apply(1)
    file = io.BytesIO()
    torch.save(model, file)
    file.seek(0)
    copied = copy.deepcopy(model) if how == "copy" else torch.load(file, weights_only=False)
    copied.train()(batches[0])
    model.train()(batches[0])
    assert copied.get_buffer("backbone.1.num_batches_tracked") == 1
    assert model.get_buffer("backbone.1.num_batches_tracked") == 0


def test_a_layer_that_fails_is_in_training_mode_again(model: Network) -> None:
    LayerFreezing(model, {"backbone": Frozen()}).apply(1)
    with pytest.raises(ValueError, match="expected 2D or 3D input"):
        model.backbone[1](torch.ones(1))
    assert model.backbone[1].training


def test_a_run_that_is_resumed_has_what_is_frozen_in_its_epoch(model: Network) -> None:
    freezing = LayerFreezing(model, {"backbone": Frozen(before=3), "head": Frozen(after=4)})
    engine: Engine[Any, Any] = Engine(lambda engine, batch: freezing.frozen)
    freezing.attach(engine)
    engine.load_state_dict({"iteration": 9, "epoch_length": 2, "max_epochs": 5})
    assert engine.run([0, 0]).output == ("head.weight", "head.bias")


def test_the_numbers_are_counts_of_the_event_that_was_given(model: Network) -> None:
    patterns = {"head": Frozen(before=3)}
    seen = frozen_by_epoch(model, patterns, 4, Events.ITERATION_STARTED)
    assert seen == [{"head"}, {"head"}, set(), set()]


def test_an_event_that_nothing_counts_is_refused(model: Network) -> None:
    engine: Engine[Any, Any] = Engine(lambda engine, batch: None)
    with pytest.raises(UnknownEvent, match="no attribute of this state counts TERMINATE"):
        LayerFreezing(model, {"head": Frozen()}).attach(engine, Events.TERMINATE)


def test_detaching_puts_back_what_needed_a_gradient_before(model: Network) -> None:
    model.head.bias.requires_grad_(False)
    freezing = LayerFreezing(model, {"*": Frozen(before=2)})
    engine: Engine[Any, Any] = Engine(lambda engine, batch: None)
    freezing.attach(engine)
    engine.run([0])
    freezing.detach(engine)
    still = [name for name, p in model.named_parameters() if not p.requires_grad]
    assert still == ["head.bias"]


def test_what_no_pattern_fits_is_left_alone(model: Network) -> None:
    model.head.bias.requires_grad_(False)
    LayerFreezing(model, {"backbone": Frozen(before=2)}).apply(2)
    assert not model.head.bias.requires_grad


def test_parameters_of_integers_are_passed_over() -> None:
    model = nn.ParameterDict(
        {"a": nn.Parameter(torch.ones(1)), "b": nn.Parameter(torch.ones(1).int(), False)}
    )
    freezing = LayerFreezing(model, {"*": Frozen(before=2)})
    freezing.apply(1)
    freezing.apply(2)
    assert [p.requires_grad for p in model.values()] == [True, False]


def test_a_change_is_logged_once(model: Network, caplog: pytest.LogCaptureFixture) -> None:
    freezing = LayerFreezing(model, {"backbone": Frozen(before=3)})
    with caplog.at_level(logging.INFO):
        for epoch in range(1, 5):
            freezing.apply(epoch)
    said = [record.getMessage() for record in caplog.records]
    assert said == [f"from {n} on {k} of 6 parameters are frozen" for n, k in ((1, 6), (3, 0))]


@pytest.mark.parametrize(
    ("patterns", "error", "said"),
    [
        ({"backbon": Frozen()}, InvalidArgument, "'backbon' fits no parameter of Network; did you"),
        ({"backbone.3": Frozen()}, InvalidArgument, r"parameters: backbone\.0\.weight, "),
        ({"head": 3}, InvalidType, r"got 3 of type int for 'head'; to train it from epoch 3 on"),
        ({0: Frozen()}, InvalidType, "got the name 0 of type int"),
        (["head"], InvalidType, r"frozen must be a mapping from names .*, got \['head'\]"),
    ],
)
def test_patterns_that_make_no_sense_are_refused(
    model: Network, patterns: Any, error: type[Exception], said: str
) -> None:
    with pytest.raises(error, match=said):
        LayerFreezing(model, patterns)


@pytest.mark.parametrize(
    ("bounds", "error", "said"),
    [
        ({"before": 1}, InvalidArgument, r"Frozen\(before=1, after=None\) is never"),
        ({"before": 0}, InvalidArgument, "before must be 1 or more, got 0"),
        ({"after": 2.5}, InvalidType, "after must be a whole number, got 2.5"),
    ],
)
def test_bounds_that_make_no_sense_are_refused(
    bounds: dict[str, Any], error: type[Exception], said: str
) -> None:
    with pytest.raises(error, match=said):
        Frozen(**bounds)


def test_a_wrapper_that_looks_for_unused_parameters_trains_on(
    model: Network, batches: list[torch.Tensor], group: None
) -> None:
    wrapped = DistributedDataParallel(model, find_unused_parameters=True)
    trainer = trainer_of(wrapped)
    freezing = LayerFreezing(wrapped, {"backbone": Frozen(after=1, before=3)})
    freezing.attach(trainer)
    seen: list[torch.Tensor] = []
    trainer.add_event_handler(
        Events.EPOCH_COMPLETED,
        lambda: seen.append(model.get_parameter("backbone.0.weight").detach().clone()),
    )
    trainer.run(batches, max_epochs=3)
    assert [torch.equal(seen[0], seen[1]), torch.equal(seen[1], seen[2])] == [True, False]


def test_a_wrapper_that_waits_for_every_gradient_is_refused(model: Network, group: None) -> None:
    wrapped = DistributedDataParallel(model)
    with pytest.raises(InvalidArgument, match="wrap the model with find_unused_parameters=True"):
        LayerFreezing(wrapped, {"head": Frozen(before=3)})


def test_a_wrapper_that_left_out_what_is_trained_later_is_refused(
    model: Network, group: None
) -> None:
    model.backbone.requires_grad_(False)
    wrapped = DistributedDataParallel(model, find_unused_parameters=True)
    LayerFreezing(wrapped, {"backbone": Frozen()})
    with pytest.raises(InvalidArgument, match=r"backbone\.0\.weight.* needed no gradient when Dis"):
        LayerFreezing(wrapped, {"backbone": Frozen(before=3)})
