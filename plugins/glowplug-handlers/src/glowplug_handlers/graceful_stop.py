"""A stop in good order: the running step is finished, the run is saved, the process leaves.

Owns: when a run stops after a signal came, and what happens then.
Must not know: how signals are taken, how ranks agree, or what saves a run.
"""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterable
from typing import Any

from glowplug import Engine, Events, Phase, RemovableEventHandle
from glowplug.errors import InvalidType
from glowplug_handlers.arguments import checked_count
from glowplug_handlers.attachment import Attachable
from glowplug_handlers.graceful_stop_runs import Saving, StoppableRun
from glowplug_handlers.signals import Signals

STOPPING = (signal.SIGTERM, signal.SIGINT)
"""What clusters send before they take a machine back, and what Ctrl-C sends."""
FATAL = 128
"""What shells add to the number of a signal that ended a process."""


class GracefulStop(Attachable):
    """Stops a run in good order when the process is told to end.

    After a signal the running step is finished, with all handlers of its ITERATION_COMPLETED; after
    the last step of an epoch those of EPOCH_COMPLETED too, since a resumed run would not make up
    for them. Then TERMINATE fires, ``save`` is called once, and SystemExit with the conventional
    code leaves ``run``, 128 plus the signal's number, by way of EXCEPTION_RAISED: bars and loggers
    close. Until the run ends, the first signal does nothing else; a second one of its kind, a
    second later at the earliest, acts as if nothing were installed.

    Several ranks stop after the same iteration, whichever of them was told: they ask each other
    every ``agree_every`` iterations, and after each epoch. All must attach it, to engines that make
    the same iterations on each rank.

    An evaluator that runs within a handler of the trainer is not cut short, unless the same object
    is attached to it too: then it stops after its running step, and the trainer at once, saved as
    it is after its last iteration.

    Args:
        save: called with the engine, or without arguments: a checkpoint, any handler, or several.
        signals: the signals that stop a run.
        leave: whether to leave the process; else ``run`` returns as after ``terminate()``.
        agree_every: iterations; left out, the ranks choose, so that it is about once a second.

    Raises:
        InvalidType: when an argument is of the wrong type.
        InvalidArgument: when a signal cannot be taken, or ``agree_every`` is not 1 or more.
        InvalidHandler: when something in ``save`` can be called neither with the engine nor without
            arguments.

    Example:
        >>> from glowplug import Engine, Events
        >>> trainer = Engine(lambda engine, batch: batch)
        >>> saved = []
        >>> def save(engine):
        ...     saved.append(engine.state_dict())
        >>> stop = GracefulStop(save, leave=False)
        >>> stop.attach(trainer)
        >>> handle = trainer.add_event_handler(
        ...     Events.ITERATION_STARTED(once=2), lambda: signal.raise_signal(signal.SIGTERM)
        ... )
        >>> trainer.run([1, 2, 3, 4], max_epochs=5).iteration
        2
        >>> stop.received.name, [state["iteration"] for state in saved]
        ('SIGTERM', [2])
    """

    def __init__(
        self,
        save: Callable[..., Any] | Iterable[Callable[..., Any]] | None = None,
        signals: Iterable[int] = STOPPING,
        leave: bool = True,
        agree_every: int | None = None,
    ) -> None:
        super().__init__()
        self._save = Saving(save)
        self._signals = Signals(signals)
        if not isinstance(leave, bool):
            raise InvalidType(f"leave must be True or False, got {leave!r}")
        if agree_every is not None:
            checked_count("agree_every", agree_every)
        self._leave, self._every = leave, agree_every
        self._runs: list[StoppableRun] = []
        self._is_quiet = self._is_over = False
        self._number = 0
        self._error: BaseException | None = None

    @property
    def received(self) -> signal.Signals | None:
        """The signal that came to this process in the last run; None where none did."""
        return self._signals.came

    def attach(self, engine: Engine[Any, Any]) -> None:
        """Take signals while an engine runs.

        Args:
            engine: a trainer, or an evaluator that runs within it and may be cut short.

        Raises:
            InvalidType: when it is no engine.
            InvalidArgument: when this is attached to it already.
        """
        with self._attaching(engine) as handles:
            for event, phase, handler in self._handlers():
                with engine.in_phase(phase):
                    handles.append(engine.add_event_handler(event, handler))

    def detach(self, engine: Engine[Any, Any]) -> None:
        """Take no more signals in the runs of an engine.

        Raises:
            InvalidType: when it is no engine.
            InvalidArgument: when this is not attached to it.
        """
        super().detach(engine)
        self._end(engine)

    def _handlers(self) -> list[tuple[Events, Phase, Callable[..., None]]]:
        return [
            (Events.STARTED, Phase.COMPUTE, self._begin),
            (Events.ITERATION_COMPLETED, Phase.PERSIST, self._after_iteration),
            (Events.EPOCH_COMPLETED, Phase.COMPUTE, self._settle),
            (Events.EPOCH_COMPLETED, Phase.PERSIST, self._after_epoch),
            (Events.TERMINATE, Phase.PERSIST, self._after_termination),
            (Events.COMPLETED, Phase.COMPUTE, self._settle),
            (Events.COMPLETED, Phase.PERSIST, self._after_run),
            (Events.INTERRUPT, Phase.PERSIST, self._end),
            (Events.EXCEPTION_RAISED, Phase.COMPUTE, self._rescue),
            (Events.EXCEPTION_RAISED, Phase.PERSIST, self._after_error),
        ]

    def _begin(self, engine: Engine[Any, Any]) -> None:
        self._end(engine)  # of a run whose end nobody told
        if not self._runs:
            self._signals.forget()
            self._number, self._is_over, self._error = 0, False, None
            for event, last in (
                (Events.TERMINATE, self._after_termination),
                (Events.COMPLETED, self._after_run),
            ):
                handle = RemovableEventHandle(event, last, engine)
                handle.remove()
                handle.__enter__()  # after those that were attached since
        self._run_of(engine)

    def _run_of(self, engine: Engine[Any, Any]) -> StoppableRun:
        """Return the run of an engine, which begins here where it goes on after an interruption."""
        for run in self._runs:
            if run.engine is engine:
                return run
        if not self._runs:
            self._signals.open(self._wake)
        self._runs.append(StoppableRun(engine, self._every))
        self._is_quiet = False
        return self._runs[-1]

    def _wake(self) -> None:
        self._is_quiet = False

    def _end(self, engine: Engine[Any, Any]) -> None:
        """Forget the run of an engine and those within it; put back what was there before all."""
        running = [run.engine for run in self._runs]
        if engine in running:
            del self._runs[running.index(engine) :]
            self._is_quiet = False
        if not self._runs:
            self._signals.close()

    def _after_iteration(self, engine: Engine[Any, Any]) -> None:
        if not self._is_quiet:
            self._look(engine)

    def _look(self, engine: Engine[Any, Any]) -> None:
        run, state = self._run_of(engine), engine.state
        # A signal that comes meanwhile turns this back; so it is asked for afterwards.
        self._is_quiet = not run.agreement.is_needed
        if self._signals.came is not None:
            self._is_quiet = False
        if state.epoch_length and state.iteration % state.epoch_length == 0:
            return  # EPOCH_COMPLETED belongs to it; if it does not come, the next iteration does
        if not run.agreement.is_needed or run.agreement.is_due(state.iteration):
            self._ask(run)

    def _ask(self, run: StoppableRun) -> int:
        """End a run where this rank or another was told to; return the number of the signal."""
        came = self._signals.came or 0
        self._number = run.agreement.reach(int(came), run.engine.state.iteration)
        if self._number:
            run.engine.terminate()
        return self._number

    def _settle(self, engine: Engine[Any, Any]) -> None:
        self._run_of(engine).settled = engine.state.iteration

    def _after_epoch(self, engine: Engine[Any, Any]) -> None:
        if engine is self._runs[0].engine:
            self._ask(self._runs[0])

    def _after_termination(self, engine: Engine[Any, Any]) -> None:
        try:
            if self._number and not self._is_over:
                self._finish(engine)
        finally:
            self._end(engine)

    def _after_run(self, engine: Engine[Any, Any]) -> None:
        try:
            if engine is self._runs[0].engine and not self._is_over and self._ask(self._runs[0]):
                self._finish(engine)
        finally:
            self._end(engine)

    def _finish(self, engine: Engine[Any, Any]) -> None:
        """Save the outermost run, and leave this one where that is wanted or it is an inner one."""
        self._run_of(engine)
        outermost = self._runs[0].engine
        self._save_once(outermost)
        if self._leave or engine is not outermost:
            self._error = SystemExit(FATAL + self._number)
            raise self._error

    def _save_once(self, engine: Engine[Any, Any]) -> None:
        self._is_over = True
        name, state = signal.Signals(self._number).name, engine.state
        engine.logger.warning(
            "%s: the run stops after iteration %s, epoch %s%s",
            *(name, state.iteration, state.epoch, "" if self._save else "; nothing is set to save"),
        )
        self._save(engine)

    def _rescue(self, engine: Engine[Any, Any], error: BaseException) -> None:
        """Save a run that fails between two steps since the signal took something from it."""
        try:
            if self._can_be_saved(engine, error):
                self._number, self._error = int(self._signals.came or 0), error
                engine.logger.error(
                    "after %s, between two steps:", self._signals.came, exc_info=error
                )
                self._save_once(engine)
        finally:
            self._end(engine)

    def _can_be_saved(self, engine: Engine[Any, Any], error: BaseException) -> bool:
        came, run = self._signals.came, next(iter(self._runs), None)
        if run is None or run.engine is not engine or not isinstance(error, Exception):
            return False
        alone = not run.agreement.is_needed  # the other ranks are somewhere else
        return came is not None and alone and not self._is_over and run.is_between_steps()

    def _after_error(self, engine: Engine[Any, Any], error: BaseException) -> None:
        if error is not self._error or self._runs:
            return  # not ours, or on its way through an inner run
        if not self._leave:
            engine.terminate()
        elif not isinstance(error, SystemExit):
            raise SystemExit(FATAL + self._number) from error
