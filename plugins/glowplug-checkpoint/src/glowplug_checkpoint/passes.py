"""Data that knows where each pass over it began, and can be taken up again inside one.

Owns: standing in a run's place for its data, and the place inside a pass.
Must not know: what else of a run is saved, or when.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple, Protocol
from weakref import ref

import torch
from torch.utils.data import DataLoader, IterableDataset

from glowplug.errors import InvalidArgument
from glowplug_checkpoint.drawing import DrawnBatches, Numbers, drawn
from glowplug_torch import draws_batches, reproducible

_END = object()


class Place(NamedTuple):
    """A place inside a pass over the data.

    Args:
        batches: how many batches of the pass are done.
        before: the random numbers with which the pass began.
        loader: the data's own state, where it has one.
        ended: whether that one is of the end of the pass, which the run has still to see.
    """

    batches: int
    before: Numbers
    loader: Any
    ended: bool = False


class Standing(Protocol):
    """What a run tells the passes over its data."""

    def done(self) -> int:
        """Return how many iterations of the run are done."""

    def within(self) -> int:
        """Return how many of them belong to the epoch under way."""

    def asks(self) -> bool:
        """Return whether it is the run that asks for an iterator, and not one of its handlers."""


class Passes:
    """Stands in a run's place for its data.

    A ``DataLoader`` that draws its batches as indices is replaced by one that draws a pass at once.
    Without workers the run has the numbers that it has with the data itself; workers are seeded for
    each batch, so that those that are left out need not be loaded. Anything else is iterated as it
    is. What else the data has, its length among it, is found here too.

    Args:
        data: the data.
        run: the run whose data they are.

    Attributes:
        given: the data.
    """

    def __init__(self, data: Any, run: Standing) -> None:
        self.given = data
        self._data = data
        if _is_drawn(data):
            workers = data.num_workers > 0
            self._data = reproducible(data) if workers else drawn(data, self._begin)
        self._run = run
        self._began: int | None = None
        self._before: Numbers | None = None
        self._next: Place | None = None
        self._reader: Callable[[], Any] = lambda: None
        self._expected = self._restarts = False

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):  # not there yet, as in a copy; or nobody's business
            raise AttributeError(name)
        return getattr(self._data, name)

    def __len__(self) -> int:
        return len(self._data)

    @property
    def next_iter_state(self) -> Passes:
        """Never None: an iterator of this finds its place inside an epoch by itself."""
        return self

    def __iter__(self) -> Iterator[Any]:
        if not (self._expected and self._run.asks()):
            return iter(self.given)
        skipped = 0 if self._restarts else self._run.within()
        place, self._next = self._next, None
        self._expected = self._restarts = False
        self._began, self._before = self._run.done() - skipped, None
        if place is not None:
            return self._taken_up(place)
        sampler = getattr(self._data, "batch_sampler", None)
        if isinstance(sampler, DrawnBatches):
            sampler.begin_at(skipped, None)
            return iter(self._data)
        self._before = Numbers.now(self._data)
        return self._watched(_after(self._data, skipped))

    def expect(self, restarts: bool = False) -> None:
        """Take note that the run may ask for an iterator now.

        Args:
            restarts: whether a whole pass begins, wherever the epoch stands.
        """
        self._expected, self._restarts = True, restarts

    def give_up(self) -> None:
        """Take note that the pass under way is not gone on with."""
        self._began = None

    def place(self) -> Place | None:
        """Return the place after the iterations done; None where no pass is under way."""
        if self._began is None or self._before is None:
            return self._next
        keeper = _keeper(self._data)
        state = None if keeper is None else keeper.state_dict()
        # A stream's last batch may be short: then its end was met while that one was fetched.
        fetcher = getattr(self._reader(), "_dataset_fetcher", None)
        ended = bool(getattr(fetcher, "ended", False))
        return Place(self._run.done() - self._began, self._before, state, ended)

    def go_on_from(self, place: Place) -> None:
        """Let the next iterator stand at a place, with the pass under way behind it."""
        self._next = place

    def numbers(self) -> Numbers:
        """Return the random numbers of now, those that the data keeps for itself among them."""
        return Numbers.now(self._data)

    def restore(self, numbers: Numbers) -> None:
        """Go back to random numbers."""
        numbers.restore(self._data)

    def objection(self) -> str:
        """Return why a pass cannot be taken up exactly where it stands, or ""."""
        return objection(self.given)

    def _taken_up(self, place: Place) -> Iterator[Any]:
        """Return an iterator at a place; the random numbers stay those of now."""
        self._began, self._before = self._run.done() - place.batches, place.before
        now = Numbers.now(self._data)
        sampler = getattr(self._data, "batch_sampler", None)
        place.before.restore(self._data)
        try:
            if isinstance(sampler, DrawnBatches):
                sampler.begin_at(place.batches, place.before)
                return iter(self._data)
            keeper = _keeper(self._data)
            if place.loader is not None and keeper is not None:
                keeper.load_state_dict(place.loader)
                return iter(()) if place.ended else self._watched(iter(self._data))
            return _after(self._data, place.batches)
        finally:
            now.restore(self._data)

    def _begin(self, before: Numbers) -> None:
        self._before = before

    def _watched(self, iterator: Iterator[Any]) -> Iterator[Any]:
        """Keep a look at an iterator over a stream; the run alone keeps it alive."""
        if _keeper(self._data) not in (None, self._data):
            self._reader = ref(iterator)
        return iterator


def objection(data: Any) -> str:
    """Return why a pass over data cannot be taken up exactly where it stands, or "".

    Example:
        >>> objection([1, 2, 3])
        ''
        >>> objection(iter([1, 2, 3]))
        'the data, a list_iterator, can be iterated once only; give data that can start over'
    """
    kind = type(data).__name__
    if _keeper(data) is not None or _is_drawn(data):
        return ""
    if isinstance(data, DataLoader):
        if data.num_workers and _keeps_its_place(data.dataset):
            return (
                f"the data's {type(data.dataset).__name__} keeps its place in the worker processes "
                "of its DataLoader; use torchdata's StatefulDataLoader, or num_workers=0"
            )
        if data.num_workers or isinstance(data.dataset, IterableDataset):
            return (
                f"the data's {type(data.dataset).__name__} has no state_dict, so its batches are "
                "fetched and dropped; give it state_dict() and load_state_dict(), or use "
                "torchdata's StatefulDataLoader"
            )
        return ""
    if isinstance(data, Iterator):
        return f"the data, a {kind}, can be iterated once only; give data that can start over"
    if isinstance(data, (Sequence, torch.Tensor, range)) or hasattr(type(data), "__getitem__"):
        return ""
    return (
        f"the data, a {kind}, has no state_dict, so its batches are fetched and dropped, which is "
        "exact only if it yields the same ones again; give it state_dict() and load_state_dict()"
    )


def _is_drawn(data: Any) -> bool:
    """Return whether the batches are drawn as indices, finitely many of them."""
    if not isinstance(data, DataLoader) or _keeper(data) is not None or not draws_batches(data):
        return False
    return hasattr(type(data.batch_sampler), "__len__")


def _keeper(data: Any) -> Any:
    """Return what knows the data's place: they, or a stream that a loader reads by itself."""
    if _keeps_its_place(data):
        return data
    streams = isinstance(data, DataLoader) and isinstance(data.dataset, IterableDataset)
    alone = streams and data.num_workers == 0 and _keeps_its_place(data.dataset)
    return data.dataset if alone else None


def _keeps_its_place(data: Any) -> bool:
    return all(callable(getattr(data, name, None)) for name in ("state_dict", "load_state_dict"))


def _after(data: Any, batches: int) -> Iterator[Any]:
    """Return an iterator with so many batches of a pass behind it."""
    sampler: Any = getattr(data, "batch_sampler", None)
    if hasattr(sampler, "start_iteration"):
        sampler.start_iteration = batches
        return iter(data)
    iterator: Iterator[Any] = iter(data)
    for fetched in range(batches):
        if next(iterator, _END) is _END:
            raise InvalidArgument(
                f"cannot go on after {batches} batches of a pass: the data ended after {fetched}; "
                "give the data that the checkpoint was saved with"
            )
    return iterator
