"""Saved states of schedulers, and those that cannot be loaded."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch.optim import lr_scheduler as of_torch
from torch.utils.data import DataLoader

from glowplug import GlowplugError
from glowplug_schedulers import (
    BatchSizeScheduler,
    ConcatScheduler,
    CosineAnnealingScheduler,
    ExpStateScheduler,
    LinearCyclicalScheduler,
    LRScheduler,
    MultiStepStateScheduler,
    ParamGroupScheduler,
    ParamScheduler,
    PiecewiseLinear,
    ReduceLROnPlateauScheduler,
    StepStateScheduler,
)

Make = Callable[..., torch.optim.Optimizer]


def linear(own: Any, **settings: Any) -> LinearCyclicalScheduler:
    """Return a scheduler of a learning rate."""
    return LinearCyclicalScheduler(own, "lr", 1.0, 0.0, 4, **settings)


def concat(own: Any) -> ConcatScheduler:
    """Return two schedulers, one after the other."""
    return ConcatScheduler([linear(own), PiecewiseLinear(own, "lr", [(0, 1.0)])], [2])


def sizes(own: Any) -> BatchSizeScheduler:
    """Return a scheduler of a batch size."""
    data: Any = range(8)
    return BatchSizeScheduler(DataLoader(data), int)


MAKERS: dict[str, Callable[[Any], Any]] = {
    "linear": linear,
    "cosine": lambda own: CosineAnnealingScheduler(own, "lr", 1.0, 0.0, 4),
    "piecewise": lambda own: PiecewiseLinear(own, "lr", [(0, 1.0), (3, 2.0)]),
    "concat": concat,
    "groups": lambda own: ParamGroupScheduler([linear(own)]),
    "torch": lambda own: LRScheduler(of_torch.ExponentialLR(own, gamma=0.5)),
    "plateau": lambda own: ReduceLROnPlateauScheduler(own, "loss"),
    "batch size": sizes,
    "exp": lambda own: ExpStateScheduler(1, 0.5, "p"),
    "step": lambda own: StepStateScheduler(1, 0.5, 2, "p"),
    "multi-step": lambda own: MultiStepStateScheduler(1, 0.5, [2, 3], "p"),
}
EVERY = pytest.mark.parametrize("make", MAKERS.values(), ids=MAKERS)


@EVERY
def test_what_is_saved_is_not_moved_any_more(make: Any, optimizer: Make) -> None:
    scheduler = make(optimizer())
    saved = scheduler.state_dict()
    before = copy.deepcopy(saved)
    scheduler.event_index = 7
    for name, value in vars(scheduler).items():
        if isinstance(value, list) and not name.startswith("_"):
            value.clear()
    assert saved == before


@EVERY
def test_each_missing_key_is_named_and_nothing_is_changed(make: Any, optimizer: Make) -> None:
    own = optimizer()
    scheduler = make(own)
    before = str(scheduler.state_dict()), str(own.state_dict())
    for key in scheduler.state_dict():
        partial = {name: value for name, value in scheduler.state_dict().items() if name != key}
        with pytest.raises(ValueError, match=f"cannot load this state into a .*: no '{key}'"):
            scheduler.load_state_dict(partial)
    assert (str(scheduler.state_dict()), str(own.state_dict())) == before


@EVERY
def test_an_unknown_key_is_named_with_the_near_one(make: Any, optimizer: Make) -> None:
    scheduler = make(optimizer())
    state = {**scheduler.state_dict(), "answred": {}}
    with pytest.raises(ValueError, match="unknown 'answred'; did you mean 'answered'"):
        scheduler.load_state_dict(state)


@EVERY
@pytest.mark.parametrize("nonsense", [None, "seven", -1, [0.5, "x", None], {"a": object()}])
def test_nonsense_is_refused_or_fits_and_never_breaks_a_scheduler(
    make: Any, nonsense: Any, optimizer: Make
) -> None:
    scheduler = make(optimizer())
    good = scheduler.state_dict()
    for key in good:
        before = str(scheduler.state_dict())
        try:
            scheduler.load_state_dict({**good, key: nonsense})
        except GlowplugError:
            assert str(scheduler.state_dict()) == before, key
        scheduler.load_state_dict(good)
    assert str(scheduler.state_dict()) == str(good)


@EVERY
def test_what_is_no_mapping_is_refused(make: Any, optimizer: Make) -> None:
    with pytest.raises(TypeError, match=r"a saved state is a mapping such as .*, got \[1\]"):
        make(optimizer()).load_state_dict([1])


@EVERY
def test_a_copy_by_pickle_has_the_same_state(make: Any, optimizer: Make) -> None:
    scheduler = make(optimizer())
    copied = pickle.loads(pickle.dumps(scheduler))
    assert copied.state_dict() == scheduler.state_dict()


@pytest.mark.parametrize(
    ("key", "value", "complaint"),
    [
        ("cycle_size", 1, "cycle_size must be a whole number, 2 or more, got 1"),
        ("cycle_mult", 0, "cycle_mult must be above 0, got 0"),
        ("start_value", "1", "start_value must be a number, got '1'"),
        ("event_index", -1, "'event_index' must be a whole number, 0 or more"),
        ("warmup_duration", 3, "needs monotonic=True"),
        ("param_name", "momentum", "its param_name is 'momentum', and that of this"),
        ("param_group_index", 1, "its param_group_index is 1, and that of this scheduler None"),
        ("value", [1.0, 2.0], "its 'value' must be a number, or a list of 1"),
        ("answered", {"COMPLETED": 1}, "'answered' of a saved scheduler must be"),
    ],
)
def test_an_impossible_entry_is_refused(
    optimizer: Make, key: str, value: Any, complaint: str
) -> None:
    scheduler = linear(optimizer())
    with pytest.raises((ValueError, TypeError), match=complaint):
        scheduler.load_state_dict({**scheduler.state_dict(), key: value})


def test_of_several_schedulers_none_is_changed_when_the_last_cannot_be(optimizer: Make) -> None:
    own = optimizer()
    scheduler = concat(own)
    scheduler(None)
    state = scheduler.state_dict()
    state["schedulers"][1]["milestones"] = [3, 1]
    state["schedulers"][1]["values"] = [3.0, 1.0]
    other = concat(own)
    before = str(other.state_dict())
    with pytest.raises(ValueError, match="must be increasing, got 1 at place 1 after 3"):
        other.load_state_dict(state)
    assert str(other.state_dict()) == before


def test_the_state_of_another_number_of_schedulers_is_refused(optimizer: Make) -> None:
    own = optimizer()
    scheduler = concat(own)
    state = scheduler.state_dict()
    state["schedulers"].pop()
    with pytest.raises(ValueError, match="it is of 1 schedulers, and these are 2"):
        scheduler.load_state_dict(state)


def test_the_state_of_schedulers_of_other_names_is_refused(optimizer: Make) -> None:
    own = optimizer()
    head, body = (ParamGroupScheduler([linear(own)], names=[name]) for name in ("head", "body"))
    with pytest.raises(ValueError, match=r"its schedulers are \['head'\], and these \['body'\]"):
        body.load_state_dict(head.state_dict())


def test_the_state_of_a_scheduler_of_torch_for_other_groups_is_refused(optimizer: Make) -> None:
    one = LRScheduler(of_torch.ExponentialLR(optimizer(), gamma=0.5))
    two = LRScheduler(of_torch.ExponentialLR(optimizer(groups=2), gamma=0.5))
    before = str(two.state_dict())
    with pytest.raises(ValueError, match=r"learning rates of 2 param group\(s\), got \[0.1\]"):
        two.load_state_dict(one.state_dict())
    assert str(two.state_dict()) == before


def test_a_subclass_saves_what_it_names(optimizer: Make) -> None:
    class Rising(ParamScheduler):
        def __init__(self, optimizer: Any, slope: float) -> None:
            super().__init__(optimizer, "lr")
            self.slope = slope
            self._state_attrs += ["slope"]

        def get_param(self) -> float:
            return self.slope * self.event_index

    first, second = Rising(optimizer(), 2.0), Rising(optimizer(), 3.0)
    first(None)
    second.load_state_dict(first.state_dict())
    second(None)
    assert second.optimizer.param_groups[0]["lr"] == 2.0
