"""How many characters of a text must be changed.

Owns: what a batch of texts looks like, and the rate.
Must not know: how edits are counted.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import torch

from glowplug.errors import InvalidArgument, InvalidType
from glowplug_metrics.means import refuse_nothing
from glowplug_metrics.metric import CPU, Metric
from glowplug_metrics.nlp.overlap import edits
from glowplug_metrics.outputs import as_it_is


class CharacterErrorRate(Metric):
    r"""How many characters must be substituted, deleted or inserted, for one of the target.

    .. math:: \frac{S + D + I}{\text{characters of } y}

    with the least numbers of substitutions S, deletions D and insertions I that make the targets
    of the predictions, all texts together. ``y_pred`` and ``y`` are N texts each, or one text
    each; a character is a Unicode code point. From 0 to infinity; smaller is better.

    Where no target has a character the value is 0 if no prediction has one either, and infinity
    otherwise: pytorch-ignite's is 1 then. Its value has the precision of float32.

    Args:
        output_transform: makes ``(y_pred, y)`` of the step's output.
        device: as for `Metric`; texts are counted on the host.
        skip_unrolling: as for `Metric`.

    Raises:
        InvalidType: for an output that is not two texts or two lists of texts.
        InvalidArgument: when the two lists are not equally long.

    Source:
        V. I. Levenshtein, "Binary Codes Capable of Correcting Deletions, Insertions, and
        Reversals", 1966; jiwer's ``cer``.

    Example:
        >>> metric = CharacterErrorRate()
        >>> metric.update((["a cat", "the mat"], ["a cap", "the mats"]))
        >>> round(metric.compute(), 4)  # two of thirteen
        0.1538
    """

    single_valued = True
    errors: int
    characters: int
    count: int

    def __init__(
        self,
        output_transform: Callable[[Any], Any] = as_it_is,
        device: str | torch.device = CPU,
        skip_unrolling: bool = False,
    ) -> None:
        super().__init__(output_transform, device=device, skip_unrolling=skip_unrolling)
        for name in ("errors", "characters", "count"):
            self.add_state(name, 0, reduce="sum")

    def update(self, output: Any) -> None:
        """Take in one batch.

        Args:
            output: ``(y_pred, y)``: two texts, or two lists of N texts.

        Raises:
            InvalidType: for anything else.
            InvalidArgument: when the two lists are not equally long.
        """
        y_pred, y = self._texts(output)
        if len(y_pred) != len(y):
            raise InvalidArgument(
                "CharacterErrorRate expected as many texts in y_pred as in y, got "
                f"{len(y_pred)} and {len(y)}"
            )
        self.errors += sum(map(edits, y_pred, y))
        self.characters += sum(map(len, y))
        self.count += len(y)

    def _texts(self, output: Any) -> Any:
        if isinstance(output, (tuple, list)) and len(output) == 2:
            if all(isinstance(part, str) for part in output):
                return [[part] for part in output]
            lists = all(isinstance(part, (tuple, list)) for part in output)
            if lists and all(isinstance(text, str) for part in output for text in part):
                return output
        raise InvalidType(
            "CharacterErrorRate expected (y_pred, y), two texts or two lists of N texts, got "
            f"{output!r:.200}; output_transform can make texts of the step's output"
        )

    def compute(self) -> float:
        """Return the rate.

        Raises:
            NotComputableError: when no text was taken in.
        """
        states = self.reduced()
        refuse_nothing(self, states["count"])
        if states["characters"] == 0:
            return math.inf if states["errors"] else 0.0
        return float(states["errors"] / states["characters"])
