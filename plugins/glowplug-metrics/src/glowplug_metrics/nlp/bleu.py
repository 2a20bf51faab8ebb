"""How near translations are to their references, told by runs of tokens.

Owns: the score of counted runs, and which counts are summed before it.
Must not know: how runs are counted.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Sequence
from enum import Enum
from typing import Any

import torch
from torch import Tensor

from glowplug_metrics.arguments import member, whole
from glowplug_metrics.means import refuse_nothing
from glowplug_metrics.metric import CPU
from glowplug_metrics.nlp.overlap import ngrams
from glowplug_metrics.nlp.sentences import Sentence, SentencesMetric
from glowplug_metrics.outputs import as_it_is


class _Average(Enum):
    """What is averaged: the scores of sentences, or their counts."""

    MACRO = "macro"
    MICRO = "micro"


class _Smooth(Enum):
    """What becomes of runs that no reference has."""

    NO_SMOOTH = "no_smooth"
    SMOOTH1 = "smooth1"
    NLTK_SMOOTH2 = "nltk_smooth2"
    SMOOTH2 = "smooth2"

    def precision(self, n: int, shared: int, possible: int) -> float:
        """Return the precision of the runs of n tokens."""
        if self is not _Smooth.SMOOTH2:
            possible = max(possible, 1)  # of a sentence that is too short for such a run
        if n > 1 and self in (_Smooth.NLTK_SMOOTH2, _Smooth.SMOOTH2):
            return (shared + 1) / (possible + 1)
        if shared == 0 and self is _Smooth.SMOOTH1:
            return 0.1 / possible
        return shared / possible


class Bleu(SentencesMetric):
    r"""The BLEU score of translations.

    .. math:: \exp\left(\min\left(1 - \frac{r}{c}, 0\right)\right)
        \prod_{n=1}^{N} \left(\frac{m_n}{c_n}\right)^{1 / N}

    with the length c of a sentence and that of its reference which is nearest in length, r; the
    number :math:`c_n` of the sentence's runs of n tokens, 1 where it is too short for one; and the
    number :math:`m_n` of those that a reference has too, each at most as often as in the reference
    that has it most often. ``average="macro"`` takes the mean of the scores of all sentences,
    ``"micro"`` the score of the sums of these counts, which is what the paper defines.

    ``y_pred`` is a list of S sentences, each a list of tokens, and ``y`` a list of S lists of
    references. From 0 to 1; larger is better. A sentence that shares no token with its references
    has the score 0, whatever the smoothing, and so has an empty one.

    pytorch-ignite takes lists of different lengths, of which it leaves the rest out, and gives 0
    for no sentence at all with ``"micro"``; both are errors here.

    Args:
        ngram: N, the greatest length of runs.
        smooth: what becomes of runs that no reference has: ``"no_smooth"``, the score is 0;
            ``"smooth1"``, m is 0.1; ``"nltk_smooth2"``, 1 is added to m and c of the runs of two
            tokens and more; ``"smooth2"``, the same, but that a sentence which is too short for a
            run has all of them.
        output_transform: makes ``(y_pred, y)`` of the step's output.
        device: as for `Metric`; texts are counted on the host.
        average: ``"macro"`` or ``"micro"``.

    Raises:
        InvalidArgument: when ``ngram`` is no positive whole number, or for another ``smooth`` or
            ``average``; for a sentence without references, and for lists that are not equally
            long.
        InvalidType: for an output of another form.

    Source:
        K. Papineni, S. Roukos, T. Ward and W.-J. Zhu, "BLEU: a Method for Automatic Evaluation of
        Machine Translation", 2002; the smoothing: B. Chen and C. Cherry, "A Systematic Comparison
        of Smoothing Techniques for Sentence-Level BLEU", 2014; NLTK's ``corpus_bleu``.

    Example:
        >>> metric = Bleu(ngram=2)
        >>> references = [["the", "cat", "is", "on", "the", "mat"], ["there", "is", "a", "cat"]]
        >>> metric.update(([["the", "cat", "is", "there"]], [references]))
        >>> round(metric.compute(), 4)
        0.8165
    """

    single_valued = True
    total: Tensor
    counts: Tensor
    count: int

    def __init__(
        self,
        ngram: int = 4,
        smooth: str = "no_smooth",
        output_transform: Callable[[Any], Any] = as_it_is,
        device: str | torch.device = CPU,
        average: str = "macro",
    ) -> None:
        super().__init__(output_transform, device)
        self._orders = range(1, whole("ngram", ngram) + 1)
        self._smooth = member("smooth", smooth, _Smooth)
        self._average = member("average", average, _Average)
        self.add_state("count", 0, reduce="sum")
        if self._average is _Average.MACRO:
            self.add_state("total", torch.zeros((), dtype=torch.float64), reduce="sum")
        else:
            counts = torch.zeros((2, len(self._orders) + 1), dtype=torch.int64)
            self.add_state("counts", counts, reduce="sum")

    def accumulate(self, sentence: Sentence, references: Sequence[Sentence]) -> None:
        """Add the score of one sentence, or its counts."""
        counts = self._counts(sentence, references)
        if self._average is _Average.MACRO:
            self.add("total", self._score(counts))
        else:
            self.counts = self.counts + counts
        self.count += 1

    def _counts(self, sentence: Sentence, references: Sequence[Sentence]) -> Tensor:
        """Return what the score is made of, ``(2, N + 1)``.

        The first column has the length of the sentence and that of its nearest reference, the
        others the possible and the shared runs of each order.
        """
        length = len(sentence)
        nearest = min(map(len, references), key=lambda other: (abs(other - length), other))
        columns = [(length, nearest)]
        for n in self._orders:
            mine = ngrams(sentence, n)
            most: Any = Counter()
            for reference in references:
                most |= ngrams(reference, n)
            columns.append((mine.total(), (mine & most).total()))
        return torch.tensor(columns).T

    def _score(self, counts: Tensor) -> float:
        (length, *possible), (nearest, *shared) = counts.tolist()
        if shared[0] == 0:
            return 0.0
        precisions = map(self._smooth.precision, self._orders, shared, possible)
        logarithms = [math.log(p) if p else -math.inf for p in precisions]
        return math.exp(min(1 - nearest / length, 0) + sum(logarithms) / len(logarithms))

    def compute(self) -> float:
        """Return the score.

        Raises:
            NotComputableError: when no sentence was taken in.
        """
        states = self.reduced()
        refuse_nothing(self, states["count"])
        if self._average is _Average.MACRO:
            return float(states["total"] / states["count"])
        return self._score(states["counts"])
