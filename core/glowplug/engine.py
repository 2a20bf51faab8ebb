"""The engine: what its users call.

Owns: how a run is asked for, ended, interrupted, saved and loaded.
Must not know: models, devices, torch, or what a handler does.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from copy import copy
from dataclasses import replace
from itertools import repeat
from typing import Any

from glowplug import data as data_module
from glowplug import state as state_module
from glowplug.attachment import PluginSource, attach_handlers, checked_step, register_sets
from glowplug.errors import EngineBusy, InvalidArgument, InvalidType, NothingToEnd
from glowplug.insight import Insight
from glowplug.plan import make_plan
from glowplug.plugins import default_manager
from glowplug.stages import IN_EPOCH, Asked, Stage
from glowplug.state import BatchT, OutputT, State


class Engine(Insight[BatchT, OutputT]):
    """Runs a step over data, fires events, keeps a state.

    ::

        STARTED
          while not done:
            EPOCH_STARTED                                  state.epoch += 1 before it
              GET_BATCH_STARTED, next(data), GET_BATCH_COMPLETED   not fired when data is None
              ITERATION_STARTED                            state.iteration += 1 before it
              state.output = step(engine, state.batch)
              ITERATION_COMPLETED
            EPOCH_COMPLETED
        COMPLETED

    Args:
        process_function: the step, called as ``step(engine, batch)``; what it returns becomes
            ``state.output``.
        handlers: components to attach: names from the catalog, classes that need no arguments, or
            objects with ``attach(engine)``.
        events: sets of events to register, by their names in the catalog or as classes; their
            counters come with them.
        plugins: the plugin manager of this engine; the process's own, where left out.

    Raises:
        InvalidArgument: when the step cannot be called as (engine, batch).

    Attributes:
        state: counters, batch, output, metrics.
        should_terminate: whether ``terminate`` was called in this run, or the last.
        state_dict_user_keys: attributes of the state that ``state_dict`` saves too.
        plugins: name to version of the plugins that took part in the making of this engine.

    Example:
        >>> engine = Engine(lambda engine, batch: batch * 2)
        >>> state = engine.run([1, 2, 3], max_epochs=2)
        >>> state.epoch, state.iteration, state.output
        (2, 6, 6)
    """

    def __init__(
        self,
        process_function: Callable[[Engine[BatchT, OutputT], BatchT], OutputT],
        *,
        handlers: Iterable[Any] = (),
        events: Iterable[Any] = (),
        plugins: PluginSource | None = None,
    ) -> None:
        manager = default_manager() if plugins is None else plugins
        super().__init__(checked_step(process_function), manager)
        self.should_terminate = False
        self.state_dict_user_keys: list[str] = []
        register_sets(self, events, manager)
        attach_handlers(self, self._table, handlers, manager)
        self._plugins.update(manager.engine_created(self, self._table))

    @property
    def state(self) -> State[BatchT, OutputT]:
        """Counters, batch, output, metrics; may be replaced between runs."""
        return self._state

    @state.setter
    def state(self, state: State[BatchT, OutputT]) -> None:
        if not isinstance(state, State):
            raise InvalidType(
                f"engine.state must be a State, got {state!r} of type {type(state).__name__}"
            )
        self._refuse_while_running("its state cannot be replaced")
        self._state, self._loaded = state, None
        self._rewind()
        self._count_events({})

    def run(
        self,
        data: Iterable[BatchT] | None = None,
        max_epochs: int | None = None,
        max_iters: int | None = None,
        epoch_length: int | None = None,
    ) -> State[BatchT, OutputT]:
        """Run the step over the data until ``max_epochs`` or ``max_iters``.

        An engine that is done starts anew with counters at 0. One that is not goes on: after an
        interruption exactly where it was, otherwise from the next epoch, or from where a loaded
        state stands. ``engine.state.max_epochs = None`` makes any run a new one.

        Args:
            data: batches; None where the step needs none, which takes ``epoch_length``.
            max_epochs: where to end, in epochs; 1 by default.
            max_iters: where to end, in iterations; excludes ``max_epochs``.
            epoch_length: iterations in an epoch; ``len(data)`` by default, or the first end of
                data without a length.

        Returns:
            The state.

        Raises:
            InvalidArgument: for arguments that contradict the state or each other.
            InvalidType: for data that is not iterable.
            EngineBusy: when called from within a run of the same engine.

        Example:
            >>> Engine(lambda engine, batch: batch).run("abc", max_iters=4).output
            'a'
        """
        self._refuse_while_running("run() cannot be called again")
        interrupted = self._stage is not Stage.IDLE
        plan = make_plan(
            self._state,
            data,
            max_epochs=max_epochs,
            max_iters=max_iters,
            epoch_length=epoch_length,
            resumes_after=self._resumes_after(),
        )
        resumes = interrupted and not plan.anew
        if resumes and data is self._given:  # a handler may have put other data in its place
            plan = replace(plan, data=self._state.dataloader)
        replaced = plan.data is not self._state.dataloader
        plan.apply(self._state)
        self.should_terminate = False
        if not resumes:
            self._rewind(self._begins_within(plan))
            self._given, self._loaded = data, None
            self._stage = Stage.START
            self._warn_of_metrics()
            self.logger.info("Engine run starting with %s.", _ends(self._state))
        elif replaced and self._iterator is not None:
            self._iterator = iter(plan.data)
        return self._drive()

    def terminate(self, skip_completed: bool = False) -> None:
        """End the run when the handlers of the current event have run: TERMINATE, COMPLETED.

        The next ``run`` goes on from the next epoch. From a handler of EXCEPTION_RAISED, it ends
        the run in order instead of letting the error out.

        Args:
            skip_completed: whether COMPLETED is left out.
        """
        self.should_terminate = True
        self._skip_completed = skip_completed
        self._asked.add(Asked.END_RUN)

    def terminate_epoch(self, skip_epoch_completed: bool = False) -> None:
        """End the epoch when the handlers of the current event have run.

        TERMINATE_SINGLE_EPOCH and EPOCH_COMPLETED follow, and the next epoch begins with a fresh
        iterator. In a handler of EPOCH_COMPLETED and later there is nothing left to end.

        Args:
            skip_epoch_completed: whether EPOCH_COMPLETED is left out.

        Raises:
            NothingToEnd: outside a run, and in STARTED and EPOCH_STARTED, where no epoch's data
                runs.
        """
        stage = self._stage if self._running else Stage.IDLE
        if stage in (Stage.IDLE, Stage.START, Stage.NEXT_EPOCH):
            where = "outside a run" if stage is Stage.IDLE else f"in {self.last_event_name}"
            raise NothingToEnd(
                f"terminate_epoch() was called {where}, where no epoch's data runs; call it from "
                "GET_BATCH_STARTED on, or end the whole run by terminate()"
            )
        failed_since = self._handling_error and stage in (Stage.CUT, Stage.CLOSE)
        if stage in IN_EPOCH or failed_since:
            self._asked.add(Asked.END_EPOCH)
        if stage in IN_EPOCH or stage is Stage.CUT:
            self._skip_epoch_completed = skip_epoch_completed

    def interrupt(self) -> None:
        """Return from ``run`` when the handlers of the current event, and of INTERRUPT, have run.

        The next ``run()`` continues at exactly that point, with the same iterator.
        """
        self._asked.add(Asked.INTERRUPT)

    def set_data(self, data: Iterable[BatchT]) -> None:
        """Take the next batch, and all after it, from other data; ``epoch_length`` stays.

        Args:
            data: batches.

        Raises:
            InvalidType: when it is not iterable.
            InvalidArgument: when it is empty, or the run under way has no data.
        """
        data_module.check(data)
        if self._stage is not Stage.IDLE and self._state.dataloader is None:
            raise InvalidArgument("this run was started without data; its batches stay None")
        if self._iterator is not None:
            self._iterator = iter(data)
            self._asked.add(Asked.NEW_DATA)
        self._state.dataloader = data

    def _advance(self, data: Any, iterations_done: int) -> Iterator[Any]:
        """Return an iterator over ``data`` with ``iterations_done`` batches of an epoch behind it.

        Subclasses that know a cheaper or more exact way override this.
        """
        if data is None:
            return repeat(None)
        return data_module.iterator_at(data, iterations_done, self.logger)

    def state_dict(self) -> dict[str, Any]:
        """Return what a later run needs to go on from here, as plain values.

        Returns:
            ``epoch_length``, ``iteration``, ``max_epochs`` or ``max_iters``, and the values of
            ``state_dict_user_keys``.

        Raises:
            InvalidArgument: when the state lacks one of the users' keys.
        """
        return state_module.saved(self._state, self.state_dict_user_keys)

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Stand where ``state_dict`` was taken; ``run(data)`` goes on from there.

        Args:
            state_dict: what ``state_dict()`` returned; ``epoch`` may stand for ``iteration``, both
                0-based: the number done. With what ``position()`` returned in it, ``run`` goes on
                from exactly there, and what was done already is not begun anew.

        Raises:
            InvalidType: when it is no mapping.
            InvalidArgument: for missing or impossible entries; nothing is changed then.
            EngineBusy: within a run.
        """
        self._refuse_while_running("no state can be loaded")
        within = state_module.restore(self._state, state_dict, self.state_dict_user_keys)
        self._rewind(within or 0)
        self._loaded = within

    def _refuse_while_running(self, what: str) -> None:
        if self._running:
            raise EngineBusy(f"the engine is in the middle of a run, so {what}; wait for its end")

    def __getstate__(self) -> dict[str, Any]:
        if self._running or self._stage is not Stage.IDLE:
            raise EngineBusy(
                "an engine in the middle of a run can be neither pickled nor copied, since its "
                "data iterator cannot; let the run end, or save engine.state_dict()"
            )
        # The data belong to the run that was, and are given to the next one anew.
        state = copy(self._state)
        state.dataloader = None
        return {**super().__getstate__(), "_state": state}


def _ends(state: State[Any, Any]) -> str:
    if state.max_iters is not None:
        return f"max_iters={state.max_iters}"
    return f"max_epochs={state.max_epochs}"
