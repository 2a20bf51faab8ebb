"""Averages of a model's weights, beside the model.

Owns: the averaged model, moving it towards the model, exchanging the two, saving it.
Must not know: at which rate it moves, or when.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from glowplug_handlers.arguments import checked_count, checked_state
from glowplug_handlers.attachment import Attachable
from glowplug_handlers.averaging_batch_norm import recompute_statistics
from glowplug_handlers.averaging_models import (
    LOW_PRECISION,
    Group,
    averaging_copy,
    check_like,
    grouped_buffers,
    grouped_parameters,
    unwrapped,
    up_to_date,
)
from glowplug_handlers.errors import WeightsSwapped


class AveragedWeights(Attachable):
    """A model beside another, whose weights are averages of that one's over time.

    Parameters in half precision have averages in single precision, of which the averaged model has
    the rounded values: a small step would be rounded away otherwise.

    Args:
        model: the model. One that is wrapped for several processes, or compiled, is unwrapped.

    Attributes:
        model: the model, unwrapped.
        averaged_model: the averages, in a model of their own that needs no gradients.
        updates: how often the weights were averaged.

    Raises:
        InvalidType: when ``model`` is no module.
        InvalidArgument: when it cannot be copied, or has parameters that a first batch makes.

    Example:
        >>> model = nn.Linear(1, 1)
        >>> averages = AveragedWeights(model)
        >>> with averages.swapped():
        ...     assert torch.equal(model.weight, averages.averaged_model.weight)
    """

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = unwrapped(model)
        self.averaged_model = averaging_copy(self.model)
        self.updates = 0
        self._swapped = False
        self._parameters: list[Group] | None = None
        self._buffers: list[Group] | None = None
        self._exact = {
            name: parameter.detach().float()
            for name, parameter in self.averaged_model.named_parameters()
            if parameter.dtype in LOW_PRECISION
        }

    def move_averages(self, share: float) -> None:
        """Move the averages of the parameters a share of the way to the model's.

        Args:
            share: from 0, not at all, to 1, all of it.

        Raises:
            WeightsSwapped: within `swapped`.
            InvalidArgument: when the model was moved or changed, and the averages were not.
        """
        self._refuse_swapped("averaged")
        if self._parameters is None:
            averaged = self.averaged_model
            self._exact = up_to_date(self._exact, averaged)
            self._parameters = grouped_parameters(self.model, averaged, self._exact)
        for group in self._parameters:
            group.move(share)

    def move_buffers(self, share: float = 1) -> None:
        """Move the buffers a share of the way to the model's; those of integers are copied.

        Args:
            share: as for `move_averages`.

        Raises:
            WeightsSwapped: within `swapped`.
            InvalidArgument: when the model was moved or changed, and the averages were not.
        """
        self._refuse_swapped("averaged")
        if self._buffers is None:
            self._buffers = grouped_buffers(self.model, self.averaged_model)
        for group in self._buffers:
            group.move(share if group.can_be_averaged else 1)

    def look_up(self) -> None:
        """Find the tensors anew at the next update: one of the models may have been moved."""
        self._parameters = self._buffers = None

    def reset(self) -> None:
        """Begin anew with the weights that the model has now.

        Raises:
            WeightsSwapped: within `swapped`.
        """
        self.look_up()
        self.move_averages(1)
        self.move_buffers()
        self.updates = 0

    @contextmanager
    def swapped(self) -> Iterator[nn.Module]:
        """Return a context in which the model has the averages, and the averaged model its weights.

        On leaving, also by an error, each has its own again, bit for bit. Nothing can be trained or
        averaged within. Values are exchanged in place, one tensor at a time, so what holds the
        parameters (an optimizer, a wrapper, a compiled graph) goes on holding them.

        Yields:
            The model.

        Raises:
            WeightsSwapped: within such a context of the same handler.
        """
        self._refuse_swapped("swapped again")
        self._exchange()
        self._swapped = True
        try:
            yield self.model
        finally:
            self._swapped = False
            self._exchange()

    @torch.no_grad()
    def copy_to_model(self) -> None:
        """Give the model the averages for good, buffers included.

        Raises:
            WeightsSwapped: within `swapped`.
        """
        self._refuse_swapped("copied")
        for value, average in self._pairs():
            value.copy_(average)

    def update_batch_norm(
        self, data: Iterable[Any], prepare: Callable[[Any], Any] | None = None
    ) -> None:
        """Compute the statistics of the averaged model's batch-norm layers anew.

        Those of the model were gathered with other weights. They become the mean over the batches
        of the statistics of each. Only the batch-norm layers are in training mode meanwhile, so
        dropout takes no part.

        Args:
            data: batches: tensors, or tuples and lists whose first entry is the input. They are
                moved to the device of the averages.
            prepare: ``f(batch)``, the input of another form of batch.

        Raises:
            InvalidType: when a batch has another form and ``prepare`` is not given.
            InvalidArgument: when there is no batch.
            WeightsSwapped: within `swapped`.
        """
        self._refuse_swapped("run")
        recompute_statistics(self.averaged_model, data, prepare)

    def state_dict(self) -> dict[str, Any]:
        """Return the averages and how many there were, as plain values and tensors.

        The tensors are those of this handler, as in a module's ``state_dict``: they change with it.

        Raises:
            WeightsSwapped: within `swapped`.
        """
        self._refuse_swapped("saved")
        averages = dict(self.averaged_model.state_dict())
        return {"updates": self.updates, "model": averages, "exact": dict(self._exact)}

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Go on with saved averages.

        Args:
            state_dict: what ``state_dict`` returned.

        Raises:
            InvalidType: when it is no mapping, or an entry of another type.
            InvalidArgument: when an entry is missing, or the averages are of another model.
            WeightsSwapped: within `swapped`.
        """
        self._refuse_swapped("loaded")
        checked_state(self, state_dict, "updates", "model", "exact")
        updates = state_dict["updates"]
        if updates != 0:
            checked_count("updates", updates)
        check_like(self._exact, state_dict["exact"])
        check_like(self.averaged_model.state_dict(), state_dict["model"])
        self.averaged_model.load_state_dict(state_dict["model"])
        for name, own in self._exact.items():
            own.copy_(state_dict["exact"][name])
        self.updates = updates

    def __getstate__(self) -> dict[str, Any]:
        return {**super().__getstate__(), "_parameters": None, "_buffers": None}

    def _refuse_swapped(self, what: str) -> None:
        if self._swapped:
            raise WeightsSwapped(
                f"the weights cannot be {what} here: within swapped() the model has the averages "
                "and the averaged model has its weights; leave that context before"
            )

    def _pairs(self) -> Iterator[tuple[Tensor, Tensor]]:
        """Return each parameter and buffer of the model with that of the averaged model."""
        own, averaged = self.model, self.averaged_model
        yield from zip(own.parameters(), averaged.parameters(), strict=True)
        yield from zip(own.buffers(), averaged.buffers(), strict=True)

    @torch.no_grad()
    def _exchange(self) -> None:
        for value, average in self._pairs():
            kept = value.clone()
            value.copy_(average)
            average.copy_(kept)
