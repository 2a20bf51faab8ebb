"""Moving tensors inside containers, mapping over them, and one-hot vectors."""

from __future__ import annotations

import dataclasses
from collections import OrderedDict, UserDict, defaultdict, namedtuple
from types import MappingProxyType
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst
from torch.nn.utils.rnn import pack_sequence

from glowplug.errors import GlowplugError
from glowplug_torch import apply_to_tensor, apply_to_type, convert_tensor, to_onehot

Pair = namedtuple("Pair", ["x", "y"])


@dataclasses.dataclass(frozen=True)
class Sample:
    image: torch.Tensor
    name: str


class Tagged(UserDict[str, Any]):
    """A mapping with an attribute that its constructor does not take."""

    tag = "none"


def test_a_tensor_is_moved_to_the_device() -> None:
    assert convert_tensor(torch.ones(2), device="meta").device.type == "meta"


def test_without_a_device_the_tensor_is_the_same_object() -> None:
    tensor = torch.ones(2)
    assert convert_tensor(tensor) is tensor


def test_strings_and_bytes_are_left_alone() -> None:
    assert convert_tensor(["name", b"raw"], device="meta") == ["name", b"raw"]


@pytest.mark.parametrize(
    "container",
    [
        [torch.ones(1)],
        (torch.ones(1), torch.ones(2)),
        Pair(torch.ones(1), torch.ones(1)),
        {"a": torch.ones(1)},
        OrderedDict(a=torch.ones(1)),
        defaultdict[str, Any](list, a=torch.ones(1)),
        MappingProxyType({"a": torch.ones(1)}),
        Sample(torch.ones(1), "first"),
    ],
    ids=lambda container: type(container).__name__,
)
def test_a_container_keeps_its_type(container: Any) -> None:
    moved = convert_tensor(container, device="meta")
    assert type(moved) is type(container)
    found: list[str] = []
    apply_to_tensor(moved, lambda tensor: found.append(tensor.device.type))
    assert set(found) == {"meta"}


def test_the_original_container_is_not_changed() -> None:
    batch = {"x": torch.ones(1)}
    convert_tensor(batch, device="meta")
    assert batch["x"].device.type == "cpu"


def test_a_default_dict_keeps_its_default() -> None:
    moved = convert_tensor(defaultdict[str, Any](list, a=torch.ones(1)), device="meta")
    assert moved["missing"] == []


def test_a_mapping_keeps_attributes_that_its_constructor_does_not_take() -> None:
    batch = Tagged(a=torch.ones(1))
    batch.tag = "kept"
    assert convert_tensor(batch, device="meta").tag == "kept"


def test_a_packed_sequence_is_moved_as_a_whole() -> None:
    packed = pack_sequence([torch.ones(3), torch.ones(2)])
    moved = convert_tensor({"x": packed}, device="meta")["x"]
    assert moved.data.device.type == "meta"
    assert moved.batch_sizes.device.type == "cpu"


@pytest.mark.parametrize("alien", [None, 3, 2.5, {1, 2}, object()], ids=lambda a: type(a).__name__)
def test_anything_else_is_an_error_that_names_its_type(alien: Any) -> None:
    with pytest.raises(TypeError, match=f"expected Tensor.*of type {type(alien).__name__}"):
        convert_tensor(alien)


def test_the_error_says_where_in_the_structure_it_is() -> None:
    with pytest.raises(GlowplugError, match=r"x\['targets'\]\[1\]\.y is None"):
        apply_to_tensor({"targets": [torch.ones(1), Pair("a", "b")._replace(y=None)]}, torch.clone)


def test_a_wanted_type_is_found_before_containers_and_strings_are() -> None:
    assert apply_to_type({"a": "text", "b": [1]}, (str, list), len) == {"a": 4, "b": 1}


nested = st.recursive(
    st.integers(),
    lambda inner: (
        st.lists(inner)
        | st.dictionaries(st.text(max_size=3), inner)
        | st.tuples(inner, inner)
        | st.builds(Pair, inner, inner)
    ),
    max_leaves=20,
)


@given(nested)
def test_applying_the_identity_gives_an_equal_structure_of_equal_types(structure: Any) -> None:
    def shape(x: Any) -> Any:
        if isinstance(x, int):
            return x
        parts = list(x.items()) if isinstance(x, dict) else list(enumerate(x))
        return (type(x), [(key, shape(value)) for key, value in parts])

    assert shape(apply_to_type(structure, int, lambda n: n)) == shape(structure)


@given(npst.arrays(np.int64, npst.array_shapes(max_dims=3, max_side=4), elements=st.integers(0, 4)))
def test_one_hot_vectors_have_their_one_where_the_index_says(indices: np.ndarray[Any, Any]) -> None:
    onehot = to_onehot(torch.from_numpy(indices), num_classes=5)
    assert onehot.dtype is torch.uint8
    expected = np.moveaxis(np.eye(5, dtype=np.uint8)[indices], -1, 1)
    assert (onehot.numpy() == expected).all()


def test_one_hot_vectors_of_nothing_are_empty() -> None:
    assert to_onehot(torch.zeros(0, dtype=torch.long), 3).shape == (0, 3)


@pytest.mark.parametrize(
    ("indices", "classes", "kind", "message"),
    [
        (torch.tensor([3]), 3, ValueError, "lie in 0 to 2 .* from 3 to 3"),
        (torch.tensor([-1, 1]), 3, ValueError, "from -1 to 1"),
        (torch.tensor(1), 3, ValueError, "unsqueeze"),
        (torch.tensor([0]), 0, ValueError, "num_classes must be at least 1, got 0"),
        (torch.tensor([0.5]), 3, TypeError, "tensor of integers, got torch.float32"),
        ([0], 3, TypeError, "tensor of integers, got list"),
    ],
)
def test_impossible_indices_are_an_error(
    indices: Any, classes: int, kind: type[Exception], message: str
) -> None:
    with pytest.raises(kind, match=message):
        to_onehot(indices, classes)
