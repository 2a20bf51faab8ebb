"""What a checkpoint's content is made of.

Owns: the paths of the values in it, what is said of each, and which can be read back safely.
Must not know: how content becomes bytes, or files.

Content is a tree: dicts, lists, tuples and sets hold tensors and plain values. A value is told by
its path, the keys from the top joined by dots: ``model.layer.weight``.
"""

from __future__ import annotations

from collections import Counter, OrderedDict
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import torch

from glowplug_checkpoint.errors import UnsavableContent
from glowplug_checkpoint.safe_types import MOST_BITS, advice, is_readable

TOP = "(content)"
"""The path of a content that is a single value."""
MAPPINGS = (dict, OrderedDict, Counter)
SEQUENCES = (list, tuple, set)
MOST_COMPLAINTS = 5
_PLAIN = (int, float, bool, str, bytes, complex, type(None))


def children(value: Any) -> Iterator[tuple[object, Any]]:
    """Yield the parts of a value, each with its key; nothing for what is no container."""
    kind = type(value)
    if kind in MAPPINGS:
        yield from value.items()
    elif kind in SEQUENCES:
        yield from enumerate(value)


def attributes(value: Any) -> dict[str, Any]:
    """Return what somebody has set on a value and what is stored with it, by its name."""
    if type(value) is OrderedDict or isinstance(value, torch.Tensor):
        return vars(value)
    return {}


def below(path: str, key: object) -> str:
    """Return the path of a part."""
    text = key if isinstance(key, str) else repr(key)
    return f"{path}.{text}" if path else text


def walk(content: Any) -> Iterator[tuple[str, Any]]:
    """Yield every value with its path, containers before what they hold.

    Args:
        content: a tree.

    Raises:
        UnsavableContent: when a container holds itself.

    Example:
        >>> list(walk({"a": [1, None]}))
        [('', {'a': [1, None]}), ('a', [1, None]), ('a.0', 1), ('a.1', None)]
    """
    yield from _walk(content, "", set())


def _walk(value: Any, path: str, above: set[int]) -> Iterator[tuple[str, Any]]:
    if id(value) in above:
        raise UnsavableContent(
            f"{path or TOP} is a {type(value).__name__} that holds itself, which no file can hold",
            path=path,
        )
    yield path, value
    above.add(id(value))
    for key, part in (*children(value), *attributes(value).items()):
        yield from _walk(part, below(path, key), above)
    above.discard(id(value))


def check(content: Any) -> None:
    """Refuse what ``torch.load(weights_only=True)`` could not read back.

    Args:
        content: a tree.

    Raises:
        UnsavableContent: for the first few of the values that it could not, by their paths.

    Example:
        >>> check({"score": 0.5, "layers": [torch.zeros(2)]})
        >>> check({"score": object()})
        Traceback (most recent call last):
        glowplug_checkpoint.errors.UnsavableContent: score is an object, which \
torch.load(weights_only=True) does not read back: save what it is made of, such as its state_dict()
    """
    refuse(content, _problem)


def refuse(content: Any, problem: Callable[[Any], str]) -> None:
    """Refuse what has a problem.

    Args:
        content: a tree.
        problem: given a value, says what is wrong with it; empty where nothing is.

    Raises:
        UnsavableContent: for the first few of the values that have one, by their paths.
    """
    found: list[tuple[str, str]] = []
    for path, value in walk(content):
        wrong = problem(value)
        if wrong:
            found.append((path, f"{path or TOP} is {wrong}"))
        if len(found) > MOST_COMPLAINTS:
            break
    if found:
        more = "; and more" if len(found) > MOST_COMPLAINTS else ""
        text = "; ".join(complaint for _, complaint in found[:MOST_COMPLAINTS])
        raise UnsavableContent(text + more, path=found[0][0])


def _problem(value: Any) -> str:
    unread = "which torch.load(weights_only=True) does not read back: "
    if not is_readable(value):
        return f"{_a(type(value))}, {unread}{advice(value)}"
    if type(value) is int and value.bit_length() > MOST_BITS:
        return f"an integer of {value.bit_length()} bits, {unread}save it as text"
    if type(value) is bytes and not value:
        return f"an empty bytes, {unread}leave it out, or save None"
    keys = value if type(value) in MAPPINGS else ()
    for key in keys:
        if not _is_plain_key(key):
            return (
                f"a {type(value).__name__} with the key {key!r} of type {type(key).__name__}, "
                + (f"{unread}use a string or a number as the key")
            )
    return ""


def _is_plain_key(key: object) -> bool:
    if type(key) is tuple:
        return all(map(_is_plain_key, key))
    return type(key) in (str, bool, float, type(None)) or (
        (type(key) is int and key.bit_length() <= MOST_BITS) or (type(key) is bytes and key != b"")
    )


def _a(kind: type) -> str:
    name = kind.__qualname__ if kind.__module__ == "builtins" else _qualified(kind)
    return f"an {name}" if name[0].lower() in "aeiou" else f"a {name}"


def _qualified(kind: type) -> str:
    return f"{kind.__module__}.{kind.__qualname__}"


def leaves(content: Any) -> Iterator[tuple[str, Any]]:
    """Yield what a tree holds, each with a path of its own.

    Args:
        content: a tree.

    Yields:
        Tensors and plain values; a list, a tuple or a set of plain values is one, and so is an
        empty container.

    Example:
        >>> list(leaves({"a": [1, None], "b": {"c": 2}}))
        [('a', [1, None]), ('b.c', 2)]
    """
    taken: set[str] = set()
    for path, value in _leaves(content, "", set()):
        own = unused(path or TOP, taken)
        taken.add(own)
        yield own, value


def _leaves(value: Any, path: str, above: set[int]) -> Iterator[tuple[str, Any]]:
    parts = list(children(value)) if id(value) not in above else []
    plain = type(value) in SEQUENCES and all(type(part) in _PLAIN for _, part in parts)
    if not parts or plain:
        yield path, value
        return
    above.add(id(value))
    for key, part in parts:
        yield from _leaves(part, below(path, key), above)
    above.discard(id(value))


def describe(value: Any) -> str:
    """Return what a value is: dtype and shape of a tensor, type and length of a container.

    Args:
        value: one of :func:`leaves`.

    Example:
        >>> describe(torch.zeros(2, 3)), describe([0.1, 0.2]), describe(4)
        ('float32[2, 3]', 'list[2]', 'int')
    """
    if isinstance(value, torch.Tensor):
        return f"{str(value.dtype).removeprefix('torch.')}{list(value.shape)}"
    kind = type(value)
    return kind.__name__ + (f"[{len(value)}]" if kind in (*MAPPINGS, *SEQUENCES) else "")


def unused(name: str, taken: Iterable[str]) -> str:
    """Return a name, with a number where it is taken: ``{"a.b": x, "a": {"b": y}}`` is possible."""
    number, new = 1, name
    while new in taken:
        number += 1
        new = f"{name}#{number}"
    return new


def nbytes(content: Any) -> int:
    """Return about how many bytes the tensors in a tree take, each storage counted once."""
    sizes: dict[object, int] = {}
    for _, value in walk(content):
        if isinstance(value, torch.Tensor):
            try:
                storage = value.untyped_storage()
                sizes[value.device, storage.data_ptr()] = storage.nbytes()
            except (RuntimeError, NotImplementedError):  # sparse and nested ones have none
                sizes[id(value)] = value.numel() * value.element_size()
    return sum(sizes.values())
