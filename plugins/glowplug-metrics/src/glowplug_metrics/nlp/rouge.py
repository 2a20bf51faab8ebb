"""How much of reference texts a text has, told by runs of tokens and common subsequences.

Owns: the scores of one sentence beside its references, and their means.
Must not know: how runs and subsequences are found.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from enum import Enum
from typing import Any, TypeAlias

import torch
from torch import Tensor

from glowplug.errors import InvalidArgument
from glowplug_metrics.arguments import member, share, whole
from glowplug_metrics.means import refuse_nothing
from glowplug_metrics.metric import CPU
from glowplug_metrics.nlp.overlap import common_subsequence, ngrams
from glowplug_metrics.nlp.sentences import Sentence, SentencesMetric
from glowplug_metrics.outputs import as_it_is
from glowplug_metrics.results import ResultMode

Match: TypeAlias = tuple[int, int, int]
"""How much two sentences share, of how much of the first, and of how much of the second."""
Scores: TypeAlias = tuple[float, float, float]
"""Precision, recall and F."""


class _References(Enum):
    """What becomes of several references."""

    AVERAGE = "average"
    BEST = "best"


class Rouge(SentencesMetric):
    r"""Recall-oriented scores of texts: precision, recall and F of several variants.

    .. math:: P = \frac{m}{c}, \quad R = \frac{m}{r}, \quad
        F = \frac{P R}{(1 - \alpha) P + \alpha R}

    For ROUGE-n, m is how many runs of n tokens the sentence shares with its reference, each as
    often as it is in both, c how many runs the sentence has and r the reference. For ROUGE-L they
    are the length of the longest common subsequence and the two lengths. Of several references,
    ``"average"`` takes the sums of m, c and r over them, ``"best"`` that with the highest recall.
    The value is the mean over all sentences: ``{"Rouge-1-P": ..., "Rouge-1-R": ...,
    "Rouge-1-F": ..., ...}``.

    ``y_pred`` is a list of N sentences, each a list of tokens, and ``y`` a list of N lists of
    references. Each score is from 0 to 1; larger is better. A share of nothing is 0: of a sentence
    or reference that is too short for a run, say. ``F`` is 0 where P and R are.

    pytorch-ignite gives scores of 0 to a sentence without references, which is an error here.

    Args:
        variants: ``"L"``, and whole numbers n; None takes 1, 2, 4 and ``"L"``.
        multiref: what becomes of several references: ``"average"`` or ``"best"``.
        alpha: how much precision weighs in F, from 0, where F is R, to 1, where it is P; 0.5 gives
            the harmonic mean.
        output_transform: makes ``(y_pred, y)`` of the step's output.
        device: as for `Metric`; texts are counted on the host.
        metrics_result_mode: as for `Metric`.

    Raises:
        InvalidArgument: for another variant, ``multiref`` or ``alpha``; for a sentence without
            references, and for lists that are not equally long.
        InvalidType: for an output of another form.

    Source:
        C.-Y. Lin, "ROUGE: A Package for Automatic Evaluation of Summaries", 2004; the package
        rouge-score gives the same for ``alpha=0.5`` and the same tokens.

    Example:
        >>> metric = Rouge(variants=[1, "L"], multiref="best")
        >>> references = [["the", "cat", "is", "on", "the", "mat"], ["there", "is", "a", "cat"]]
        >>> metric.update(([["is", "the", "cat", "there"]], [references]))
        >>> metric.compute()["Rouge-1-P"], metric.compute()["Rouge-L-R"]
        (0.75, 0.5)
    """

    totals: Tensor
    count: int

    def __init__(
        self,
        variants: Sequence[str | int] | None = None,
        multiref: str = "average",
        alpha: float = 0,
        output_transform: Callable[[Any], Any] = as_it_is,
        device: str | torch.device = CPU,
        *,
        metrics_result_mode: ResultMode | str = "both",
    ) -> None:
        super().__init__(output_transform, device, metrics_result_mode)
        self._variants = [_variant(given) for given in variants or (1, 2, 4, "L")]
        self._multiref = member("multiref", multiref, _References)
        self._alpha = share("alpha", alpha)
        self._names = [f"Rouge-{v}-{score}" for v in self._variants for score in "PRF"]
        self.add_state("totals", torch.zeros(len(self._names), dtype=torch.float64), reduce="sum")
        self.add_state("count", 0, reduce="sum")

    def _further_names(self) -> Iterable[Any]:
        return self._names

    def accumulate(self, sentence: Sentence, references: Sequence[Sentence]) -> None:
        """Add the scores of one sentence."""
        scores: list[float] = []
        for variant in self._variants:
            scores += self._scores([_match(variant, sentence, other) for other in references])
        self.add("totals", torch.tensor(scores, dtype=torch.float64))
        self.count += 1

    def _scores(self, matches: Sequence[Match]) -> Scores:
        if self._multiref is _References.BEST:
            return max((self._score(*match) for match in matches), key=lambda prf: prf[1])
        return self._score(*(sum(column) for column in zip(*matches, strict=True)))

    def _score(self, shared: int, of_sentence: int, of_reference: int) -> Scores:
        if shared == 0:
            return 0.0, 0.0, 0.0
        precision, recall = shared / of_sentence, shared / of_reference
        weighted = (1 - self._alpha) * precision + self._alpha * recall
        return precision, recall, precision * recall / weighted

    def compute(self) -> dict[str, float]:
        """Return the mean of each score, by name.

        Raises:
            NotComputableError: when no sentence was taken in.
        """
        states = self.reduced()
        refuse_nothing(self, states["count"])
        means: list[float] = (states["totals"] / states["count"]).tolist()
        return dict(zip(self._names, means, strict=True))


class RougeN(Rouge):
    """ROUGE-n: precision, recall and F of the shared runs of n tokens.

    Formula, form of the output, range and what several references do: see `Rouge`. Larger is
    better.

    Args:
        ngram: n.
        multiref: as for `Rouge`.
        alpha: as for `Rouge`.
        output_transform: makes ``(y_pred, y)`` of the step's output.
        device: as for `Metric`; texts are counted on the host.
        metrics_result_mode: as for `Metric`.

    Raises:
        InvalidArgument: when ``ngram`` is no positive whole number, and as for `Rouge`.
        InvalidType: for an output of another form.

    Source:
        C.-Y. Lin, "ROUGE: A Package for Automatic Evaluation of Summaries", 2004, section 2.

    Example:
        >>> metric = RougeN(ngram=1, alpha=0.5)
        >>> metric.update(([["a", "cat"]], [[["the", "cat", "sat"]]]))
        >>> metric.compute()["Rouge-1-P"], metric.compute()["Rouge-1-F"]
        (0.5, 0.4)
    """

    def __init__(
        self,
        ngram: int = 4,
        multiref: str = "average",
        alpha: float = 0,
        output_transform: Callable[[Any], Any] = as_it_is,
        device: str | torch.device = CPU,
        *,
        metrics_result_mode: ResultMode | str = "both",
    ) -> None:
        super().__init__(
            [whole("ngram", ngram)],
            multiref,
            alpha,
            output_transform,
            device,
            metrics_result_mode=metrics_result_mode,
        )


class RougeL(Rouge):
    """ROUGE-L: precision, recall and F of the longest common subsequence.

    Formula, form of the output, range and what several references do: see `Rouge`. Larger is
    better.

    Args:
        multiref: as for `Rouge`.
        alpha: as for `Rouge`.
        output_transform: makes ``(y_pred, y)`` of the step's output.
        device: as for `Metric`; texts are counted on the host.
        metrics_result_mode: as for `Metric`.

    Raises:
        InvalidArgument: as for `Rouge`.
        InvalidType: for an output of another form.

    Source:
        C.-Y. Lin, "ROUGE: A Package for Automatic Evaluation of Summaries", 2004, section 3.1.

    Example:
        >>> metric = RougeL(alpha=0.5)
        >>> metric.update(([["a", "cat"]], [[["the", "cat", "sat"]]]))
        >>> metric.compute()["Rouge-L-P"], metric.compute()["Rouge-L-F"]
        (0.5, 0.4)
    """

    def __init__(
        self,
        multiref: str = "average",
        alpha: float = 0,
        output_transform: Callable[[Any], Any] = as_it_is,
        device: str | torch.device = CPU,
        *,
        metrics_result_mode: ResultMode | str = "both",
    ) -> None:
        super().__init__(
            ["L"],
            multiref,
            alpha,
            output_transform,
            device,
            metrics_result_mode=metrics_result_mode,
        )


def _variant(given: str | int) -> str | int:
    if given == "L":
        return given
    try:
        return whole("variant", given)
    except InvalidArgument:
        raise InvalidArgument(
            f"variants must hold 'L' and positive whole numbers alone, got {given!r} of type "
            f"{type(given).__name__}"
        ) from None


def _match(variant: str | int, sentence: Sentence, reference: Sentence) -> Match:
    if isinstance(variant, str):
        return common_subsequence(sentence, reference), len(sentence), len(reference)
    mine, its = ngrams(sentence, variant), ngrams(reference, variant)
    return (mine & its).total(), mine.total(), its.total()
