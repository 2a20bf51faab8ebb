"""Content to bytes and back.

Owns: what comes back exactly in each format, and what is refused, by its path.
Must not know: files on disks.
"""

from __future__ import annotations

import collections
import datetime
import enum
import io
import math
import pathlib
import random
from collections import Counter, OrderedDict, defaultdict
from typing import Any, NamedTuple

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from glowplug.testing.comparison import differences
from glowplug_checkpoint import Format, UnsavableContent
from glowplug_checkpoint.formats import read, sniff, write
from glowplug_checkpoint.trees import leaves, nbytes


def round_trip(content: Any, format: Format) -> Any:
    file = io.BytesIO()
    write(content, file, format)
    file.seek(0)
    assert sniff(file) is format
    return read(file)


def outline(value: Any) -> Any:
    """Everything about a value that must come back: types, order, and what is no number."""
    if isinstance(value, dict):
        items = [(outline(key), outline(part)) for key, part in value.items()]
        return type(value), items, outline(vars(value)) if hasattr(value, "__dict__") else None
    if isinstance(value, (list, tuple)):
        return type(value), [outline(part) for part in value]
    if isinstance(value, torch.Tensor):
        bits = value.detach().resolve_conj().resolve_neg().contiguous().reshape(-1)
        data = bits.view(torch.uint8).tolist()
        return type(value), value.dtype, value.shape, value.requires_grad, data
    return type(value), repr(value)


PLAIN = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**200), 2**200),
    st.floats(),
    st.text(st.characters(exclude_categories=())),
    st.binary(min_size=1),
    st.complex_numbers(),
)
KEYS = st.one_of(st.text(), st.integers(), st.booleans(), st.none(), st.tuples(st.integers()))
TENSORS = st.builds(
    lambda shape, dtype: torch.arange(math.prod(shape)).to(dtype).reshape(shape),
    st.lists(st.integers(0, 3), max_size=3),
    st.sampled_from([torch.float32, torch.bfloat16, torch.int64, torch.bool, torch.complex64]),
)
TREES = st.recursive(
    PLAIN | TENSORS,
    lambda parts: st.one_of(
        st.lists(parts, max_size=4),
        st.lists(parts, max_size=4).map(tuple),
        st.dictionaries(KEYS, parts, max_size=4),
        st.dictionaries(st.text(), parts, max_size=4).map(OrderedDict),
    ),
    max_leaves=12,
)


@pytest.mark.parametrize("format", Format)
@given(content=TREES)
def test_every_tree_comes_back_exactly(format: Format, content: Any) -> None:
    assert outline(round_trip(content, format)) == outline(content)


@pytest.mark.parametrize("format", Format)
@pytest.mark.parametrize(
    "value",
    [
        {1, 2, "a"},
        bytearray(b"\0\xff"),
        Counter("abba"),
        torch.Size([2, 3]),
        torch.bfloat16,
        torch.device("cuda", 1),
        -0.0,
        2**2000,
        {True: 1, 2: 0, 3.5: 1, b"x": 2, (1, (None,)): 3},
        random.Random(0).getstate(),
        torch.get_rng_state(),
        torch.nn.Parameter(torch.ones(2)),
        torch.nn.Parameter(torch.ones(2), requires_grad=False),
        torch.ones(2, requires_grad=True),
        torch.nn.Linear(2, 2).state_dict(),
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_a_run_is_made_of_comes_back_exactly(format: Format, value: Any) -> None:
    assert outline(round_trip({"value": value}, format)) == outline({"value": value})


@pytest.mark.parametrize("format", Format)
def test_a_trained_optimizer_goes_on_from_what_comes_back(format: Format) -> None:
    model = torch.nn.Linear(3, 1)
    optimizer = torch.optim.Adam(model.parameters(), lr=0.1)
    model(torch.ones(3)).sum().backward()
    optimizer.step()
    state = round_trip(optimizer.state_dict(), format)
    assert not differences(state, optimizer.state_dict())
    other = torch.optim.Adam(model.parameters(), lr=9.0)
    other.load_state_dict(state)
    assert not differences(other.state_dict(), optimizer.state_dict())


VIEWS = {
    "transposed": torch.arange(6.0).reshape(2, 3).t(),
    "expanded": torch.ones(2).expand(3, 2),
    "a slice": torch.arange(10)[2:9:3],
    "conjugated": torch.tensor([1 + 2j]).conj(),
    "without dimensions": torch.tensor(3.0),
    "empty": torch.zeros(0, 3),
}


@pytest.mark.parametrize("format", Format)
@pytest.mark.parametrize("view", VIEWS)
def test_a_tensor_that_does_not_lie_in_a_row_comes_back(format: Format, view: str) -> None:
    assert torch.equal(round_trip({"x": VIEWS[view]}, format)["x"], VIEWS[view])


@pytest.mark.parametrize("format", Format)
def test_tied_tensors_come_back_tied(format: Format) -> None:
    weight = torch.ones(3)
    found = round_trip({"encoder": weight, "decoder": weight}, format)
    found["encoder"] += 1
    assert torch.equal(found["encoder"], found["decoder"])


class Colour(enum.Enum):
    RED = 1


class Pair(NamedTuple):
    a: int
    b: int


class Mine(dict[str, int]):
    pass


REFUSED = [
    (np.float32(1), r"is a numpy.float32, .* \.item\(\) of a single number"),
    (np.ones(2), r"is a numpy.ndarray, .*torch.from_numpy"),
    (Colour.RED, r"is a .*Colour, .*save its \.value"),
    (Pair(1, 2), r"is a .*Pair, .*save tuple\(\.\.\.\) of it"),
    (Mine(a=1), r"is a .*Mine, .*save dict\(\.\.\.\) of it"),
    (defaultdict(int), r"is a collections.defaultdict, .*save dict"),
    (frozenset([1]), r"is a frozenset, .*sorted"),
    (range(3), r"is a range, .*list"),
    (pathlib.PurePath("a"), r"is a .*Path, .*save str"),
    (datetime.timedelta(1), r"is a datetime.timedelta, .*total_seconds"),
    (torch.Generator(), r"is a .*Generator, .*get_state"),
    (len, r"is a builtin_.*code is not saved"),
    (torch.nn.Linear(1, 1), r"is a torch.nn.modules.linear.Linear, .*(state_dict|code)"),
    (2**3000, r"is an integer of 3001 bits, .*text"),
    (b"", r"is an empty bytes, .*None"),
    ({frozenset(): 1}, r"is a dict with the key frozenset\(\) of type frozenset, .*as the key"),
]


@pytest.mark.parametrize(("value", "told"), REFUSED, ids=[told for _, told in REFUSED])
def test_what_cannot_be_read_back_is_refused_by_its_path(value: Any, told: str) -> None:
    file = io.BytesIO()
    with pytest.raises(UnsavableContent, match=rf"^optimizer\.state\.0\.1 {told}") as raised:
        write({"optimizer": {"state": {0: [1, value]}}}, file)
    assert (raised.value.path, file.getvalue()) == ("optimizer.state.0.1", b"")


@pytest.mark.parametrize("value", [value for value, told in REFUSED if "bits" not in told])
def test_nothing_is_refused_that_torch_would_read_back(value: Any) -> None:
    file = io.BytesIO()
    torch.save(value, file)
    file.seek(0)
    with pytest.raises(Exception, match=r"(?i)weights.?only|unsupported"):
        torch.load(file, weights_only=True)


def test_several_complaints_are_made_at_once_but_not_hundreds() -> None:
    with pytest.raises(UnsavableContent, match=r"^0 is .*; 4 is .*; and more$") as raised:
        write([len] * 100, io.BytesIO())
    assert "5 is" not in str(raised.value)


def test_an_attribute_of_a_state_dict_is_checked_too() -> None:
    state = torch.nn.Linear(1, 1).state_dict()
    state._metadata["mine"] = len  # type: ignore[attr-defined]  # torch sets it
    with pytest.raises(UnsavableContent, match=r"^model\._metadata\.mine is a builtin"):
        write({"model": state}, io.BytesIO())


@pytest.mark.parametrize("format", Format)
def test_what_holds_itself_is_refused(format: Format) -> None:
    content: dict[str, Any] = {"a": []}
    content["a"].append(content["a"])
    with pytest.raises(UnsavableContent, match=r"^a\.0 is a list that holds itself"):
        write(content, io.BytesIO(), format)


def test_a_type_that_was_declared_safe_is_saved_if_it_can_be_read_back() -> None:
    with torch.serialization.safe_globals([Pair, Mine]):
        assert round_trip({"pair": Pair(1, 2)}, Format.TORCH) == {"pair": Pair(1, 2)}
        with pytest.raises(UnsavableContent, match=r"^mine is a .*Mine, which"):
            write({"mine": Mine(a=1)}, io.BytesIO())
        with pytest.raises(UnsavableContent, match=r"^pair is a .*Pair, which"):
            write({"pair": Pair(1, range(3))}, io.BytesIO())  # type: ignore[arg-type]  # on purpose


def test_a_file_is_read_by_torch_itself() -> None:
    file = io.BytesIO()
    write({"x": torch.ones(2), "step": 3}, file)
    file.seek(0)
    assert not differences(torch.load(file, weights_only=True), {"x": torch.ones(2), "step": 3})


@pytest.mark.parametrize("keyword", [{"pickle_protocol": 4}, {"pickle_module": io}])
def test_a_keyword_that_makes_a_file_unreadable_is_refused(keyword: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"makes a file that torch.load\(weights_only=True\) does"):
        write({}, io.BytesIO(), **keyword)


def test_a_keyword_of_torchs_is_passed_on_and_has_no_place_elsewhere() -> None:
    file = io.BytesIO()
    write({"a": 1}, file, _use_new_zipfile_serialization=False)
    assert not file.getvalue().startswith(b"PK")
    with pytest.raises(ValueError, match="_use_new_zipfile_serialization: keywords of"):
        write({}, io.BytesIO(), Format.SAFETENSORS, _use_new_zipfile_serialization=False)


def test_each_value_has_a_path_of_its_own() -> None:
    content = {"a": {"b.c": 1, "d": [[2], (3, 4)]}, "a.b": {"c": 5}, "e": {}}
    assert list(leaves(content)) == [
        ("a.b.c", 1),
        ("a.d.0", [2]),
        ("a.d.1", (3, 4)),
        ("a.b.c#2", 5),
        ("e", {}),
    ]


def test_a_storage_is_counted_once() -> None:
    weight = torch.zeros(100)
    assert nbytes({"a": weight, "b": weight, "c": [weight.view(10, 10)], "d": 1}) == 400
    assert nbytes(collections.OrderedDict(a=weight.to_sparse())) == 400
