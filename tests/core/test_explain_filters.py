"""The counts that chains of filters let through, without looking at each."""

from __future__ import annotations

from collections.abc import Sequence

from hypothesis import given, settings
from hypothesis import strategies as st

from glowplug.filters import Schedule

numbers = st.integers(1, 12)
schedules = st.one_of(
    st.builds(
        Schedule,
        every=st.none() | numbers,
        before=st.none() | st.integers(1, 60),
        after=st.none() | st.integers(1, 40),
    ),
    st.builds(
        Schedule, once=st.sets(numbers, min_size=1).map(lambda counts: tuple(sorted(counts)))
    ),
)


@settings(max_examples=500)
@given(st.lists(schedules, max_size=4), st.integers(0, 30), st.integers(0, 60))
def test_what_filters_let_through_is_what_each_of_them_does(
    chain: list[Schedule], first: int, number: int
) -> None:
    counts: Sequence[int] = range(first, first + number)
    expected = [count for count in counts if all(made.fires(count) for made in chain)]
    for made in chain:
        counts = made.among(counts)
    assert list(counts) == expected


def test_filters_that_never_meet_are_found_out_at_once() -> None:
    odd = Schedule(every=2, after=2).among(range(2**30 - 1))
    assert not Schedule(every=4).among(odd)


def test_a_filter_that_begins_late_is_not_searched_from_the_start() -> None:
    late = Schedule(after=10**8).among(range(0, 2**30 - 1, 7))
    assert late[0] == 100_000_005
