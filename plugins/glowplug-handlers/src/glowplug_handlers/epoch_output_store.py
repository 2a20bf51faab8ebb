"""Keeping the outputs of an epoch.

Owns: which outputs are kept, and where they are put.
Must not know: what they are for.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from glowplug import Events, Phase
from glowplug.errors import InvalidArgument, InvalidType
from glowplug_handlers.arguments import as_it_is, checked_function, checked_state
from glowplug_handlers.attachment import AnyEngine, Attachable
from glowplug_handlers.entries import without_history


class EpochOutputStore(Attachable):
    """Keeps the output of every iteration of an epoch, in a list.

    Tensors are kept where they are, without their history, so that no graph of an iteration
    outlives it. What a step writes into again, a buffer of its own, is to be cloned by
    ``output_transform``.

    Args:
        output_transform: makes what is kept of the step's output.

    Attributes:
        data: what was kept since the epoch began.

    Raises:
        InvalidType: when ``output_transform`` cannot be called.

    Example:
        >>> from glowplug import Engine
        >>> engine = Engine(lambda engine, batch: (batch, batch**2))
        >>> store = EpochOutputStore(output_transform=lambda output: output[1])
        >>> store.attach(engine, "squares")
        >>> engine.run([1, 2, 3], max_epochs=2).squares
        [1, 4, 9]
    """

    glowplug_phase = Phase.COMPUTE

    def __init__(self, output_transform: Callable[[Any], Any] = as_it_is) -> None:
        super().__init__()
        self._output_transform = checked_function("output_transform", output_transform, "f(output)")
        self.data: list[Any] = []
        self.name: str | None = None
        self._loaded = False

    def reset(self) -> None:
        """Begin with an empty list; the one of before stays with those who hold it."""
        self.data = []

    def update(self, engine: AnyEngine) -> None:
        """Keep the engine's output, transformed."""
        self.data.append(without_history(self._output_transform(engine.state.output)))

    def store(self, engine: AnyEngine) -> None:
        """Put the list into the engine's state, under the name that was given to ``attach``.

        Raises:
            InvalidArgument: when none was.
        """
        if self.name is None:
            raise InvalidArgument(
                "EpochOutputStore has no name to store under; give one: attach(engine, name)"
            )
        setattr(engine.state, self.name, self.data)

    def attach(self, engine: AnyEngine, name: str | None = None) -> None:
        """Keep the outputs of an engine's epochs.

        Args:
            engine: the engine.
            name: the attribute of the state that the list is put into at the end of each epoch;
                None: of none, it is found in ``data``.

        Raises:
            InvalidType: when it is no engine.
            InvalidArgument: when this is attached to it already, or ``name`` can name no attribute.
        """
        if name is not None and not (isinstance(name, str) and name.isidentifier()):
            raise InvalidArgument(f"name must name an attribute of the state, got {name!r}")
        with self._attaching(engine) as handles:
            handles.append(engine.add_event_handler(Events.EPOCH_STARTED, self._begin))
            handles.append(engine.add_event_handler(Events.ITERATION_COMPLETED, self.update))
            if name is not None:
                handles.append(engine.add_event_handler(Events.EPOCH_COMPLETED, self.store))
        self.name = name

    def state_dict(self) -> dict[str, Any]:
        """Return what was kept, so that an epoch that is resumed has all of its outputs."""
        return {"data": list(self.data)}

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Go on with what was kept.

        Args:
            state_dict: what ``state_dict`` returned.

        Raises:
            InvalidType: when it is no mapping, or its ``"data"`` no list.
            InvalidArgument: when it has no ``"data"``.
        """
        checked_state(self, state_dict, "data")
        if not isinstance(state_dict["data"], list):
            raise InvalidType(f"data must be a list, got {state_dict['data']!r:.100}")
        self.data, self._loaded = list(state_dict["data"]), True

    def _begin(self, engine: AnyEngine) -> None:
        if not (self._loaded and engine.goes_on()):
            self.reset()
        self._loaded = False
