"""What counts as the same outcome."""

from __future__ import annotations

import math
from array import array
from enum import Enum
from typing import Any

import pytest

from glowplug.testing.comparison import differences, frozen


class Grid:
    """An array, as far as the kit knows one: a shape, a type of elements, and a list."""

    def __init__(self, *elements: float, dtype: str = "float32") -> None:
        self.elements, self.shape, self.dtype = elements, (len(elements),), dtype

    def tolist(self) -> list[float]:
        return list(self.elements)

    def __eq__(self, other: object) -> Any:
        raise TypeError("the truth value of an array is ambiguous")

    __hash__ = None  # type: ignore[assignment]  # arrays cannot be hashed


class Plain:
    """An object whose class has no equality of its own."""

    def __init__(self, **attributes: Any) -> None:
        self.__dict__.update(attributes)


class Colour(Enum):
    RED = 1
    BLUE = 2


def looped(value: int) -> Plain:
    """An object that holds itself."""
    made = Plain(value=value)
    vars(made)["me"] = made
    return made


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (math.nan, math.nan),
        ({"a": [1, (2.0, "x")]}, {"a": [1, (2.0, "x")]}),
        (Grid(1.0, math.nan), Grid(1.0, math.nan)),
        (Plain(x=1, y=Plain(z=[])), Plain(x=1, y=Plain(z=[]))),
        (looped(1), looped(1)),
        (Colour.RED, Colour.RED),
        (int, int),
        (array("d", [1.0]), array("d", [1.0])),
    ],
)
def test_equal_values_do_not_differ(one: object, other: object) -> None:
    assert differences(one, other) == []


@pytest.mark.parametrize(
    ("one", "other", "said"),
    [
        (1, 1.0, "1 of type int, not 1.0 of type float"),
        (True, 1, "True of type bool, not 1 of type int"),
        ({"a": 1}, {"a": 1, "b": 2}, "['b']: missing"),
        ({"a": 1, "b": 2}, {"a": 1}, "['b']: should not be there"),
        ([1, 2], [1, 3], "[1]: 2, not 3"),
        (Grid(1.0), Grid(1.0, dtype="float64"), ".dtype: 'float32', not 'float64'"),
        (Grid(1.0, 2.0), Grid(1.0, 3.0), "[1]: 2.0, not 3.0"),
        (Plain(x=Plain(y=1)), Plain(x=Plain(y=2)), ".x.y: 1, not 2"),
        (looped(1), looped(2), ".value: 1, not 2"),
        (Colour.RED, Colour.BLUE, "<Colour.RED: 1>, not <Colour.BLUE: 2>"),
        (len, max, "<built-in function len>, not <built-in function max>"),
    ],
)
def test_what_differs_is_named_with_the_way_to_it(one: object, other: object, said: str) -> None:
    assert differences(one, other) == [said]


def test_the_length_of_a_list_is_told_beside_what_is_missing() -> None:
    assert differences([1], [1, 2]) == [".length: 1, not 2", "[1]: missing"]


def test_at_most_ten_differences_are_told() -> None:
    assert len(differences(list(range(50)), list(range(1, 51)))) == 10


def test_what_cannot_be_copied_is_kept_itself() -> None:
    kept = [(number for number in [1, 2])]
    assert frozen(kept) is kept
