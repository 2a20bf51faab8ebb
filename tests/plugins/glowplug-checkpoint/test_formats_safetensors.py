"""Files in the format of safetensors.

Owns: that their own library reads them, that its files are read, and what has no place in them.
Must not know: the format of torch.
"""

from __future__ import annotations

import contextlib
import io
import json
import tracemalloc
from pathlib import Path
from typing import Any

import pytest
import safetensors.torch
import torch
from hypothesis import given
from hypothesis import strategies as st
from safetensors import safe_open

from glowplug_checkpoint import (
    DamagedCheckpoint,
    Format,
    Store,
    UnsavableContent,
    UnverifiedWarning,
    load,
    safetensor_files,
    save,
)
from glowplug_checkpoint.formats import read, write
from glowplug_checkpoint.safetensor_files import DTYPES


def written(content: Any) -> bytes:
    file = io.BytesIO()
    write(content, file, Format.SAFETENSORS)
    return file.getvalue()


def test_their_own_library_finds_the_tensors_under_dotted_names(
    store: Store, folder: Path, content: dict[str, Any]
) -> None:
    save(store, "a.safetensors", content, format=Format.SAFETENSORS)
    found = safetensors.torch.load_file(folder / "a.safetensors")
    assert sorted(found) == ["model.bias", "model.weight"]
    for name, tensor in content["model"].items():
        assert torch.equal(found[f"model.{name}"], tensor)


@pytest.mark.parametrize("dtype", DTYPES.values(), ids=DTYPES)
def test_their_own_library_reads_every_dtype(dtype: torch.dtype) -> None:
    bits = torch.arange(16, dtype=torch.uint8).remainder(2).view(dtype)
    found = safetensors.torch.load(written({"x": bits, "y": torch.ones(3, dtype=torch.uint8)}))["x"]
    assert found.dtype is dtype
    assert torch.equal(found.view(torch.uint8), bits.view(torch.uint8))


@given(shapes=st.lists(st.lists(st.integers(0, 3), max_size=3), max_size=5), data=st.data())
def test_their_own_library_reads_any_mixture(shapes: list[list[int]], data: st.DataObject) -> None:
    dtypes = data.draw(st.lists(st.sampled_from(list(DTYPES.values())), min_size=len(shapes)))
    content = {
        f"t{i}": torch.zeros(shape, dtype=dtype)
        for i, (shape, dtype) in enumerate(zip(shapes, dtypes, strict=False))
    }
    found = safetensors.torch.load(written(content))
    assert {name: (x.shape, x.dtype) for name, x in found.items()} == {
        name: (x.shape, x.dtype) for name, x in content.items()
    }


def test_the_rest_of_the_tree_is_json_in_the_metadata(folder: Path) -> None:
    path = folder / "a.safetensors"
    path.write_bytes(written({"x": torch.ones(1), "lr": 0.1, "betas": (0.9, 1e400)}))
    with safe_open(path, "pt") as file:
        metadata = file.metadata()
    assert metadata["format"] == "pt"
    assert json.loads(metadata["glowplug.content"]) == {
        "dict": {"x": {"tensor": "x"}, "lr": 0.1, "betas": {"tuple": [0.9, {"float": "inf"}]}}
    }


def test_paths_that_read_the_same_get_names_of_their_own() -> None:
    content = {"a": {"b": torch.zeros(1)}, "a.b": torch.ones(1), "__metadata__": torch.ones(2)}
    data = written(content)
    assert sorted(safetensors.torch.load(data)) == ["__metadata__#2", "a.b", "a.b#2"]
    found = read(io.BytesIO(data))
    assert torch.equal(found["a.b"], torch.ones(1))
    assert torch.equal(found["a"]["b"], torch.zeros(1))


def test_a_content_that_is_one_tensor_comes_back() -> None:
    assert torch.equal(read(io.BytesIO(written(torch.ones(2)))), torch.ones(2))


def test_files_of_others_are_read_as_a_dict_of_tensors(store: Store, folder: Path) -> None:
    safetensors.torch.save_file({"x": torch.ones(2)}, folder / "a.safetensors")
    with pytest.warns(UnverifiedWarning, match="no manifest"):
        found = load(store, "a.safetensors")
    assert torch.equal(found["x"], torch.ones(2))


def test_tensors_go_to_the_device_that_is_asked_for() -> None:
    data = written({"x": torch.ones(2)})
    assert read(io.BytesIO(data), map_location="meta")["x"].is_meta
    assert read(io.BytesIO(data), map_location={"cpu": "meta"})["x"].is_meta
    with pytest.raises(ValueError, match="give the device that they shall go to"):
        read(io.BytesIO(data), map_location=lambda storage, location: storage)


REFUSED = [
    (torch.ones(2).to_sparse(), "a tensor of layout torch.sparse_coo on cpu"),
    (torch.ones(2, device="meta"), "a tensor of layout torch.strided on meta"),
    (torch.ones(2, dtype=torch.complex128), "a tensor of dtype torch.complex128"),
    (torch.strided, "of type torch.layout"),
    (object(), "of type builtins.object"),
]


@pytest.mark.parametrize(("value", "told"), REFUSED, ids=[told for _, told in REFUSED])
def test_what_has_no_place_is_refused_by_its_path(value: Any, told: str) -> None:
    with pytest.raises(UnsavableContent, match=rf"^a\.0 is {told}, for which .* use the format of"):
        written({"a": [value]})


def test_a_tensor_with_attributes_of_its_own_is_refused() -> None:
    marked = torch.ones(2)
    marked.mine = 3  # type: ignore[attr-defined]  # as anybody may
    with pytest.raises(UnsavableContent, match=r"^x is a tensor with the attributes mine, for"):
        written({"x": marked})


@given(data=st.data())
def test_a_damaged_file_is_told_or_read_but_never_crashes(data: st.DataObject) -> None:
    good = written({"x": torch.arange(4.0), "n": (1, float("nan"))})
    flipped = bytearray(good)
    place = data.draw(st.integers(0, 8 * len(good) - 1))
    flipped[place // 8] ^= 1 << place % 8
    end = data.draw(st.integers(0, len(good)) | st.just(len(good)))
    with contextlib.suppress(DamagedCheckpoint):
        safetensor_files.read(io.BytesIO(bytes(flipped[:end])))


@pytest.mark.parametrize(
    ("header", "told"),
    [
        ({"x": {"dtype": "F32", "shape": [2**60], "data_offsets": [0, 2**62]}}, "one behind the"),
        ({"x": {"dtype": "F32", "shape": [2], "data_offsets": [0, 4]}}, "takes 8 bytes, not 4"),
        ({"x": {"dtype": "F9", "shape": [1], "data_offsets": [0, 4]}}, "dtype 'F9'"),
        ({"x": {"dtype": "U8", "shape": [-2, -2], "data_offsets": [0, 4]}}, r"shape \[-2, -2\]"),
        ({"x": {"dtype": "U8", "shape": [4], "data_offsets": [4, 8]}}, "one behind the other"),
        ({"x": 3}, "not one of safetensors"),
        ({"__metadata__": {"glowplug.content": "{"}}, "one behind the other"),
    ],
)
def test_a_header_that_cannot_be_right_is_told(header: dict[str, Any], told: str) -> None:
    text = json.dumps(header).encode()
    file = io.BytesIO(len(text).to_bytes(8, "little") + text + b"\0" * 4)
    with pytest.raises(DamagedCheckpoint, match=told):
        safetensor_files.read(file)


@pytest.mark.parametrize("tree", ["{", '{"no such kind": 1}', '{"tensor": "x"}', '{"set": [[1]]}'])
def test_a_tree_that_cannot_be_right_is_told(tree: str) -> None:
    text = json.dumps({"__metadata__": {"glowplug.content": tree}}).encode()
    with pytest.raises(DamagedCheckpoint, match="its tree"):
        safetensor_files.read(io.BytesIO(len(text).to_bytes(8, "little") + text))


def test_no_second_copy_of_the_content_is_held_in_memory(store: Store) -> None:
    content = {"x": torch.zeros(4_000_000), "y": torch.zeros(4_000_000)}
    for format in Format:
        save(store, "a", content, format=format)
        tracemalloc.start()
        save(store, "a", content, format=format)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert peak < 8_000_000
