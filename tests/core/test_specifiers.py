"""Whether a version satisfies a specifier, held against the packaging library.

Owns: the order of versions, the operators, and what cannot be told.
Must not know: what is installed.
"""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.version import Version

from glowplug.doctor.specifiers import parse_version, satisfies


def maybe(parts: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    """Return a strategy for a part, or for none."""
    return st.just("") | parts


NUMBERS = st.integers(0, 3).map(str)
PHASES = st.sampled_from(["a", "b", "rc", "-alpha", ".beta", "c", "_preview", "RC"])
VERSIONS = st.tuples(
    maybe(st.sampled_from(["0!", "1!", "v"])),
    st.lists(NUMBERS, min_size=1, max_size=4).map(".".join),
    maybe(st.tuples(PHASES, maybe(NUMBERS)).map("".join)),
    maybe(st.tuples(st.sampled_from([".post", "-", "post", "-r"]), NUMBERS).map("".join)),
    maybe(maybe(NUMBERS).map(".dev{}".format)),
    maybe(st.sampled_from(["+1", "+abc", "+1.x", "+x_2", "+10"])),
).map("".join)
OPERATORS = st.sampled_from(["==", "!=", "<=", ">=", "<", ">", "~="])
CLAUSES = st.tuples(OPERATORS, VERSIONS, maybe(st.just(".*"))).map("".join)
SPECIFIERS = st.lists(CLAUSES, max_size=3).map(", ".join)


@settings(max_examples=1000)
@given(VERSIONS, SPECIFIERS)
def test_a_version_satisfies_what_packaging_says_it_does(version: str, specifier: str) -> None:
    try:
        expected = SpecifierSet(specifier).contains(Version(version), prereleases=True)
    except InvalidSpecifier:
        expected = None
    assert satisfies(version, specifier) is expected


@given(VERSIONS, VERSIONS)
def test_versions_have_the_order_that_packaging_gives_them(one: str, other: str) -> None:
    mine, theirs = parse_version(one), parse_version(other)
    assert mine is not None
    assert theirs is not None
    assert (mine < theirs, mine == theirs) == (
        Version(one) < Version(other),
        Version(one) == Version(other),
    )


@pytest.mark.parametrize("version", ["", "new", "1.x", "1.0-", "1..0", "٣.1"])
def test_what_is_no_version_is_not_read_as_one(version: str) -> None:
    assert parse_version(version) is None
    assert satisfies(version, ">=1") is None


@pytest.mark.parametrize(
    "specifier", ["1.0", "=1", ">=new", "~=1", "===1.0", ">=1.*", "==1.0a1.*", ">=1 <2", ">1+local"]
)
def test_a_form_that_has_no_meaning_cannot_be_told(specifier: str) -> None:
    assert satisfies("1.0", specifier) is None


def test_any_version_at_all_satisfies_no_specifier() -> None:
    assert satisfies("not even a version", "") is True
