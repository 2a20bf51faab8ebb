"""ROUGE against rouge-score."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rouge_score.rouge_scorer import RougeScorer
from rouge_score.tokenizers import Tokenizer

from glowplug.errors import InvalidArgument
from glowplug_metrics import Rouge, RougeL, RougeN

FEW = settings(max_examples=40)
SENTENCES = st.lists(st.sampled_from("abcd"), max_size=9)
LONG = st.lists(st.sampled_from("abc"), min_size=4, max_size=9)
REFERENCES = st.lists(st.lists(st.sampled_from("abcd"), min_size=1, max_size=9), min_size=1)
CORPUS = st.lists(st.tuples(LONG, REFERENCES), min_size=1, max_size=4)
CAT, MAT = ["the", "cat", "is", "not", "there"], ["the", "cat", "is", "on", "the", "mat"]


def of(metric: Rouge, y_pred: Any, y: Any) -> dict[str, float]:
    metric.update((y_pred, y))
    return metric.compute()


class Split(Tokenizer):  # type: ignore[misc]  # rouge-score has no types
    """Tokens are what stands between spaces."""

    def tokenize(self, text: str) -> list[str]:
        return text.split()


def scored(variant: str, sentence: Sequence[str], reference: Sequence[str]) -> Any:
    """Precision, recall and F as rouge-score gives them."""
    score = RougeScorer([variant], tokenizer=Split()).score(" ".join(reference), " ".join(sentence))
    return score[variant]


@pytest.mark.parametrize("variant", [1, 2, 4, "L"])
@FEW
@given(sentence=SENTENCES, reference=SENTENCES)
def test_one_reference_gives_what_rouge_score_gives(
    variant: Any, sentence: Any, reference: Any
) -> None:
    value = of(Rouge([variant], alpha=0.5), [sentence], [[reference]])
    assert list(value) == [f"Rouge-{variant}-{score}" for score in "PRF"]
    assert list(value.values()) == pytest.approx(
        list(scored(f"rouge{variant}", sentence, reference))
    )


@FEW
@given(sentence=SENTENCES, reference=SENTENCES)
def test_common_subsequences_are_those_of_rouge_score(sentence: Any, reference: Any) -> None:
    value = of(RougeL(alpha=0.5), [sentence], [[reference]])
    assert list(value.values()) == pytest.approx(list(scored("rougeL", sentence, reference)))


@FEW
@given(corpus=CORPUS)
def test_the_best_reference_is_that_with_the_highest_recall(corpus: Any) -> None:
    y_pred, y = zip(*corpus, strict=True)
    value = of(RougeN(1, multiref="best"), y_pred, y)
    best = [max(scored("rouge1", s, r)[1] for r in references) for s, references in corpus]
    mean = pytest.approx(sum(best) / len(best))
    assert value["Rouge-1-R"] == mean == value["Rouge-1-F"]


def test_the_average_of_references_is_that_of_all_their_tokens() -> None:
    other = ["there", "is", "a", "cat", "on", "the", "mat"]
    value = of(Rouge([1, "L"], alpha=1), [CAT], [[MAT, other]])
    assert value["Rouge-1-P"] == value["Rouge-1-F"] == (3 + 4) / (5 + 5)
    assert value["Rouge-1-R"] == (3 + 4) / (6 + 7)
    assert value["Rouge-L-R"] == (3 + 1) / (6 + 7)


def test_the_variants_are_four_unless_named() -> None:
    names = [name for name in of(Rouge(), [CAT], [[MAT]]) if name.endswith("P")]
    assert names == ["Rouge-1-P", "Rouge-2-P", "Rouge-4-P", "Rouge-L-P"]


def test_rouge_n_and_rouge_l_are_one_variant_each() -> None:
    both = of(Rouge([2, "L"]), [CAT], [[MAT]])
    assert {**of(RougeN(2), [CAT], [[MAT]]), **of(RougeL(), [CAT], [[MAT]])} == both


def test_the_scores_are_named_in_the_metrics_of_the_engine(final: Any) -> None:
    metrics = final(RougeL(), [([CAT], [[MAT]])])
    assert metrics["m"] == {name: metrics[name] for name in ("Rouge-L-P", "Rouge-L-R", "Rouge-L-F")}


@pytest.mark.parametrize("variant", ["K", 0, True, 1.5, "1"])
def test_another_variant_is_refused(variant: Any) -> None:
    with pytest.raises(InvalidArgument, match=f"variants must hold 'L' .*, got {variant!r}"):
        Rouge([variant])


@pytest.mark.parametrize(
    ("name", "value"), [("multiref", "worst"), ("alpha", 2), ("alpha", math.nan)]
)
def test_other_arguments_are_refused(name: str, value: Any) -> None:
    with pytest.raises(InvalidArgument, match=f"{name} must be"):
        RougeL(**{name: value})
