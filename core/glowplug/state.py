"""The state of an engine: counters, batch, output, metrics, and what resuming needs.

Owns: the fields of a state, the counter that belongs to an event, and its plain saved form.
Must not know: who reads it, or when the counters move.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from glowplug.errors import InvalidArgument, InvalidType, UnknownEvent, did_you_mean
from glowplug.events import PER_ITERATION, EventEnum, Events, FilteredEvent

BatchT = TypeVar("BatchT")
OutputT = TypeVar("OutputT")

COUNTERS: Mapping[EventEnum | str, str] = MappingProxyType(
    {
        **dict.fromkeys(PER_ITERATION, "iteration"),
        Events.STARTED: "epoch",
        Events.EPOCH_STARTED: "epoch",
        Events.EPOCH_COMPLETED: "epoch",
        Events.COMPLETED: "epoch",
    }
)
"""The attribute of the state that counts an event; every other event counts its own firings."""


class State(Generic[BatchT, OutputT]):
    """What a run has done so far, and what it works on now.

    Counters are 0 before the first and 1-based within events. Attributes may be added freely: they
    survive ``run``, as ``metrics`` does.

    Args:
        **kwargs: initial values of the fields below, or attributes of your own.

    Attributes:
        iteration: iterations begun since the start, over all epochs.
        epoch: epochs begun since the start.
        epoch_length: iterations in one epoch, or None while it is not known.
        max_epochs: where the run ends, in epochs, or None.
        max_iters: where the run ends, in iterations, or None.
        output: what the step returned last; None before that, and while the step runs.
        batch: what the step works on; None before the first is fetched.
        metrics: values by name.
        dataloader: the data of the run.
        seed: the seed of the run, if its trainer uses one.
        times: seconds of the last epoch (``"EPOCH_COMPLETED"``) and run (``"COMPLETED"``).

    Example:
        >>> state = State(max_epochs=5, epoch_length=10, mine="kept")
        >>> state.iteration, state.max_epochs, state.mine
        (0, 5, 'kept')
    """

    # Before the first batch and step these are None. They are typed as what they hold within a
    # run, so that a handler can use them without a cast.
    batch: BatchT
    output: OutputT

    def __init__(self, **kwargs: Any) -> None:
        self.iteration = 0
        self.epoch = 0
        self.epoch_length: int | None = None
        self.max_epochs: int | None = None
        self.max_iters: int | None = None
        self.output = None  # type: ignore[assignment]  # see the class annotation
        self.batch = None  # type: ignore[assignment]  # see the class annotation
        self.metrics: dict[str, Any] = {}
        self.dataloader: Any = None
        self.seed: int | None = None
        self.times: dict[str, float | None] = {"EPOCH_COMPLETED": None, "COMPLETED": None}
        self._counters: dict[EventEnum | str, str] = dict(COUNTERS)
        for name, value in kwargs.items():
            setattr(self, name, value)

    if TYPE_CHECKING:
        # Users add attributes of their own; typed code may read them.
        def __getattr__(self, name: str) -> Any: ...
        def __setattr__(self, name: str, value: Any) -> None: ...

    def count_by(self, event: EventEnum | str, attribute: str) -> None:
        """Let ``attribute`` of this state count ``event``; it starts at 0 where it is new."""
        self._counters[event] = attribute
        if not hasattr(self, attribute):
            setattr(self, attribute, 0)

    def counter_of(self, event: EventEnum | str) -> str | None:
        """Return the attribute that counts ``event``, or None where it counts its own firings."""
        return self._counters.get(event)

    def get_event_attrib_value(self, event_name: EventEnum | FilteredEvent | str) -> int:
        """Return the count of an event.

        Args:
            event_name: an event that an attribute of this state counts, or its name.

        Returns:
            The attribute's value: iterations, epochs, or what a registered event counts.

        Raises:
            UnknownEvent: when no attribute of this state counts the event.

        Example:
            >>> State(iteration=7).get_event_attrib_value(Events.ITERATION_STARTED)
            7
        """
        event = event_name.event if isinstance(event_name, FilteredEvent) else event_name
        attribute = self._counters.get(event)
        if attribute is None and isinstance(event, str):
            named = [a for e, a in self._counters.items() if str(e) == event]
            attribute = named[0] if len(named) == 1 else None
        if attribute is None:
            names = sorted(map(str, self._counters))
            raise UnknownEvent(
                f"no attribute of this state counts {event!s}{did_you_mean(str(event), names)} "
                f"(counted here: {', '.join(names)})",
                event,
            )
        value: int = getattr(self, attribute)
        return value

    def __repr__(self) -> str:
        lines = ["State:"]
        for name, value in self.__dict__.items():
            if name.startswith("_"):
                continue
            plain = value is None or isinstance(value, (bool, int, float, str))
            lines.append(f"\t{name}: {value if plain else type(value)}")
        return "\n".join(lines) + "\n"


def saved(state: State[Any, Any], user_keys: Sequence[str]) -> dict[str, Any]:
    """Return the plain form of ``state``: length, iteration, end, and the users' keys.

    Raises:
        InvalidArgument: when the state lacks one of the users' keys.
    """
    missing = [key for key in user_keys if key not in state.__dict__]
    if missing:
        raise InvalidArgument(
            f"state_dict_user_keys names {missing}, which the state does not have; "
            "set engine.state.<name> before saving"
        )
    end = "max_epochs" if state.max_iters is None else "max_iters"
    keys = ("epoch_length", "iteration", end, *user_keys)
    return {key: getattr(state, key) for key in keys}


def restore(state: State[Any, Any], saved_state: Any, user_keys: Sequence[str]) -> int | None:
    """Put what ``saved`` returned into ``state``; all is checked before anything changes.

    Args:
        state: what is changed.
        saved_state: ``epoch_length``, one of ``max_epochs`` and ``max_iters``, one of ``iteration``
            and ``epoch`` (0-based: the number done), and the users' keys. With ``within``, as
            ``Engine.position`` has it, both ``iteration`` and ``epoch``.
        user_keys: the users' keys.

    Returns:
        How many iterations of an epoch under way are done, where ``within`` says it.

    Raises:
        InvalidType: when ``saved_state`` is no mapping.
        InvalidArgument: for missing, doubled or impossible entries, all of them in one message.
    """
    if not isinstance(saved_state, Mapping):
        raise InvalidType(
            f"a saved state is a mapping such as Engine.state_dict() returns, got {saved_state!r} "
            f"of type {type(saved_state).__name__}"
        )
    problems = _problems(saved_state, user_keys)
    if problems:
        raise InvalidArgument(f"cannot load this state: {'; '.join(problems)}")

    length = saved_state["epoch_length"]
    if "iteration" in saved_state:
        iteration = saved_state["iteration"]
        epoch = saved_state.get("epoch", iteration // length if length else 0)
    else:
        epoch = saved_state["epoch"]
        iteration = epoch * (length or 0)
    _check_end(saved_state, epoch, iteration)
    state.iteration, state.epoch, state.epoch_length = iteration, epoch, length
    state.max_epochs, state.max_iters = saved_state.get("max_epochs"), saved_state.get("max_iters")
    for key in user_keys:
        setattr(state, key, saved_state[key])
    within: int | None = saved_state.get("within")
    return within


def _problems(saved_state: Mapping[str, Any], user_keys: Sequence[str]) -> list[str]:
    """Return what is missing, doubled or no count."""
    problems = [f"no {key!r}" for key in ("epoch_length", *user_keys) if key not in saved_state]
    exact = "within" in saved_state
    for one, other in (("max_epochs", "max_iters"), ("iteration", "epoch")):
        given = [key for key in (one, other) if key in saved_state]
        if exact and one == "iteration":
            problems += [f"'within' without {key!r}" for key in (one, other) if key not in given]
        elif len(given) != 1:
            problems.append(f"{'both' if given else 'neither'} {one!r} and {other!r}: give one")
    for key, least in _LEAST.items():
        value = saved_state.get(key)
        required = key in saved_state and least == 0
        if (value is not None or required) and not _is_count(value, least):
            problems.append(f"{key!r} must be an integer of at least {least}, got {value!r}")
    length = saved_state.get("epoch_length")
    if saved_state.get("epoch") and length is None and not exact:
        problems.append("'epoch' without 'epoch_length', so the iteration is not known")
    most = [n for n in (length, saved_state.get("iteration")) if exact and isinstance(n, int)]
    if not problems and most and saved_state["within"] > min(most):
        problems.append(f"'within' is at most {min(most)} here, got {saved_state['within']}")
    return problems


def _check_end(saved_state: Mapping[str, Any], epoch: int, iteration: int) -> None:
    """Raise InvalidArgument where more is done than the run was to do."""
    length, epochs = saved_state["epoch_length"], saved_state.get("max_epochs")
    begun = epoch + bool(saved_state.get("within"))
    if epochs and begun > epochs:
        raise InvalidArgument(
            f"cannot load this state: {begun} epochs begun are beyond its end at {epochs}; "
            "raise its max_epochs"
        )
    end = saved_state.get("max_iters") or (epochs or 0) * (length or 0)
    if end and iteration > end:
        raise InvalidArgument(
            f"cannot load this state: {iteration} iterations done are beyond its end at {end}; "
            "raise its max_epochs or max_iters"
        )


_LEAST = MappingProxyType(
    {"iteration": 0, "epoch": 0, "within": 0, "epoch_length": 1, "max_epochs": 1, "max_iters": 1}
)


def _is_count(value: object, least: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= least
