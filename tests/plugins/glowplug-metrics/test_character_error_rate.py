"""The rate of wrong characters against jiwer."""

from __future__ import annotations

import math
from typing import Any

import jiwer
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from glowplug.errors import InvalidArgument, InvalidType
from glowplug_metrics import CharacterErrorRate, NotComputableError

FEW = settings(max_examples=40)
TEXTS = st.text(alphabet="abc é", max_size=12)
SPLIT = jiwer.Compose([jiwer.ReduceToListOfListOfChars()])


def of(metric: CharacterErrorRate, y_pred: Any, y: Any) -> float:
    metric.update((y_pred, y))
    return metric.compute()


@FEW
@given(pairs=st.lists(st.tuples(TEXTS, TEXTS), min_size=1, max_size=5))
def test_it_is_what_jiwer_gives(pairs: list[tuple[str, str]]) -> None:
    y_pred, y = zip(*pairs, strict=True)
    assume(any(y))
    counted = [jiwer.process_characters(target, text, SPLIT, SPLIT) for text, target in pairs]
    errors = sum(c.substitutions + c.deletions + c.insertions for c in counted)
    value = of(CharacterErrorRate(), y_pred, y)
    assert value == pytest.approx(errors / sum(map(len, y)))


def test_two_texts_are_a_batch_of_one() -> None:
    assert of(CharacterErrorRate(), "abd", "abc") == pytest.approx(1 / 3)


@pytest.mark.parametrize(("text", "value"), [("", 0.0), ("abc", math.inf)])
def test_targets_without_characters_have_a_documented_value(text: str, value: float) -> None:
    assert of(CharacterErrorRate(), [text], [""]) == value


@pytest.mark.parametrize(
    "output", ["abc", ("abc", ["abc"]), ([1], [2]), ("a", "b", "c"), (["a"], {"a": 1})]
)
def test_what_is_no_text_is_refused(output: Any) -> None:
    with pytest.raises(InvalidType, match="two texts or two lists of N texts"):
        CharacterErrorRate().update(output)


def test_as_many_texts_as_targets_are_needed() -> None:
    with pytest.raises(InvalidArgument, match="got 1 and 2"):
        CharacterErrorRate().update((["a"], ["a", "b"]))


def test_no_text_has_no_rate() -> None:
    with pytest.raises(NotComputableError, match="no example"):
        CharacterErrorRate().compute()
