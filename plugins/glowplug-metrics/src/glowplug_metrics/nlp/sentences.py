"""Metrics of sentences beside their references.

Owns: what a batch of sentences looks like, and how the errors about it are worded.
Must not know: what is made of a sentence and its references.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Hashable, Sequence
from typing import Any, TypeAlias

import torch

from glowplug.errors import InvalidArgument, InvalidType
from glowplug_metrics.metric import CPU, Metric
from glowplug_metrics.outputs import as_it_is
from glowplug_metrics.results import ResultMode

Sentence: TypeAlias = Sequence[Hashable]


class SentencesMetric(Metric):
    """The base of metrics that are updated with sentences and the references of each.

    A sentence is a list of tokens: words, or anything that can be compared. ``y_pred`` is a list of
    N sentences, ``y`` a list of N lists of references, which are sentences. Texts are on the host,
    where looking at them costs nothing beside counting, so that every update is checked.

    Args:
        output_transform: makes ``(y_pred, y)`` of the step's output.
        device: as for `Metric`; texts are counted on the host.
        metrics_result_mode: as for `Metric`.

    Example:
        >>> class CommonLength(SentencesMetric):
        ...     def __init__(self):
        ...         super().__init__()
        ...         self.add_state("right", 0, reduce="sum")
        ...
        ...     def accumulate(self, sentence, references):
        ...         self.right += any(len(sentence) == len(other) for other in references)
        ...
        ...     def compute(self):
        ...         return self.reduced()["right"]
        >>> metric = CommonLength()
        >>> metric.update(([["a", "cat"]], [[["the", "cat"], ["cat"]]]))
        >>> metric.compute()
        1
    """

    def __init__(
        self,
        output_transform: Callable[[Any], Any] = as_it_is,
        device: str | torch.device = CPU,
        metrics_result_mode: ResultMode | str = "both",
    ) -> None:
        super().__init__(output_transform, device, metrics_result_mode=metrics_result_mode)
        self.follow(CPU)

    @abstractmethod
    def accumulate(self, sentence: Sentence, references: Sequence[Sentence]) -> None:
        """Take in one sentence, which has at least one reference."""

    def update(self, output: Any) -> None:
        """Take in one batch.

        Args:
            output: ``(y_pred, y)``: N sentences, and N lists of references.

        Raises:
            InvalidType: when these are not lists of lists of tokens, and of lists of such lists.
            InvalidArgument: when there are not as many of one as of the other, or when a sentence
                has no reference.
        """
        y_pred, y = self._parted(output)
        for index, references in enumerate(y):
            if not references:
                raise InvalidArgument(
                    f"{type(self).__name__} expected at least one reference for each sentence; "
                    f"number {index} of the batch has none"
                )
        for sentence, references in zip(y_pred, y, strict=True):
            self.accumulate(sentence, references)

    def _parted(self, output: Any) -> tuple[Sequence[Sentence], Sequence[Sequence[Sentence]]]:
        if not _is_list(output) or len(output) != 2 or not all(map(_is_list, output)):
            self._refuse(output)
        y_pred, y = output
        if not all(map(_is_list, y_pred)) or not all(map(_is_list, y)):
            self._refuse(output)
        if not all(_is_list(reference) for references in y for reference in references):
            self._refuse(output)
        if len(y_pred) != len(y):
            raise InvalidArgument(
                f"{type(self).__name__} expected as many lists of references as sentences, got "
                f"{len(y_pred)} sentences and {len(y)} lists of references"
            )
        return y_pred, y

    def _refuse(self, output: Any) -> None:
        raise InvalidType(
            f"{type(self).__name__} expected (y_pred, y): y_pred a list of N sentences, each a "
            "list of tokens, and y a list of N lists of references, each a list of tokens; got "
            f"{output!r:.200}; split texts into tokens in output_transform"
        )


def _is_list(value: Any) -> bool:
    """Return whether ``value`` is a sequence of things rather than a text."""
    return isinstance(value, Sequence) and not isinstance(value, (str, bytes))
