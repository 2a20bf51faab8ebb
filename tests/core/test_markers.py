"""Whether a condition of a requirement holds, held against the packaging library.

Owns: the variables, the operators, how conditions combine, and what cannot be told.
Must not know: requirements.
"""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.markers import Marker, UndefinedComparison, UndefinedEnvironmentName
from packaging.markers import default_environment as packagings

from glowplug.doctor.markers import environment, holds

VARIABLES = st.sampled_from(
    ["python_version", "python_full_version", "sys_platform", "os_name", "platform_system", "extra"]
)
TEXTS = st.sampled_from(
    ["3.10", "3.11", "3.9.1", "4", "3.1.*", "linux", "posix", "Linux", "cuda", "Fast_One"]
).map("'{}'".format)
OPERATORS = st.sampled_from(["==", "!=", "<", ">=", "<=", ">", "~=", "in", "not in"])
ATOMS = st.tuples(VARIABLES, OPERATORS, TEXTS) | st.tuples(TEXTS, OPERATORS, VARIABLES)


def combined(parts: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    """Return a strategy for conditions that are made of others."""
    joined = st.tuples(parts, st.sampled_from(["and", "or"]), parts).map(" ".join)
    return joined | parts.map("({})".format)


MARKERS = st.recursive(ATOMS.map(" ".join), combined, max_leaves=5)


@given(MARKERS, st.sampled_from(["", "cuda", "fast-one"]))
def test_a_condition_is_never_answered_otherwise_than_packaging_does(
    marker: str, extra: str
) -> None:
    try:
        expected = Marker(marker).evaluate({"extra": extra})
    except (UndefinedComparison, UndefinedEnvironmentName):
        return
    assert holds(marker, extra) in (None, expected)


def test_the_variables_are_those_of_this_python() -> None:
    theirs = {name: value for name, value in packagings().items() if name != "extra"}
    assert environment() == theirs


@pytest.mark.parametrize(
    ("marker", "expected"),
    [
        ("", True),
        ("python_version >= '3.10'", True),
        ("python_version < '3.10'", False),
        ("python_version < '3.10' or python_version >= '3.10'", True),
        ("os_name == 'amiga' and python_version >= '3'", False),
        ("(os_name == 'amiga' or os_name != 'amiga') and python_version > '3'", True),
        ("'x' in 'xyz' or python_version >= '3'", True),
        ("os.name != 'amiga' and python_implementation != 'Amiga'", True),
    ],
)
def test_the_common_conditions_are_answered(marker: str, expected: bool) -> None:
    assert holds(marker) is expected


def test_an_extra_is_asked_for_in_any_spelling() -> None:
    assert holds("extra == 'Fast_One'", "fast.one") is True
    assert holds("extra == 'Fast_One'") is False


@pytest.mark.parametrize(
    "marker",
    [
        "moon == 'full'",
        "os_name",
        "os_name ==",
        "os_name = 'nt'",
        "os_name < 'nt'",
        "python_version >= 'new'",
        "'a' == 'b'",
        "(os_name == 'nt'",
        "os_name == 'nt')",
        "os_name == 'nt' xor os_name == 'nt'",
    ],
)
def test_what_has_no_meaning_cannot_be_told(marker: str) -> None:
    assert holds(marker) is None


def test_what_cannot_be_told_decides_nothing_by_itself() -> None:
    assert holds("moon == 'full' or python_version >= '3'") is True
    assert holds("moon == 'full' and python_version < '3'") is False
    assert holds("moon == 'full' and python_version >= '3'") is None
    assert holds("moon == 'full' or python_version < '3'") is None
