from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch

from glowplug.errors import InvalidArgument
from glowplug_metrics import Metric, ResultMode
from glowplug_metrics.results import as_numbers

Final = Callable[..., dict[str, Any]]


class Constant(Metric):
    def __init__(self, result: Any, **kwargs: Any) -> None:
        self.result = result
        super().__init__(**kwargs)

    def update(self, output: Any) -> None: ...

    def compute(self) -> Any:
        return self.result


ENTRIES = {"a": 1.0, "b": 2}


@pytest.mark.parametrize(
    ("mode", "expected"),
    [
        ("flatten", ENTRIES),
        ("named", {"m": ENTRIES}),
        ("both", {**ENTRIES, "m": ENTRIES}),
        (ResultMode.NAMED, {"m": ENTRIES}),
    ],
)
def test_the_entries_of_a_mapping_go_where_the_mode_says(
    final: Final, mode: Any, expected: dict[str, Any]
) -> None:
    assert final(Constant(ENTRIES, metrics_result_mode=mode), [0]) == expected


def test_both_is_the_default(final: Final) -> None:
    assert final(Constant(ENTRIES), [0]) == {**ENTRIES, "m": ENTRIES}


@pytest.mark.parametrize("mode", ["named", "both"])
def test_a_key_of_the_metrics_own_name_is_an_error(final: Final, mode: str) -> None:
    with pytest.raises(InvalidArgument, match=r"attached as 'm'.* has a key 'm' too"):
        final(Constant({"m": 1}, metrics_result_mode=mode), [0])


def test_a_flattened_key_may_have_the_metrics_name(final: Final) -> None:
    assert final(Constant({"m": 1}, metrics_result_mode="flatten"), [0]) == {"m": 1}


def test_an_unknown_mode_is_an_error_that_suggests_the_near_one() -> None:
    with pytest.raises(InvalidArgument, match="got 'flat'; did you mean 'flatten'"):
        Constant(1, metrics_result_mode="flat")


@pytest.mark.parametrize(("result", "number"), [(0.5, float), (3, int), (True, bool)])
def test_a_tensor_without_dimensions_becomes_a_number(
    final: Final, result: Any, number: type
) -> None:
    for value in (final(Constant(torch.tensor(result)), [0])["m"], result):
        assert value == result
        assert type(value) is number


def test_tensors_in_mappings_become_numbers_too() -> None:
    assert as_numbers({"a": {"b": torch.tensor(2)}}) == {"a": {"b": 2}}


@pytest.mark.parametrize("result", ["text", None, (1, 2), torch.ones(2)])
def test_other_values_stay_what_they_are(final: Final, result: Any) -> None:
    assert final(Constant(result), [0])["m"] is result
