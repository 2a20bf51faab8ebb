"""Content in the format of safetensors.

Owns: a file's header and its bytes, as https://github.com/huggingface/safetensors defines them.
Must not know: how a tree stands in JSON, or any other format.

The format is a length, a header in JSON and the tensors' bytes, so it is written and read here, a
tensor at a time: the library ``safetensors`` would hold all of them in memory once more. Its own
reader is what the tests hold these files against.
"""

from __future__ import annotations

import ctypes
import io
import json
import math
import operator
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any, BinaryIO, Protocol

import torch

from glowplug.errors import InvalidArgument
from glowplug_checkpoint import json_trees, trees
from glowplug_checkpoint.errors import DamagedCheckpoint

CONTENT = "glowplug.content"
"""The key of the metadata under which the tree is."""
_METADATA = "__metadata__"
_LENGTH = 8  # bytes of the header's length
_MOST_HEADER = 100_000_000  # as the library has it
_NAMES = {
    "BOOL": "bool",
    "U8": "uint8",
    "I8": "int8",
    "U16": "uint16",
    "I16": "int16",
    "F16": "float16",
    "BF16": "bfloat16",
    "U32": "uint32",
    "I32": "int32",
    "F32": "float32",
    "U64": "uint64",
    "I64": "int64",
    "F64": "float64",
    "C64": "complex64",
    "F8_E4M3": "float8_e4m3fn",
    "F8_E5M2": "float8_e5m2",
}
DTYPES: Mapping[str, torch.dtype] = MappingProxyType(
    {name: getattr(torch, dtype) for name, dtype in _NAMES.items() if hasattr(torch, dtype)}
)
"""The dtypes by their names in a header; older versions of torch lack some."""
_CODES = {dtype: name for name, dtype in DTYPES.items()}


class _Writable(Protocol):
    def write(self, data: Any) -> int: ...


class _Tensors:
    """The tensors of a content under the names that they get; those that are one get one name."""

    def __init__(self) -> None:
        self.named: dict[str, torch.Tensor] = {}
        self._taken = {_METADATA}
        self._seen: dict[object, str] = {}

    def name(self, path: str, tensor: torch.Tensor) -> str:
        place = (tensor.data_ptr(), tensor.shape, tensor.stride(), tensor.dtype, tensor.device)
        same: object = place if tensor.numel() else id(tensor)
        if same not in self._seen:
            name = trees.unused(path or trees.TOP, self._taken)
            self._taken.add(name)
            self.named[name] = tensor
            self._seen[same] = name
        return self._seen[same]


def write(content: Any, file: _Writable) -> None:
    """Write a content.

    Args:
        content: a tree.
        file: what to write to.

    Raises:
        UnsavableContent: when something in it has no place in this format, by its path.
    """
    trees.refuse(content, _problem)
    tensors = _Tensors()
    tree = json.dumps(json_trees.encode(content, tensors.name), separators=(",", ":"))
    # The largest items first, so that each tensor begins where its items may begin in memory.
    ordered = sorted(tensors.named.items(), key=lambda item: -item[1].element_size())
    header: dict[str, Any] = {_METADATA: {"format": "pt", CONTENT: tree}}
    end = 0
    for name, tensor in ordered:
        begin, end = end, end + tensor.numel() * tensor.element_size()
        shape = list(tensor.shape)
        offsets = [begin, end]
        header[name] = {"dtype": _CODES[tensor.dtype], "shape": shape, "data_offsets": offsets}
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % _LENGTH)
    file.write(len(text).to_bytes(_LENGTH, "little"))
    file.write(text)
    for _, tensor in ordered:
        for data in _bytes(tensor):
            file.write(data)


def _problem(value: Any) -> str:
    absent = "for which the format of safetensors has no place: use the format of torch"
    kind = type(value)
    if kind not in json_trees.KINDS:
        return f"of type {kind.__module__}.{kind.__qualname__}, {absent}"
    if kind not in json_trees.TENSORS:
        return ""
    if value.layout is not torch.strided or value.is_quantized or value.is_meta or value.is_nested:
        return f"a tensor of layout {value.layout} on {value.device}, {absent}"
    if value.dtype not in _CODES:
        return f"a tensor of dtype {value.dtype}, {absent}"
    if vars(value):
        return f"a tensor with the attributes {', '.join(vars(value))}, {absent}"
    return ""


def _bytes(tensor: torch.Tensor) -> Iterator[Any]:
    """Yield the bytes of a tensor, without a copy where they lie in a row."""
    plain = tensor.detach().cpu().resolve_conj().resolve_neg().contiguous()
    if plain.numel():
        yield _memory(plain)


def _memory(tensor: torch.Tensor) -> memoryview:
    """Return the memory of a tensor; it must outlive what is returned."""
    size = tensor.numel() * tensor.element_size()
    return memoryview((ctypes.c_char * size).from_address(tensor.data_ptr())).cast("B")


def read(file: BinaryIO, map_location: Any = None) -> Any:
    """Read a content; of a file that others wrote, a dict of its tensors.

    Args:
        file: open for reading, at its beginning.
        map_location: the device that the tensors go to; the CPU by default.

    Raises:
        DamagedCheckpoint: when it is not in this format, or ends too early.
        InvalidArgument: when ``map_location`` is a function.
    """
    device = _device(map_location)
    header = _header(file)
    metadata = header.pop(_METADATA, {})
    tensors = {name: _tensor(file, name, entry).to(device) for name, entry in header.items()}
    if CONTENT not in metadata:
        return tensors
    try:
        tree = json.loads(metadata[CONTENT])
    except ValueError as error:
        raise DamagedCheckpoint(f"its tree is no JSON ({error})") from error
    return json_trees.decode(tree, tensors)


def _device(map_location: Any) -> torch.device:
    if callable(map_location):
        raise InvalidArgument(
            f"map_location={map_location!r}: a file of safetensors does not say which devices its "
            "tensors were on; give the device that they shall go to"
        )
    if isinstance(map_location, dict):
        map_location = map_location.get("cpu")
    return torch.device("cpu" if map_location is None else map_location)


def _header(file: BinaryIO) -> dict[str, Any]:
    """Read the header; its entries are in the order in which the tensors lie."""
    length = int.from_bytes(file.read(_LENGTH), "little")
    if length > _MOST_HEADER:
        raise DamagedCheckpoint(f"its header would be of {length} bytes, which is too long")
    try:
        header = json.loads(file.read(length))
        metadata = dict(header.pop(_METADATA, {}))
        ordered = sorted(header.items(), key=lambda item: list(item[1]["data_offsets"]))
        lie = [tuple(map(operator.index, entry["data_offsets"])) for _, entry in ordered]
    except (ValueError, AttributeError, TypeError, KeyError, RecursionError) as error:
        raise DamagedCheckpoint(f"its header is not one of safetensors ({error})") from error
    here = file.tell()
    left = file.seek(0, io.SEEK_END) - here
    file.seek(here)
    ends = [0, *(end for _, end in lie)]
    if [begin for begin, _ in lie] != ends[:-1] or ends[-1] != left:
        raise DamagedCheckpoint(
            f"its tensors do not lie one behind the other in the {left} bytes behind its header"
        )
    return {_METADATA: metadata, **dict(ordered)}


def _tensor(file: BinaryIO, name: str, entry: dict[str, Any]) -> torch.Tensor:
    """Read the next tensor; they are read in the order in which they lie."""
    begin, end = entry["data_offsets"]
    code, shape = entry.get("dtype"), entry.get("shape")
    dtype = DTYPES.get(str(code))
    if dtype is None or not isinstance(shape, list) or not all(map(_is_extent, shape)):
        raise DamagedCheckpoint(f"{name} of dtype {code!r} and shape {shape!r} cannot be read here")
    size = math.prod(shape) * dtype.itemsize
    if end - begin != size:
        raise DamagedCheckpoint(f"{name} of shape {shape} takes {size} bytes, not {end - begin}")
    tensor = torch.empty(shape, dtype=dtype)
    got = 0
    if size:
        memory = _memory(tensor)
        while got < size:
            count = file.readinto(memory[got:])  # type: ignore[attr-defined]  # of every binary file
            if not count:
                raise DamagedCheckpoint(f"it ends {size - got} bytes before the end of {name}")
            got += count
    return tensor


def _is_extent(value: object) -> bool:
    return type(value) is int and value >= 0
