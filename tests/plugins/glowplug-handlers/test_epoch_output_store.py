"""Which outputs are kept, for how long, and what of them."""

from __future__ import annotations

from collections import namedtuple
from typing import Any

import pytest
import torch

from glowplug import Engine, Events
from glowplug.errors import InvalidArgument, InvalidType
from glowplug_handlers import EpochOutputStore

Pair = namedtuple("Pair", "loss name")


@pytest.fixture
def echo() -> Engine[Any, Any]:
    return Engine(lambda engine, batch: batch)


def test_the_outputs_of_the_last_epoch_are_found_in_the_state(echo: Engine[Any, Any]) -> None:
    store = EpochOutputStore()
    store.attach(echo, "outputs")
    state = echo.run([1, 2, 3], max_epochs=2)
    assert state.outputs == store.data == [1, 2, 3]


def test_without_a_name_they_are_found_in_the_store_alone(echo: Engine[Any, Any]) -> None:
    store = EpochOutputStore()
    store.attach(echo)
    before = set(vars(echo.state))
    echo.run([1, 2, 3])
    assert store.data == [1, 2, 3]
    assert set(vars(echo.state)) == before


def test_the_transform_makes_what_is_kept(echo: Engine[Any, Any]) -> None:
    store = EpochOutputStore(output_transform=lambda output: output["loss"])
    store.attach(echo)
    echo.run([{"loss": 1}, {"loss": 2}])
    assert store.data == [1, 2]


def test_a_list_that_was_handed_out_does_not_change_in_the_next_epoch(
    echo: Engine[Any, Any],
) -> None:
    EpochOutputStore().attach(echo, "outputs")
    seen: list[Any] = []
    echo.add_event_handler(Events.EPOCH_COMPLETED, lambda: seen.append(echo.state.outputs))
    echo.run([1, 2], max_epochs=2)
    assert seen[0] is not seen[1]
    assert seen == [[1, 2], [1, 2]]


def test_plain_handlers_of_the_end_of_the_epoch_find_it(echo: Engine[Any, Any]) -> None:
    seen: list[Any] = []
    echo.add_event_handler(Events.EPOCH_COMPLETED, lambda: seen.extend(echo.state.outputs))
    EpochOutputStore().attach(echo, "outputs")
    echo.run([1, 2])
    assert seen == [1, 2]


def test_tensors_are_kept_without_their_history() -> None:
    weight = torch.ones(1, requires_grad=True)

    def step(engine: Engine[Any, Any], batch: int) -> Any:
        loss = weight * batch
        return {"loss": loss, "all": [loss, (loss, Pair(loss, "first"))], "text": "x"}

    engine, store = Engine(step), EpochOutputStore()
    store.attach(engine)
    engine.run([2])
    (kept,) = store.data
    tensors = [kept["loss"], kept["all"][0], kept["all"][1][0], kept["all"][1][1].loss]
    assert [(tensor.item(), tensor.requires_grad) for tensor in tensors] == [(2.0, False)] * 4
    assert isinstance(kept["all"][1][1], Pair)


def test_an_epoch_that_is_resumed_has_all_of_its_outputs(echo: Engine[Any, Any]) -> None:
    store = EpochOutputStore()
    store.attach(echo, "outputs")
    echo.load_state_dict({"iteration": 4, "epoch_length": 3, "max_epochs": 2})
    store.load_state_dict({"data": [1]})
    assert echo.run([1, 2, 3]).outputs == [1, 2, 3]


def test_an_epoch_that_begins_after_loading_begins_empty(echo: Engine[Any, Any]) -> None:
    store = EpochOutputStore()
    store.attach(echo, "outputs")
    store.load_state_dict({"data": [7, 8, 9]})
    assert echo.run([1, 2, 3]).outputs == [1, 2, 3]


def test_storing_without_a_name_is_an_error(echo: Engine[Any, Any]) -> None:
    with pytest.raises(InvalidArgument, match=r"give one: attach\(engine, name\)"):
        EpochOutputStore().store(echo)


def test_a_name_that_is_no_attributes_is_refused(echo: Engine[Any, Any]) -> None:
    with pytest.raises(InvalidArgument, match="must name an attribute of the state, got 'my out'"):
        EpochOutputStore().attach(echo, "my out")


def test_a_state_that_is_none_is_refused() -> None:
    with pytest.raises(InvalidType, match="data must be a list, got 3"):
        EpochOutputStore().load_state_dict({"data": 3})
