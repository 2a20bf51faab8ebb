"""Metrics of texts, which the laws give as numbers of tokens."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import torch
from torch import Tensor

from glowplug_metrics import (
    Bleu,
    CharacterErrorRate,
    Metric,
    Perplexity,
    Rouge,
    RougeL,
    RougeN,
)
from metric_cases.case import Case, Examples

LENGTH = 9


def sentences(generator: torch.Generator, n: int) -> Examples:
    """A sentence of nine tokens and two references for each example; there are four tokens."""
    return (
        torch.randint(4, (n, LENGTH), generator=generator),
        torch.randint(4, (n, 2, LENGTH), generator=generator),
    )


def tokens(generator: torch.Generator, n: int) -> Examples:
    """Scores of five tokens at three places of each example, and tokens, some of them padding."""
    y = torch.randint(-1, 5, (n, 3), generator=generator)
    y[:, 0].clamp_(min=0)
    return torch.randn(n, 5, 3, generator=generator, dtype=torch.float64), y


def as_lists(output: tuple[Tensor, Tensor]) -> Any:
    """Each a list, the sentences of different lengths."""
    y_pred, y = (part.tolist() for part in output)
    return [sentence[sentence[0] :] for sentence in y_pred], y


def as_texts(output: tuple[Tensor, Tensor]) -> Any:
    y_pred, y = as_lists(output)
    joined = "abcd"
    return tuple(
        ["".join(joined[token] for token in text) for text in texts]
        for texts in (y_pred, [first for first, _ in y])
    )


def of_sentences(metric: Callable[..., Metric], transform: Any = as_lists, **kwargs: Any) -> Case:
    """A metric of whole numbers, for which there is no NaN."""
    return Case(partial(metric, output_transform=transform, **kwargs), sentences, nan=False)


CASES = {
    "bleu": of_sentences(Bleu, ngram=2),
    "bleu, micro": of_sentences(Bleu, average="micro"),
    "bleu, smooth": of_sentences(Bleu, smooth="smooth2"),
    "rouge": of_sentences(Rouge, multiref="best"),
    "rouge-l": of_sentences(RougeL, alpha=0.5),
    "rouge-n": of_sentences(RougeN, ngram=2),
    "character error rate": of_sentences(CharacterErrorRate, as_texts),
    # probabilities are worked out in the precision of the scores
    "perplexity": Case(lambda: Perplexity(ignore_index=-1), tokens, exact=False),
}
