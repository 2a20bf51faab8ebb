"""What a checkpoint holds of a run, beside the states of its objects.

Owns: the record of where a run stands, and going on from one.
Must not know: files, how objects are saved, or who follows which engine.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from weakref import ref

from glowplug import Engine, Events, Phase, RemovableEventHandle
from glowplug.stages import Asked
from glowplug_checkpoint import trees
from glowplug_checkpoint.drawing import Numbers
from glowplug_checkpoint.errors import UnsavableContent
from glowplug_checkpoint.passes import Passes, Place
from glowplug_checkpoint.runs import adopt, run_of
from glowplug_torch import capture_random_state, restore_random_state

FORMAT = 1
_BETWEEN = (Events.EPOCH_STARTED, Events.DATALOADER_STOP_ITERATION)
_WITHIN = {
    Events.GET_BATCH_COMPLETED: "its batch has been fetched",
    Events.ITERATION_STARTED: "it has begun",
}


class Run:
    """An engine's run, as the passes over its data see it; it holds the engine weakly."""

    def __init__(self, engine: Engine[Any, Any]) -> None:
        self._engine = ref(engine)

    def done(self) -> int:
        """Return how many iterations are done."""
        return self._position()["iteration"]

    def within(self) -> int:
        """Return how many of them belong to the epoch under way."""
        return self._position()["within"]

    def asks(self) -> bool:
        """Return whether it is the run that asks for an iterator, and not one of its handlers."""
        engine = self._engine()
        return engine is not None and engine.last_event_name in _BETWEEN

    def _position(self) -> dict[str, int]:
        engine = self._engine()
        return {"iteration": 0, "within": 0} if engine is None else engine.position()


class Recorder:
    """Follows an engine's run, so that a checkpoint can say where exactly it stands.

    From the next start of a run on, its data is replaced by `Passes`. An engine that brings the
    random numbers and the place in the data with its own state, as a ``DeterministicEngine`` does,
    keeps its data.

    Args:
        engine: the engine.

    Attributes:
        keeps: what the checkpoints of this run keep, by a label of each; what was loaded stays
            until its checkpoint asks for it.
    """

    glowplug_phase = Phase.PERSIST  # after all that still draws random numbers

    def __init__(self, engine: Engine[Any, Any]) -> None:
        self.keeps: dict[str, Any] = {}
        self._loaded: Numbers | None = None
        self._place: Place | None = None
        self._is_within = False
        self._handles: list[RemovableEventHandle] = [
            engine.add_event_handler(event, handler)
            for event, handler in (
                (Events.STARTED, self._on_start),
                (Events.EPOCH_STARTED, self._on_epoch),
                (Events.DATALOADER_STOP_ITERATION, self._on_end_of_data),
                (Events.TERMINATE_SINGLE_EPOCH, self._on_cut),
            )
        ]

    def stop(self) -> None:
        """Follow the run no longer."""
        for handle in self._handles:
            handle.remove()

    def record(self, engine: Engine[Any, Any]) -> dict[str, Any]:
        """Return where the run stands, as plain values and tensors."""
        passes = engine.state.dataloader
        data = None
        numbers = Numbers(capture_random_state(), [])
        if isinstance(passes, Passes):
            numbers, place = passes.numbers(), passes.place()
            if place is not None:
                data = {**place._asdict(), "before": _plain(place.before)}
        return {
            "format": FORMAT,
            "run": run_of(engine),
            "position": engine.position(),
            "random": _plain(numbers),
            "data": data,
            "metrics": {k: v for k, v in engine.state.metrics.items() if _can_be_saved(v)},
            "output": _last_output(engine),
            "keeps": dict(self.keeps),
        }

    def objections(self, engine: Engine[Any, Any]) -> list[str]:
        """Return what of the run a resumed one could not restore exactly, by name."""
        found = []
        event = engine.last_event_name
        if event in _WITHIN:
            found.append(
                f"an iteration under way is not saved: at {event!s} {_WITHIN[event]}, and a "
                "resumed run does it anew; save at ITERATION_COMPLETED or EPOCH_COMPLETED"
            )
        if Asked.END_EPOCH in engine._asked:
            found.append(
                "the end of the epoch that terminate_epoch() has asked for is not saved; save at "
                "EPOCH_COMPLETED"
            )
        state = engine.state
        lost = [f"metrics[{k!r}]" for k, v in state.metrics.items() if not _can_be_saved(v)]
        if _has_its_end_before_it(engine) and not _can_be_saved(state.output):
            lost.append("output")
        found += [
            f"state.{name} holds what cannot be saved; make it of tensors and plain values"
            for name in lost
        ]
        passes = state.dataloader
        if isinstance(passes, Passes):
            found += filter(None, [passes.objection()])
        elif passes is not None and not _restores_itself(engine):
            found.append(
                "the place in the data is not known: the run began before its engine was given to "
                "a Checkpoint, or its data was replaced; call glowplug_checkpoint.follow(engine) "
                "before run()"
            )
        return found

    def go_on_from(self, engine: Engine[Any, Any], record: Mapping[str, Any]) -> None:
        """Let the next run go on from a record; the engine's state is loaded with it."""
        adopt(engine, record["run"])
        self.keeps = dict(record["keeps"])
        self._loaded, data = _numbers(record["random"]), record["data"]
        self._is_within = record["position"]["within"] > 0
        engine.state.metrics.update(record["metrics"])
        engine.state.output = record["output"]
        self._place = None
        if data is not None:
            self._place = Place(**{**data, "before": _numbers(data["before"])})

    def _on_start(self, engine: Engine[Any, Any]) -> None:
        data = engine.state.dataloader
        if data is not None and not isinstance(data, Passes) and not _restores_itself(engine):
            engine.state.dataloader = data = Passes(data, Run(engine))
        if isinstance(data, Passes) and self._place is not None:
            data.go_on_from(self._place)
        self._place = None
        self._restore(data)
        if not self._is_within:
            self._loaded = None

    def _on_epoch(self, engine: Engine[Any, Any]) -> None:
        data = engine.state.dataloader
        if isinstance(data, Passes):
            data.expect()
        # The handlers of an epoch that had begun when it was saved have drawn what they draw twice.
        self._restore(data)
        self._loaded, self._is_within = None, False

    def _on_end_of_data(self, engine: Engine[Any, Any]) -> None:
        if isinstance(engine.state.dataloader, Passes):
            engine.state.dataloader.expect(restarts=True)

    def _on_cut(self, engine: Engine[Any, Any], _: int) -> None:
        if isinstance(engine.state.dataloader, Passes):
            engine.state.dataloader.give_up()

    def _restore(self, data: Any) -> None:
        if self._loaded is None:
            return
        if isinstance(data, Passes):
            data.restore(self._loaded)
        else:
            restore_random_state(self._loaded.everywhere)

    def __getstate__(self) -> dict[str, Any]:
        # A copied engine has a copy of this among its handlers, which follows that one's runs.
        return {**vars(self), "_handles": []}


def _has_its_end_before_it(engine: Engine[Any, Any]) -> bool:
    """Return whether an epoch's iterations are done, and its end has still to come."""
    length = engine.state.epoch_length
    return length is not None and engine.position()["within"] >= length


def _last_output(engine: Engine[Any, Any]) -> Any:
    """Return the output that handlers of the epoch's end will look at; else None."""
    if _has_its_end_before_it(engine) and _can_be_saved(engine.state.output):
        return engine.state.output
    return None


def _can_be_saved(value: Any) -> bool:
    try:
        trees.check(value)
    except UnsavableContent:
        return False
    return True


def _restores_itself(engine: Engine[Any, Any]) -> bool:
    return "data_position" in engine.state_dict()


def _plain(numbers: Numbers) -> dict[str, Any]:
    return {"everywhere": dict(numbers.everywhere), "own": list(numbers.own)}


def _numbers(plain: Mapping[str, Any]) -> Numbers:
    return Numbers(plain["everywhere"], plain["own"])
