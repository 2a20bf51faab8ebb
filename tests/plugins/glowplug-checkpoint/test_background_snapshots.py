from __future__ import annotations

import io
import threading
from collections import Counter, OrderedDict
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from glowplug_checkpoint import UnsavableContent
from glowplug_checkpoint.snapshots import Snapshots

BASE = torch.arange(24.0)
TENSORS: list[Any] = [
    BASE,
    BASE[3:9],
    BASE.reshape(4, 6).t(),
    torch.nn.Parameter(BASE[:2]),
    torch.ones(2, requires_grad=True),
    torch.tensor(3, dtype=torch.int8),
    torch.empty(0),
    torch.empty(0),
    torch.eye(3).to_sparse(),
    torch.randn(2, 2).to(torch.bfloat16),
]
plain = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text()
values = st.recursive(
    plain | st.sampled_from(TENSORS),
    lambda parts: (
        st.lists(parts, max_size=4)
        | st.lists(parts, max_size=4).map(tuple)
        | st.dictionaries(st.text(), parts, max_size=4)
        | st.dictionaries(st.integers(), parts, max_size=4).map(OrderedDict)
    ),
    max_leaves=12,
)


def saved(content: Any) -> bytes:
    file = io.BytesIO()
    torch.save(content, file)
    return file.getvalue()


@given(values)
def test_a_snapshot_is_saved_to_the_same_bytes_as_what_it_is_of(content: Any) -> None:
    assert saved(Snapshots().take(content).ready()) == saved(content)


def test_what_shares_memory_shares_it_in_the_snapshot() -> None:
    tied = torch.zeros(4)
    copied = Snapshots().take({"a": tied, "b": tied[1:]}).ready()
    copied["a"][1] = 5.0
    assert copied["b"].tolist() == [5.0, 0.0, 0.0]
    assert tied.tolist() == [0.0] * 4


def test_no_part_of_a_snapshot_follows_what_it_is_of() -> None:
    content: dict[str, Any] = {
        "list": [1],
        "nested": ({"a": [2]}, Counter("a")),
        "set": {3},
        "bytes": bytearray(b"4"),
    }
    copied = Snapshots().take(content).ready()
    content["list"].append(0)
    content["nested"][0]["a"].append(0)
    content["nested"][1]["b"] = 0
    content["set"].add(0)
    content["bytes"].append(0)
    assert copied == {
        "list": [1],
        "nested": ({"a": [2]}, Counter("a")),
        "set": {3},
        "bytes": bytearray(b"4"),
    }


def test_the_notes_of_torch_on_a_modules_versions_are_copied() -> None:
    state = torch.nn.BatchNorm1d(2).state_dict()
    copied = Snapshots().take(state).ready()
    assert copied._metadata == state._metadata  # type: ignore[attr-defined]  # where torch has it
    assert copied._metadata is not state._metadata  # type: ignore[attr-defined]  # likewise


def test_the_next_snapshot_is_made_in_the_memory_of_the_last() -> None:
    snapshots, weights = Snapshots(), {"a": torch.zeros(8), "b": torch.zeros(8)}
    places = set()
    for _ in range(3):
        copied = snapshots.take(weights).ready()
        places.add(tuple(tensor.data_ptr() for tensor in copied.values()))
        del copied
    assert len(places) == 1


def test_memory_that_somebody_still_uses_is_not_written_to() -> None:
    snapshots = Snapshots()
    first = snapshots.take({"a": torch.zeros(8)}).ready()
    second = snapshots.take({"a": torch.ones(8)}).ready()
    assert float(first["a"].sum()) == 0.0
    assert float(second["a"].sum()) == 8.0


def test_a_snapshot_that_is_taken_in_inference_mode_serves_outside_of_it() -> None:
    snapshots = Snapshots()
    with torch.inference_mode():
        snapshots.take({"a": torch.zeros(8)})
    copied = snapshots.take({"a": torch.ones(8)}).ready()
    assert copied["a"].tolist() == [1.0] * 8


def test_what_cannot_be_copied_is_told_by_its_path() -> None:
    with pytest.raises(UnsavableContent, match=r"a\.0 is of type lock, which cannot be copied"):
        Snapshots().take({"a": [threading.Lock()]})


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_tensors_of_a_gpu_are_copied_before_the_next_step_changes_them() -> None:
    weights = torch.zeros(50_000_000, device="cuda")
    snapshots = Snapshots()
    for number in range(3):
        snapshot = snapshots.take({"weights": weights})
        weights += 1
        copied = snapshot.ready()["weights"]
        assert copied.device.type == "cpu"
        assert copied.unique().tolist() == [float(number)]
        del copied, snapshot
