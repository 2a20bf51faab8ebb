"""What a run needs to know of its data: can it be iterated, how long is it, where does it stand.

Owns: lengths, iterators, and bringing an iterator to its place inside an epoch.
Must not know: engines, events, or what a batch is.
"""

from __future__ import annotations

import logging
import operator
from collections.abc import Iterable, Iterator
from typing import Any

from glowplug.errors import InvalidArgument, InvalidType


def check(data: object) -> None:
    """Raise where ``data`` cannot feed a run; no iterator is made and no worker started.

    Raises:
        InvalidType: when it is not iterable.
        InvalidArgument: when it is known to be empty.
    """
    if not isinstance(data, Iterable) and not hasattr(type(data), "__getitem__"):
        raise InvalidType(
            f"data must be iterable, got {data!r} of type {type(data).__name__}; "
            "pass a list, a DataLoader, or any object with __iter__"
        )
    if operator.length_hint(data, 1) == 0:
        raise InvalidArgument(
            f"data is empty ({type(data).__name__} of length 0); a run needs at least one batch"
        )


def length_of(data: Any) -> int | None:
    """Return ``len(data)``, or None where data has no length (or one that raises TypeError).

    Example:
        >>> length_of([1, 2, 3]), length_of(iter([1, 2, 3]))
        (3, None)
    """
    try:
        return len(data)
    except TypeError:
        return None


def iterator_at(data: Any, done: int, logger: logging.Logger) -> Iterator[Any]:
    """Return an iterator over ``data`` that has ``done`` batches of an epoch behind it.

    In this order: a loader whose own loaded state waits for its next iterator (torchdata's
    ``StatefulDataLoader``) stands there by itself; a batch sampler or sampler with an attribute
    ``start_iteration`` is told where to begin; otherwise the batches are fetched and dropped, which
    is logged, since it can take long.

    Args:
        data: the data of a run.
        done: batches to leave out.
        logger: where fetching is reported.

    Raises:
        InvalidArgument: when the data ends before its place and cannot start over.
    """
    if done == 0 or getattr(data, "next_iter_state", None) is not None:
        return iter(data)
    for sampler in (getattr(data, "batch_sampler", None), getattr(data, "sampler", None)):
        if sampler is not None and hasattr(sampler, "start_iteration"):
            sampler.start_iteration = done
            return iter(data)
    logger.info(
        "fetching and dropping %d batches of %s to go on inside the epoch",
        done,
        type(data).__name__,
    )
    iterator: Iterator[Any] = iter(data)
    for fetched in range(done):
        if next(iterator, _END) is not _END:
            continue
        iterator = iter(data)
        if next(iterator, _END) is _END:
            raise InvalidArgument(
                f"cannot go on after {done} batches of the epoch: the data ended after {fetched} "
                "and does not start over; pass data that can be iterated again"
            )
    return iterator


_END = object()
