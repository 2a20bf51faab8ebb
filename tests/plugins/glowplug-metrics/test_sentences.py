"""What metrics of sentences take in, and what their counts are made of."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from glowplug.errors import InvalidArgument, InvalidType
from glowplug_metrics import Bleu, NotComputableError, RougeL
from glowplug_metrics.nlp.overlap import common_subsequence, edits

CAT, MAT = ["the", "cat", "is", "not", "there"], ["the", "cat", "is", "on", "the", "mat"]
WRONG = [
    "a cat",
    (["a", "cat"], [[["a", "cat"]]]),
    ([["a", "cat"]], [["a", "cat"]]),
    ([["a", "cat"]], "a cat"),
    ([["a", "cat"]],),
]


@pytest.mark.parametrize("make", [Bleu, RougeL])
@pytest.mark.parametrize("output", WRONG)
def test_texts_that_are_not_split_are_refused(make: Any, output: Any) -> None:
    with pytest.raises(InvalidType, match=r"expected .* a list of tokens"):
        make().update(output)


@pytest.mark.parametrize("make", [Bleu, RougeL])
def test_a_sentence_without_references_is_refused_and_nothing_is_taken_in(make: Any) -> None:
    metric = make()
    with pytest.raises(InvalidArgument, match=r"at least one reference .* number 1 of the batch"):
        metric.update(([CAT, CAT], [[MAT], []]))
    with pytest.raises(NotComputableError, match="no example"):
        metric.compute()


@pytest.mark.parametrize("make", [Bleu, RougeL])
def test_as_many_lists_of_references_as_sentences_are_needed(make: Any) -> None:
    with pytest.raises(InvalidArgument, match="got 1 sentences and 2 lists of references"):
        make().update(([CAT], [[MAT], [MAT]]))


@pytest.mark.parametrize("make", [Bleu, RougeL])
def test_another_device_does_not_matter_to_texts(make: Any) -> None:
    values = []
    for metric in (make(), make(device="meta")):
        metric.update(([CAT], [[MAT]]))
        values.append(metric.compute())
    assert values[0] == values[1]


def table_of_edits(one: str, other: str) -> int:
    row = list(range(len(other) + 1))
    for i, mine in enumerate(one, 1):
        last, row[0] = row[:], i
        for j, its in enumerate(other, 1):
            row[j] = min(last[j] + 1, row[j - 1] + 1, last[j - 1] + (mine != its))
    return row[-1]


def table_of_subsequences(one: str, other: str) -> int:
    row = [0] * (len(other) + 1)
    for mine in one:
        last = row[:]
        for j, its in enumerate(other, 1):
            row[j] = last[j - 1] + 1 if mine == its else max(last[j], row[j - 1])
    return row[-1]


@given(one=st.text("abc", max_size=90), other=st.text("abcd", max_size=90))
def test_bits_of_numbers_give_what_the_whole_table_gives(one: str, other: str) -> None:
    assert edits(one, other) == table_of_edits(one, other)
    assert common_subsequence(one, other) == table_of_subsequences(one, other)
