"""BLEU against NLTK."""

from __future__ import annotations

import math
import warnings
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nltk.translate.bleu_score import SmoothingFunction, corpus_bleu, sentence_bleu

from glowplug.errors import InvalidArgument
from glowplug_metrics import Bleu, NotComputableError

FEW = settings(max_examples=40)
SENTENCES = st.lists(st.sampled_from("abcd"), max_size=9)
LONG = st.lists(st.sampled_from("abc"), min_size=4, max_size=9)
REFERENCES = st.lists(st.lists(st.sampled_from("abcd"), min_size=1, max_size=9), min_size=1)
CORPUS = st.lists(st.tuples(LONG, REFERENCES), min_size=1, max_size=4)
CAT, MAT = ["the", "cat", "is", "not", "there"], ["the", "cat", "is", "on", "the", "mat"]
NLTK = (("no_smooth", "method0"), ("smooth1", "method1"), ("nltk_smooth2", "method2"))


def of(metric: Bleu, y_pred: Any, y: Any) -> float:
    metric.update((y_pred, y))
    return metric.compute()


@pytest.mark.parametrize(("smooth", "method"), NLTK)
@pytest.mark.parametrize("ngram", [1, 2, 4])
@FEW
@given(sentence=SENTENCES, references=REFERENCES)
def test_a_sentence_has_the_score_that_nltk_gives(
    smooth: str, method: str, ngram: int, sentence: Any, references: Any
) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # NLTK's, of runs that are not there
        expected = sentence_bleu(
            references,
            sentence,
            [1 / ngram] * ngram,
            getattr(SmoothingFunction(epsilon=0.1), method),
        )
    value = of(Bleu(ngram, smooth), [sentence], [references])
    assert value == pytest.approx(expected, rel=1e-9, abs=1e-70)


@pytest.mark.parametrize(("smooth", "method"), NLTK)
@FEW
@given(corpus=CORPUS)
def test_micro_is_the_corpus_score_that_nltk_gives(smooth: str, method: str, corpus: Any) -> None:
    y_pred, y = zip(*corpus, strict=True)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        smoothing = getattr(SmoothingFunction(epsilon=0.1), method)
        expected = corpus_bleu(y, y_pred, smoothing_function=smoothing)
    value = of(Bleu(smooth=smooth, average="micro"), y_pred, y)
    assert value == pytest.approx(expected, rel=1e-9, abs=1e-70)


@FEW
@given(corpus=CORPUS)
def test_macro_is_the_mean_of_the_scores_of_the_sentences(corpus: Any) -> None:
    y_pred, y = zip(*corpus, strict=True)
    scores = [of(Bleu(2), [sentence], [references]) for sentence, references in corpus]
    assert of(Bleu(2), y_pred, y) == pytest.approx(sum(scores) / len(scores))


def test_smooth2_takes_runs_that_a_sentence_has_no_room_for_as_found() -> None:
    two = [CAT[:2]]
    assert of(Bleu(3, "smooth2"), two, [two]) == 1.0
    assert of(Bleu(3, "nltk_smooth2"), two, [two]) == pytest.approx(0.5 ** (1 / 3))


def test_micro_does_not_count_runs_that_there_are_not() -> None:
    # NLTK counts one for each sentence that is too short for a run.
    y_pred, y = [CAT, []], [[CAT], [CAT]]
    length = math.exp(1 - 10 / 5)
    assert of(Bleu(1, average="micro"), y_pred, y) == pytest.approx(length)


@pytest.mark.parametrize("average", ["macro", "micro"])
@pytest.mark.parametrize("sentence", [[], ["dog"]])
def test_a_sentence_that_shares_no_token_has_the_score_0(sentence: Any, average: str) -> None:
    assert of(Bleu(smooth="smooth2", average=average), [sentence], [[MAT]]) == 0.0


@pytest.mark.parametrize("average", ["macro", "micro"])
def test_no_sentence_has_no_score(average: str) -> None:
    with pytest.raises(NotComputableError, match="Bleu has taken in no example"):
        Bleu(average=average).compute()


@pytest.mark.parametrize(
    ("name", "value", "known"),
    [("smooth", "smooth3", "smooth2"), ("average", "mean", "macro"), ("ngram", 0, "positive")],
)
def test_other_arguments_are_refused(name: str, value: Any, known: str) -> None:
    with pytest.raises(InvalidArgument, match=f"{name} must be .*{known}.*, got {value!r}"):
        Bleu(**{name: value})
