"""Ranks and collectives in three processes that really talk to each other."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from typing import Any

import pytest
import torch

import glowplug_torch as gt

RANKS = 3


def talk(local_rank: int) -> dict[str, Any]:
    """Make each kind of call, and return what it gave on this rank."""
    rank = gt.get_rank()
    mine = torch.tensor([float(rank), 1.0])
    pair = gt.new_group([0, 2])
    shapes = [(1, 2), (2, 1), (3, 3)]
    told = {
        "sum": gt.all_reduce(mine),
        "max": gt.all_reduce(rank, op="MAX"),
        "product": gt.all_reduce(rank + 1.5, op="PRODUCT"),
        "untouched": mine,
        "rows": gt.all_gather(torch.full((2, 1), rank)),
        "scalars": gt.all_gather(torch.tensor(rank)),
        "objects": gt.all_gather({"rank": rank}),
        "pair": gt.all_reduce(rank + 1, group=pair),
        "listed": gt.all_gather(f"rank {rank}", group=[1, 2]),
        "shaped": gt.all_gather_tensors_with_shapes(torch.full(shapes[rank], rank), shapes),
        "tensor from 1": gt.broadcast(mine, src=1),
        "value from 2": gt.broadcast("said" if rank == 2 else None, src=2, safe_mode=True),
        "unasked": gt.broadcast(mine if rank == 0 else None, safe_mode=True),
        "only 1": gt.one_rank_only(rank=1, with_barrier=True)(lambda: "ran")(),
    }
    with gt.one_rank_first(local=True):
        told["entered"] = time.monotonic()
        time.sleep(0.2 if rank == 0 else 0)
        told["left"] = time.monotonic()
    return {**told, **places(local_rank)}


def places(local_rank: int) -> dict[str, Any]:
    """Return what this rank knows of itself: told by variables, set by hand, and found out."""
    facts = gt.get_local_rank, gt.get_nproc_per_node, gt.get_node_rank, gt.get_nnodes
    told: dict[str, Any] = {"given": local_rank, "placed": [fact() for fact in facts]}
    told["backend"] = gt.backend(), gt.model_name(), gt.get_world_size()
    told["variables"] = os.environ.pop("LOCAL_RANK"), os.environ["WORLD_SIZE"]
    gt.sync(temporary=True)
    with pytest.raises(gt.PlacementUnknown, match=r"local_rank is not known: .* call glowplug"):
        gt.get_local_rank()
    gt.set_local_rank(7)
    told["set"] = gt.get_local_rank()
    gt.sync()
    told["found"] = [fact() for fact in facts]
    return told


@pytest.fixture(scope="module")
def told(ranks: Callable[..., Any]) -> dict[str, list[Any]]:
    """What each kind of call gave, by rank."""
    by_rank = ranks(RANKS, talk)
    return {name: [said[name] for said in by_rank] for name in by_rank[0]}


def test_reduced_tensors_are_the_same_on_all_ranks(told: dict[str, list[Any]]) -> None:
    assert [value.tolist() for value in told["sum"]] == [[3.0, 3.0]] * RANKS
    assert [value.tolist() for value in told["untouched"]] == [[0, 1], [1, 1], [2, 1]]


def test_reduced_numbers_stay_numbers_of_their_type(told: dict[str, list[Any]]) -> None:
    assert told["max"] == [2] * RANKS
    assert told["product"] == [1.5 * 2.5 * 3.5] * RANKS


def test_gathered_tensors_are_joined_in_the_order_of_the_ranks(told: dict[str, list[Any]]) -> None:
    for rank in range(RANKS):
        assert told["rows"][rank].flatten().tolist() == [0, 0, 1, 1, 2, 2]
        assert told["scalars"][rank].tolist() == [0, 1, 2]


def test_gathered_objects_are_a_list_in_the_order_of_the_ranks(told: dict[str, list[Any]]) -> None:
    assert told["objects"] == [[{"rank": rank} for rank in range(RANKS)]] * RANKS


def test_a_group_talks_among_itself_and_the_others_keep_theirs(told: dict[str, list[Any]]) -> None:
    assert told["pair"] == [4, 2, 4]
    assert told["listed"] == [["rank 0"], ["rank 1", "rank 2"], ["rank 1", "rank 2"]]


def test_tensors_of_different_shapes_are_gathered_as_they_are(told: dict[str, list[Any]]) -> None:
    for gathered in told["shaped"]:
        assert [tuple(tensor.shape) for tensor in gathered] == [(1, 2), (2, 1), (3, 3)]
        assert [tensor.unique().item() for tensor in gathered] == [0, 1, 2]


def test_one_rank_broadcasts_to_all(told: dict[str, list[Any]]) -> None:
    assert [value.tolist() for value in told["tensor from 1"]] == [[1.0, 1.0]] * RANKS
    assert told["value from 2"] == ["said"] * RANKS


def test_in_safe_mode_the_others_need_not_know_the_shape(told: dict[str, list[Any]]) -> None:
    assert [value.tolist() for value in told["unasked"]] == [[0.0, 1.0]] * RANKS


def test_a_function_for_one_rank_runs_there_alone(told: dict[str, list[Any]]) -> None:
    assert told["only 1"] == [None, "ran", None]


def test_the_others_wait_until_the_first_rank_has_left_the_block(
    told: dict[str, list[Any]],
) -> None:
    assert min(told["entered"][1:]) >= told["left"][0]


def test_each_process_knows_its_place(told: dict[str, list[Any]]) -> None:
    assert told["given"] == [0, 1, 2]
    assert told["placed"] == [[rank, RANKS, 0, 1] for rank in range(RANKS)]
    assert told["backend"] == [("gloo", "native-dist", RANKS)] * RANKS


def test_the_environment_is_the_one_that_torchrun_makes(told: dict[str, list[Any]]) -> None:
    assert told["variables"] == [(str(rank), str(RANKS)) for rank in range(RANKS)]


def test_a_place_that_no_launcher_told_is_found_out_by_hosts(told: dict[str, list[Any]]) -> None:
    assert told["set"] == [7] * RANKS
    assert told["found"] == [[rank, RANKS, 0, 1] for rank in range(RANKS)]
