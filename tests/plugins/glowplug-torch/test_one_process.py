"""Ranks and collectives in one process without a process group."""

from __future__ import annotations

from typing import Any

import pytest
import torch

import glowplug_torch as gt


def test_one_process_is_the_first_and_only_rank_of_the_only_node() -> None:
    places = gt.get_rank(), gt.get_local_rank(), gt.get_node_rank()
    counts = gt.get_world_size(), gt.get_nproc_per_node(), gt.get_nnodes()
    assert places == (0, 0, 0)
    assert counts == (1, 1, 1)


def test_there_is_no_backend_and_the_model_is_serial() -> None:
    assert (gt.backend(), gt.model_name()) == (None, "serial")


def test_the_device_is_a_gpu_where_there_is_one() -> None:
    kind = gt.device().type
    assert (kind == "cuda") == torch.cuda.is_available()


def test_a_local_rank_that_is_set_counts_only_with_a_process_group() -> None:
    gt.set_local_rank(3)
    assert gt.get_local_rank() == 0
    gt.sync()


@pytest.mark.parametrize(("index", "kind"), [(-1, ValueError), ("a", TypeError), (None, TypeError)])
def test_an_impossible_local_rank_is_an_error(index: Any, kind: type[Exception]) -> None:
    with pytest.raises(kind, match="a local rank is"):
        gt.set_local_rank(index)


@pytest.mark.parametrize("value", [torch.tensor([1.0, 2.0]), 3, 2.5])
def test_to_reduce_in_one_process_gives_the_value_back(value: Any) -> None:
    assert gt.all_reduce(value) is value


@pytest.mark.parametrize("value", ["text", None, [1], {"a": 1}])
def test_to_reduce_what_is_no_number_is_a_type_error(value: Any) -> None:
    with pytest.raises(TypeError, match=f"a tensor or a number, got .*{type(value).__name__}"):
        gt.all_reduce(value)


def test_an_unknown_operation_is_an_error_that_names_the_near_one() -> None:
    with pytest.raises(ValueError, match="did you mean 'PRODUCT'"):
        gt.all_reduce(1, op="PRODUKT")


@pytest.mark.parametrize("value", [3, "text", {"a": 1}, None])
def test_to_gather_in_one_process_gives_a_list_of_one(value: Any) -> None:
    assert gt.all_gather(value) == [value]


def test_to_gather_a_tensor_in_one_process_gives_it_back() -> None:
    tensor = torch.ones(2, 3)
    assert gt.all_gather(tensor) is tensor


def test_to_gather_a_tensor_without_dimensions_gives_it_one_as_in_many_processes() -> None:
    assert gt.all_gather(torch.tensor(4.0)).tolist() == [4.0]


@pytest.mark.parametrize("value", [torch.ones(2), 3, "text", {"a": 1}])
@pytest.mark.parametrize("safe_mode", [False, True])
def test_to_broadcast_in_one_process_gives_the_value_back(value: Any, safe_mode: bool) -> None:
    assert gt.broadcast(value, safe_mode=safe_mode) is value


@pytest.mark.parametrize("safe_mode", [False, True])
def test_to_broadcast_nothing_is_an_error(safe_mode: bool) -> None:
    with pytest.raises(ValueError, match="broadcast needs a value, got None"):
        gt.broadcast(None, safe_mode=safe_mode)


@pytest.mark.parametrize("src", [-1, 1])
def test_to_broadcast_from_a_rank_that_is_not_there_is_an_error(src: int) -> None:
    with pytest.raises(ValueError, match=f"src must be a rank from 0 to 0, got {src}"):
        gt.broadcast(1, src=src)


def test_gathering_tensors_of_given_shapes_checks_the_own_one() -> None:
    assert gt.all_gather_tensors_with_shapes(torch.ones(2, 3), [[2, 3]])[0].shape == (2, 3)
    with pytest.raises(ValueError, match=r"this process's tensor, \(2, 3\), got \[\(2, 4\)\]"):
        gt.all_gather_tensors_with_shapes(torch.ones(2, 3), [[2, 4]])


def test_shapes_of_different_dimensions_are_an_error() -> None:
    with pytest.raises(ValueError, match="as many dimensions"):
        gt.all_gather_tensors_with_shapes(torch.ones(2), [[2], [2, 1]])


def test_a_barrier_holds_up_nobody() -> None:
    gt.barrier()


@pytest.mark.parametrize("ranks", ["a", [], [1], [0.5], 0])
def test_a_group_of_ranks_that_are_not_there_is_an_error(ranks: Any) -> None:
    with pytest.raises(ValueError, match="ranks must be a list of ranks from 0 to 0"):
        gt.new_group(ranks)
    with pytest.raises(ValueError, match="ranks must be a list of ranks from 0 to 0"):
        gt.all_reduce(1, group=ranks)


def test_a_function_for_one_rank_runs_on_that_rank_alone() -> None:
    assert gt.one_rank_only()(lambda: "ran")() == "ran"
    assert gt.one_rank_only(rank=1, with_barrier=True)(lambda: "ran")() is None


def test_a_function_for_one_rank_keeps_its_name_and_arguments() -> None:
    @gt.one_rank_only()
    def add(a: int, *, b: int) -> int:
        return a + b

    assert add.__name__ == "add"
    assert add(1, b=2) == 3


@pytest.mark.parametrize("local", [False, True])
def test_the_only_rank_goes_first(local: bool) -> None:
    with gt.one_rank_first(local=local):
        gone = True
    assert gone


def test_a_first_rank_that_is_not_there_is_an_error() -> None:
    with (
        pytest.raises(ValueError, match="rank must be from 0 to 0, got 3"),
        gt.one_rank_first(rank=3),
    ):
        pass
