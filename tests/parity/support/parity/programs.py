"""Programs: what a differential test does to an engine, as plain data.

Owns: the words in which a program is written; its repr leaves out what is default, so that a
failing example reads as a story and can be pasted into a test.
Must not know: engines, or which library runs a program.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import MISSING, dataclass, fields
from enum import Enum
from typing import Any, TypeAlias

RUN_EVENTS = (
    "STARTED",
    "EPOCH_STARTED",
    "GET_BATCH_STARTED",
    "GET_BATCH_COMPLETED",
    "ITERATION_STARTED",
    "ITERATION_COMPLETED",
    "EPOCH_COMPLETED",
    "COMPLETED",
    "DATALOADER_STOP_ITERATION",
    "EXCEPTION_RAISED",
    "TERMINATE_SINGLE_EPOCH",
    "TERMINATE",
    "INTERRUPT",
)
PLAIN, COUNTED = "PLAIN", "COUNTED"
CUSTOM_EVENTS = (PLAIN, COUNTED)
"""Two events of our own: one counts its firings, the other is counted by ``state.counted``."""


class Story:
    """A dataclass that shows only what is not default."""

    def __repr__(self) -> str:
        shown = []
        for part in fields(self):  # type: ignore[arg-type]  # every subclass is a dataclass
            value = getattr(self, part.name)
            if part.default is not MISSING and value == part.default:
                continue
            if part.default_factory is not MISSING and value == part.default_factory():
                continue
            shown.append(f"{part.name}={value!r}")
        return f"{type(self).__name__}({', '.join(shown)})"

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        """Let Hypothesis print the same."""
        printer.text(repr(self))


class Kind(Enum):
    """How data behaves: whether it has a length, and whether it can be iterated again."""

    LIST = "a list"
    SIZED = "has a length, can be iterated again"
    UNSIZED = "has no length, can be iterated again"
    ONE_SHOT = "an iterator that ends for good"

    def __repr__(self) -> str:
        return f"Kind.{self.name}"


@dataclass(frozen=True, repr=False)
class Data(Story):
    """Batches ``label/pass.index``; ``fails_at`` raises instead of the batch of that pass."""

    kind: Kind
    size: int
    label: str = "d"
    fails_at: tuple[int, int] | None = None


@dataclass(frozen=True, repr=False)
class Filter(Story):
    """The filter of an event; ``odd`` is an ``event_filter`` that lets odd counts through."""

    every: int | None = None
    once: tuple[int, ...] = ()
    before: int | None = None
    after: int | None = None
    odd: bool = False


@dataclass(frozen=True, repr=False)
class On(Story):
    """An event, by name, with or without a filter."""

    event: str
    filter: Filter | None = None


@dataclass(frozen=True, repr=False)
class Terminate(Story):
    """Call ``terminate``."""

    skip_completed: bool = False


@dataclass(frozen=True, repr=False)
class TerminateEpoch(Story):
    """Call ``terminate_epoch``."""

    skip_epoch_completed: bool = False


@dataclass(frozen=True, repr=False)
class Interrupt(Story):
    """Call ``interrupt``; the run is taken up again afterwards."""


@dataclass(frozen=True, repr=False)
class Fail(Story):
    """Raise an error."""

    error: type[BaseException] = ValueError

    def __repr__(self) -> str:
        return f"Fail({self.error.__name__})"


@dataclass(frozen=True, repr=False)
class SetData(Story):
    """Call ``set_data``."""

    data: Data


@dataclass(frozen=True, repr=False)
class ReplaceBatch(Story):
    """Put another batch into the state."""

    batch: str = "mine"


@dataclass(frozen=True, repr=False)
class Fire(Story):
    """Fire an event of our own; the counted one is counted up first."""

    event: str


@dataclass(frozen=True, repr=False)
class Detach(Story):
    """Remove a handler, by its handle or by its function."""

    name: str
    by_function: bool = False


@dataclass(frozen=True, repr=False)
class Attach(Story):
    """Add a handler while the program runs."""

    handler: Handler


Action: TypeAlias = (
    Terminate | TerminateEpoch | Interrupt | Fail | SetData | ReplaceBatch | Fire | Detach | Attach
)


@dataclass(frozen=True, repr=False)
class Act(Story):
    """What happens at the ``at``-th call of a handler or step, or at every call."""

    action: Action
    at: int | None = None


@dataclass(frozen=True, repr=False)
class Handler(Story):
    """A handler of one event, or of a union; it logs each call and acts at some."""

    name: str
    on: tuple[On, ...]
    acts: tuple[Act, ...] = ()


@dataclass(frozen=True, repr=False)
class Load(Story):
    """What ``load_state_dict`` is given, or, with ``as_state``, what a new ``State`` is."""

    iteration: int
    epoch_length: int
    max_epochs: int | None = None
    max_iters: int | None = None
    as_state: bool = False


@dataclass(frozen=True, repr=False)
class Run(Story):
    """A call of ``run``, and the calls that take it up again after an interruption.

    ``anew`` sets the maxima of the state to None first. ``resume_with`` is a larger end for the
    first resumption; ``resume_bare`` resumes by ``run()`` without the data.
    """

    data: Data | None = None
    max_epochs: int | None = None
    max_iters: int | None = None
    epoch_length: int | None = None
    anew: bool = False
    load: Load | None = None
    resume_with: int | None = None
    resume_bare: bool = False


@dataclass(frozen=True, repr=False)
class Program(Story):
    """Handlers, what the step does beside its work, and the runs.

    Every event is watched by a handler that only logs, but for the ``unwatched``.
    """

    runs: tuple[Run, ...]
    handlers: tuple[Handler, ...] = ()
    step: tuple[Act, ...] = ()
    unwatched: tuple[str, ...] = ()

    def all_handlers(self) -> Iterator[Handler]:
        """Yield every handler, those that are added later too."""
        waiting = list(self.handlers)
        acts = list(self.step)
        while waiting or acts:
            if waiting:
                handler = waiting.pop()
                acts += handler.acts
                yield handler
            else:
                action = acts.pop().action
                if isinstance(action, Attach):
                    waiting.append(action.handler)
