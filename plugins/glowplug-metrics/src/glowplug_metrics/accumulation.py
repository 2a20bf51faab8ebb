"""Variables gathered over batches: by any operation, as an average, as a geometric average.

Owns: what counts as one example of a number, a vector or a batch of rows.
Must not know: predictions and targets.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from numbers import Real
from typing import Any, ClassVar, TypeAlias

import torch
from torch import Tensor

from glowplug.errors import InvalidType
from glowplug_metrics.means import refuse_nothing
from glowplug_metrics.metric import CPU, Metric
from glowplug_metrics.outputs import as_it_is
from glowplug_metrics.results import as_numbers
from glowplug_metrics.states import Reduction, in_float64

Variable: TypeAlias = Tensor | float


class VariableAccumulation(Metric):
    """A variable gathered by an operation, and the number of its examples.

    A number, a tensor without dimensions and a vector ``(D,)`` are one example each, a tensor
    ``(N, D, ...)`` is N of them. The operation is given whole tensors, in float64. Range, and what
    is better, are the variable's own.

    Args:
        op: called as ``op(accumulator, variable)``; returns the new accumulator.
        output_transform: makes the variable of the step's output.
        device: as for `Metric`.
        skip_unrolling: as for `Metric`.
        initial: the accumulator after a reset.
        reduce: how the accumulators of all ranks become one; ``"sum"``, ``"min"`` or ``"max"``,
            whichever suits ``op``.

    Raises:
        InvalidType: when ``op`` cannot be called, or for a variable that is no number or tensor.

    Example:
        >>> smallest = VariableAccumulation(min, initial=torch.inf, reduce="min")
        >>> for value in (3.0, 1.5, 2.0):
        ...     smallest.update(value)
        >>> smallest.compute()
        (1.5, 3)
    """

    required_output_keys: ClassVar[None] = None
    single_valued = True
    accumulator: Any
    num_examples: int

    def __init__(
        self,
        op: Callable[[Any, Any], Any],
        output_transform: Callable[[Any], Any] = as_it_is,
        device: str | torch.device = CPU,
        skip_unrolling: bool = False,
        *,
        initial: float = 0.0,
        reduce: Reduction | str = Reduction.SUM,
    ) -> None:
        if not callable(op):
            raise InvalidType(f"op must be callable, got {op!r} of type {type(op).__name__}")
        super().__init__(output_transform, device=device, skip_unrolling=skip_unrolling)
        self._op = op
        start = torch.tensor(initial, dtype=torch.float64)
        summed = op is operator.add
        self.add_state("accumulator", start, reduce, compensate=summed, grows=True)
        self.add_state("num_examples", 0, reduce="sum")

    def update(self, output: Variable) -> None:
        """Take in a number, or a tensor of shape ``()``, ``(D,)`` or ``(N, D, ...)``.

        Raises:
            InvalidType: for anything else.
        """
        if not isinstance(output, (Tensor, int, float, Real)):
            raise InvalidType(
                f"{type(self).__name__} expected a number or a tensor, got {output!r} of type "
                f"{type(output).__name__}; output_transform can pick one out of the step's output"
            )
        if isinstance(output, Tensor):
            output = output.detach()
            if self._fresh:
                self.follow(output.device)
                self._fresh = False
        self.accumulate(output)
        rows = isinstance(output, Tensor) and output.ndim > 1
        self.num_examples += len(output) if rows else 1  # type: ignore[arg-type]  # rows have a len

    def accumulate(self, variable: Variable) -> None:
        """Apply the operation."""
        if isinstance(variable, Tensor):
            variable = variable.to(self.wide)
        self.accumulator = self._op(self.accumulator, variable)

    def value(self) -> Any:
        """Return the accumulator and the number of examples."""
        states = self.reduced()
        return states["accumulator"], states["num_examples"]

    def compute(self) -> Any:
        """Return the accumulator, as a number if it is one, and the number of examples."""
        accumulator, num_examples = self.value()
        return as_numbers(accumulator), num_examples


class Average(VariableAccumulation):
    r"""The mean of a variable, for each place of a vector or row by itself.

    .. math:: \frac{1}{N} \sum_{i=1}^{N} x_i

    What is an example, `VariableAccumulation` says: the average of batches ``(N, D)`` has shape
    ``(D,)``. NaN and infinity stay in the mean. Range, and what is better, are the variable's own.

    Args:
        output_transform: makes the variable of the step's output.
        device: as for `Metric`.
        skip_unrolling: as for `Metric`.

    Raises:
        InvalidType: for a variable that is no number or tensor.

    Source:
        Python's ``statistics.fmean``, which gives the same.

    Example:
        >>> average = Average()
        >>> for value in (1.0, 2.0, 6.0):
        ...     average.update(value)
        >>> average.compute()
        3.0
    """

    def __init__(
        self,
        output_transform: Callable[[Any], Any] = as_it_is,
        device: str | torch.device = CPU,
        skip_unrolling: bool = False,
    ) -> None:
        super().__init__(operator.add, output_transform, device, skip_unrolling)

    def accumulate(self, variable: Variable) -> None:
        """Add, over the rows of a batch."""
        if isinstance(variable, Tensor) and variable.ndim > 0:
            rows = variable.ndim > 1
            variable = variable.sum(0, dtype=self.wide) if rows else variable.to(self.wide)
        self.add("accumulator", variable)

    def value(self) -> Any:
        """Return the mean in float64, on the device of the outputs."""
        accumulator, num_examples = super().value()
        refuse_nothing(self, num_examples)
        return in_float64(accumulator) / num_examples

    def compute(self) -> Any:
        """Return the mean, a number where the variable has no dimensions.

        Raises:
            NotComputableError: when nothing was taken in.
        """
        return as_numbers(self.value())


class GeometricAverage(Average):
    r"""The geometric mean of a variable, for each place of a vector or row by itself.

    .. math:: \exp\left(\frac{1}{N} \sum_{i=1}^{N} \ln x_i\right)

    For positive numbers; a zero makes it 0, a negative number NaN. Shapes are as for `Average`;
    what is better, the variable says.

    Args:
        output_transform: makes the variable of the step's output.
        device: as for `Metric`.
        skip_unrolling: as for `Metric`.

    Raises:
        InvalidType: for a variable that is no number or tensor.

    Source:
        Python's ``statistics.geometric_mean``, which gives the same.

    Example:
        >>> average = GeometricAverage()
        >>> for value in (1.0, 2.0, 4.0):
        ...     average.update(value)
        >>> round(average.compute(), 6)
        2.0
    """

    def accumulate(self, variable: Variable) -> None:
        """Add the logarithm."""
        super().accumulate(torch.as_tensor(variable, dtype=self.wide).log())

    def value(self) -> Any:
        """Return the geometric mean in float64, on the device of the outputs."""
        return super().value().exp()
