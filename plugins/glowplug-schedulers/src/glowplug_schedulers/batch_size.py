"""The scheduler of a loader's batch size.

Owns: whether, and where, the batch size of a loader can be changed.
Must not know: what the batches hold.
"""

from __future__ import annotations

from collections.abc import Callable
from numbers import Integral
from typing import Any

from torch.utils.data import DataLoader

from glowplug import Engine, Events, RemovableEventHandle
from glowplug.errors import InvalidArgument, InvalidType
from glowplug.events import AnyEvent
from glowplug_schedulers.arguments import function, whole
from glowplug_schedulers.base import BaseParamScheduler


class BatchSizeScheduler(BaseParamScheduler):
    """Sets the batch size of a loader, mostly at the start of each epoch.

    It counts from the next pass through the data on, at the latest. Where an epoch goes on with a
    pass that was begun, it counts at once, if the sampler looks at its size for each batch, as
    torch's does without ``drop_last``.

    The engine's ``epoch_length`` stays what it was: with batches twice as large, an epoch of as
    many iterations goes through the data twice, unless ``epoch_length`` is given to ``run``.

    Args:
        dataloader: a loader that draws its batches by a ``BatchSampler``.
        scheduler_fn: ``f(event_index) -> int``, the batch size of an event, counted from 0.
        save_history: whether values are appended to ``engine.state.param_history["batch_size"]``.

    Raises:
        InvalidType: when an argument is of the wrong type.
        InvalidArgument: when the loader has no batch size that could be changed: with
            ``batch_size=None``, or a batch sampler of its own that has none.

    Attributes:
        dataloader: the loader.
        scheduler_fn: the function.

    Example:
        >>> loader = DataLoader(range(12), batch_size=2)
        >>> trainer = Engine(lambda engine, batch: len(batch))
        >>> handle = BatchSizeScheduler(loader, lambda epoch: 2 + epoch).attach(trainer)
        >>> trainer.run(loader, max_epochs=3, epoch_length=1).output
        4
    """

    def __init__(
        self,
        dataloader: DataLoader[Any],
        scheduler_fn: Callable[[int], int],
        save_history: bool = False,
    ) -> None:
        _sampler(dataloader)
        function("scheduler_fn", scheduler_fn)
        super().__init__("batch_size", save_history)
        self.dataloader = dataloader
        self.scheduler_fn = scheduler_fn

    def attach(
        self, engine: Engine[Any, Any], event: AnyEvent = Events.EPOCH_STARTED
    ) -> RemovableEventHandle:
        """Move at each firing of an event.

        Args:
            engine: the engine.
            event: when it moves; a filter or a union will do.

        Returns:
            A handle whose ``remove()`` takes the scheduler off the engine.

        Raises:
            InvalidType: when it is no engine.
            InvalidArgument: when it is attached to this engine already.
            UnknownEvent: when the engine has no such event.
        """
        return self._attach(engine, event)

    def get_param(self) -> int:
        """Return the batch size for ``event_index``."""
        return _batch_size(self.scheduler_fn(self.event_index), self.event_index)

    def _put(self, value: Any, engine: Engine[Any, Any] | None) -> None:
        _sampler(self.dataloader).batch_size = value

    def _check_state(self, state: Any) -> None:
        super()._check_state(state)
        if state["value"] is not None:
            whole("'value'", state["value"], least=1)

    @classmethod
    def simulate_values(cls, num_events: int, **scheduler_kwargs: Any) -> list[list[Any]]:
        """Return the batch sizes of the first events; no loader is touched.

        Args:
            num_events: how many.
            **scheduler_kwargs: ``scheduler_fn``; the others of the class do not matter.

        Returns:
            Of each event its number, from 0, and its batch size.

        Raises:
            InvalidType: when ``scheduler_fn`` is no function, or is left out.
            InvalidArgument: when it returns what is no batch size.

        Example:
            >>> BatchSizeScheduler.simulate_values(3, scheduler_fn=lambda epoch: 8 * 2**epoch)
            [[0, 8], [1, 16], [2, 32]]
        """
        data: Any = [0]
        unused = ("dataloader", "save_history")
        given = {name: one for name, one in scheduler_kwargs.items() if name not in unused}
        scheduler = cls(DataLoader(data), given.pop("scheduler_fn", None), **given)
        events = range(whole("num_events", num_events, least=0))
        return [[event, scheduler._next()] for event in events]


def _batch_size(value: Any, event: int) -> int:
    if not isinstance(value, Integral) or isinstance(value, bool) or value < 1:
        raise InvalidArgument(
            f"scheduler_fn({event}) must return a batch size, a positive whole number, got "
            f"{value!r} of type {type(value).__name__}"
        )
    return int(value)


def _sampler(dataloader: Any) -> Any:
    """Return what a loader draws its batches by, and which knows their size."""
    if not isinstance(dataloader, DataLoader):
        raise InvalidType(
            "dataloader must be a torch.utils.data.DataLoader, got "
            f"{dataloader!r} of type {type(dataloader).__name__}"
        )
    sampler: Any = dataloader.batch_sampler
    if sampler is None:
        raise InvalidArgument(
            "this loader has batch_size=None: it makes no batches, so there is no batch size to "
            "change; give it a batch_size, or let the dataset make larger batches"
        )
    outer = sampler
    while not isinstance(getattr(sampler, "batch_size", None), int):
        sampler = getattr(sampler, "batch_sampler", None)  # that of a sampler that wraps another
        if sampler is None:
            raise InvalidArgument(
                f"the loader's batch sampler, {type(outer).__name__}, has no batch_size that "
                "could be changed; use a torch.utils.data.BatchSampler, or a sampler that reads "
                "its attribute batch_size whenever it draws a batch"
            )
    return sampler
