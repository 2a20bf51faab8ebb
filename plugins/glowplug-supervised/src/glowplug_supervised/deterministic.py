"""Runs that can be resumed as if they had never stopped.

Owns: the random numbers of a run, and its place in the data.
Must not know: models, losses or optimizers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from copy import copy
from dataclasses import dataclass
from typing import Any, TypeVar

import torch
from torch.utils.data import DataLoader

from glowplug import Engine, Events, Phase, State
from glowplug.data import length_of
from glowplug.errors import InvalidArgument
from glowplug_supervised.own_first import before
from glowplug_supervised.repeatability import check_saved, deterministic_cudnn
from glowplug_torch import (
    ReproducibleBatchSampler,
    capture_random_state,
    draws_batches,
    generators_of,
    manual_seed,
    reproducible,
    restore_random_state,
)
from glowplug_torch.seeds import SEEDS

BatchT = TypeVar("BatchT")
OutputT = TypeVar("OutputT")


class DeterministicEngine(Engine[BatchT, OutputT]):
    """An engine whose resumed run draws the batches and random numbers of one never stopped.

    Each pass over the data begins with a seed of its own, made from ``state.seed`` and the pass's
    number. Inside a pass, ``state_dict`` keeps the random numbers of Python, NumPy and torch on CPU
    and CUDA, and the place in the pass. A ``DataLoader`` with a batch sampler is replaced by one
    that draws all its batches when a pass begins, so that a resumed run leaves out those that are
    done without loading them, and whose workers are seeded for each batch. Other data is fetched up
    to its place.

    ``state.seed`` is drawn when the first run begins, unless you set it before. A handler that
    draws random numbers at other times than in the run to be repeated should be wrapped in
    `keep_random_state`. During a run cuDNN is deterministic. Generators of the loader and its
    sampler are seeded with each pass.

    Args:
        process_function: the step, called as ``step(engine, batch)``.
        handlers: components to attach, as for ``Engine``.
        events: sets of events to register, as for ``Engine``.
        plugins: the plugin manager, as for ``Engine``.

    Raises:
        InvalidArgument: when the step cannot be called as (engine, batch).

    Example:
        >>> def run(engine, **ends):
        ...     loader = DataLoader(range(6), batch_size=2, shuffle=True)
        ...     return engine.run(loader, **ends).output.tolist()
        >>> whole = DeterministicEngine(lambda engine, batch: batch)
        >>> whole.state.seed = 7
        >>> @whole.on(Events.ITERATION_COMPLETED(once=4))
        ... def save():
        ...     whole.saved = whole.state_dict()
        >>> resumed = DeterministicEngine(lambda engine, batch: batch)
        >>> expected = run(whole, max_epochs=2)
        >>> resumed.load_state_dict(whole.saved)
        >>> run(resumed) == expected
        True
    """

    def __init__(
        self,
        process_function: Callable[[Engine[BatchT, OutputT], BatchT], OutputT],
        *,
        handlers: Iterable[Any] = (),
        events: Iterable[Any] = (),
        plugins: Any = None,
    ) -> None:
        self._memory = _Memory()
        own_first = before(handlers, _Own())
        super().__init__(process_function, handlers=own_first, events=events, plugins=plugins)

    def run(
        self,
        data: Iterable[BatchT] | None = None,
        max_epochs: int | None = None,
        max_iters: int | None = None,
        epoch_length: int | None = None,
    ) -> State[BatchT, OutputT]:
        """Run as ``Engine.run`` does, over data whose passes can be repeated.

        Args:
            data: batches; None where the step needs none, which takes ``epoch_length``.
            max_epochs: where to end, in epochs; 1 by default.
            max_iters: where to end, in iterations; excludes ``max_epochs``.
            epoch_length: iterations in an epoch; ``len(data)`` by default.

        Returns:
            The state; its ``dataloader`` is the one that took the place of ``data``.

        Raises:
            InvalidArgument: for arguments that contradict the state or each other.
            InvalidType: for data that is not iterable.
            EngineBusy: when called from within a run of the same engine.
        """
        memory = self._memory
        if memory.random is not None and not memory.loaded:
            restore_random_state(memory.random)  # as it was when the run was interrupted
            memory.random = None
        with deterministic_cudnn():
            return super().run(self._repeatable(data), max_epochs, max_iters, epoch_length)

    def set_data(self, data: Iterable[BatchT]) -> None:
        """Take the next batch from other data, with which a new pass begins.

        Args:
            data: batches.

        Raises:
            InvalidType: when it is not iterable.
            InvalidArgument: when it is empty, or the run under way has no data.
        """
        before = copy(self._memory)
        replacement = self._repeatable(data)
        self._begin_pass(replacement, self.state.iteration)
        try:
            super().set_data(replacement)
        except BaseException:
            self._memory = before
            raise

    def state_dict(self) -> dict[str, Any]:
        """Return what a resumed run needs, as plain values.

        Returns:
            As ``Engine.state_dict``, and ``seed``, ``rng_states`` and ``data_position``.
        """
        saved = super().state_dict()
        saved["seed"] = self.state.seed
        memory = self._memory
        saved["rng_states"] = memory.random or capture_random_state()
        saved["data_position"] = {"pass": memory.passes, "began": memory.began}
        return saved

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Stand where ``state_dict`` was taken, with the random numbers and the data of then.

        Args:
            state_dict: what ``state_dict()`` of a deterministic engine returned.

        Raises:
            InvalidType: when it is no mapping.
            InvalidArgument: for missing or impossible entries; nothing is changed then.
            EngineBusy: within a run.
        """
        if isinstance(state_dict, Mapping):
            check_saved(state_dict)
        super().load_state_dict(state_dict)
        position = state_dict["data_position"]
        self.state.seed = state_dict["seed"]
        self._memory.random, self._memory.loaded = state_dict["rng_states"], True
        self._memory.begun = False
        self._memory.passes, self._memory.began = position["pass"], position["began"]

    def _advance(self, data: Any, iterations_done: int) -> Iterator[Any]:
        memory, state = self._memory, self.state
        resumes = memory.loaded and memory.passes > 0 and state.epoch_length is not None
        # Handlers of an epoch that begins now have drawn what they draw in any run. Those of an
        # epoch that had begun when the state was saved have drawn it twice.
        then = memory.random if memory.loaded and iterations_done else None
        memory.random, memory.loaded = None, False
        if not resumes:
            self._begin_pass(data, state.iteration - iterations_done)
            return super()._advance(data, iterations_done)
        then = then or capture_random_state()
        self._seed_pass(data)
        place = state.iteration - memory.began
        length = length_of(data)
        if length is not None and place > length:
            raise InvalidArgument(
                f"the saved state stands after batch {place} of a pass over the data, which has "
                f"{length} now; pass the data that the state was saved with"
            )
        # At its very end, the pass has still to be seen to end.
        iterator = iter(()) if place == length else super()._advance(data, place)
        restore_random_state(then)
        return iterator

    def _begin_pass(self, data: Any, began: int) -> None:
        self._memory.passes += 1
        self._memory.began = began
        sampler = getattr(data, "batch_sampler", None)
        if isinstance(sampler, ReproducibleBatchSampler):
            sampler.start_iteration = None  # of a resumed pass that ended before its first batch
        self._seed_pass(data)

    def _seed_pass(self, data: Any) -> None:
        state = self.state
        if state.seed is None:
            state.seed = int(torch.randint(SEEDS, ()))
        seed = (state.seed + self._memory.passes) % SEEDS
        manual_seed(seed)
        for generator in generators_of(data):
            generator.manual_seed(seed)

    def _on_start(self) -> None:
        if self.state.iteration == 0:
            self._memory = _Memory(given=self._memory.given, used=self._memory.used)

    def _on_epoch(self) -> None:
        memory = self._memory
        if memory.loaded and memory.random is not None and not memory.begun:
            restore_random_state(memory.random)
            memory.begun = True  # the next epoch may begin before any data was asked for

    def _on_end_of_data(self) -> None:
        self._begin_pass(self.state.dataloader, self.state.iteration)

    def _on_interrupt(self) -> None:
        self._memory.random = capture_random_state()

    def _on_end_of_run(self) -> None:
        self._memory.random = None

    def _repeatable(self, data: Any) -> Any:
        """Return what takes the place of ``data``; the same one for the same data."""
        if not isinstance(data, DataLoader) or hasattr(data, "load_state_dict"):
            return data
        if not draws_batches(data) or data is self.state.dataloader:
            return data
        memory = self._memory
        if data is not memory.given:
            memory.given, memory.used = data, reproducible(data)
        return memory.used


@dataclass
class _Memory:
    """What a deterministic engine keeps beside its state.

    Attributes:
        passes: the passes over the data that have begun; each has a seed of its own.
        began: the iterations that were done when the present one began.
        random: the random numbers of an interrupted run, or of a loaded state.
        loaded: whether a state was loaded, and no run has stood there yet.
        begun: whether an epoch has begun since then.
        given: the loader that the user gave last.
        used: what took its place.
    """

    passes: int = 0
    began: int = 0
    random: Mapping[str, Any] | None = None
    loaded: bool = False
    begun: bool = False
    given: Any = None
    used: Any = None


class _Own:
    """What a deterministic engine brings along, attached before any other component."""

    glowplug_phase = Phase.COMPUTE

    def attach(self, engine: DeterministicEngine[Any, Any]) -> None:
        """Let the engine see to the random numbers where a run, an epoch or a pass begins."""
        engine.add_event_handler(Events.STARTED, engine._on_start)
        engine.add_event_handler(Events.EPOCH_STARTED, engine._on_epoch)
        engine.add_event_handler(Events.INTERRUPT, engine._on_interrupt)
        engine.add_event_handler(Events.TERMINATE | Events.COMPLETED, engine._on_end_of_run)
        with engine.in_phase(Phase.PERSIST):  # a pass is seeded after what others draw before it
            engine.add_event_handler(Events.DATALOADER_STOP_ITERATION, engine._on_end_of_data)
