"""Which names a new package may have.

Owns: what follows from a name, what is refused and why, and what is only warned of.
Must not know: what the package holds.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from glowplug.errors import InvalidArgument
from glowplug.scaffold import naming
from glowplug.scaffold.naming import Names


@pytest.mark.parametrize("spelling", ["acme-nan-stop", "Acme_NaN.Stop", "acme--nan__stop"])
def test_a_name_in_any_spelling_of_pep_503_gives_the_same_package(spelling: str) -> None:
    assert naming.checked(spelling) == Names("acme-nan-stop", "acme_nan_stop", "AcmeNanStop")


@pytest.mark.parametrize(
    "name",
    [
        "",
        "-acme",
        "acme-",
        "acme nan",
        "acme/nan",
        "../acme",
        "acme\n",
        "açme",
        "\u017ftop",
        ".",
        "a:b",
    ],
)
def test_what_is_no_name_of_a_distribution_is_refused(name: str) -> None:
    with pytest.raises(InvalidArgument, match="expected a distribution's name of ASCII letters"):
        naming.checked(name)


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("3d-stop", "3d_stop cannot be imported, as it starts with a digit"),
        ("class", "class cannot be imported, as it is a keyword of Python"),
        ("Async", "async cannot be imported, as it is a keyword of Python"),
        ("json", "json is a module of Python's own"),
        ("glowplug", "glowplug is imported by every plugin's tests"),
        ("conftest", "conftest is imported by every plugin's tests"),
        ("type-error", "its class would be called TypeError, which is Python's own"),
        ("none", "its class would be called None, which is Python's own"),
        ("glowplug-mine", "names that start with 'glowplug-' are those of glowplug's own"),
        ("Tensorboard", "tensorboard is what plugin glowplug-tensorboard is called for short"),
        ("accuracy", "metric 'accuracy' of glowplug-metrics has this name, which stays glowplug's"),
    ],
)
def test_a_name_that_would_not_work_is_refused_with_the_reason(name: str, why: str) -> None:
    with pytest.raises(InvalidArgument, match=why):
        naming.checked(name)


@pytest.mark.parametrize("name", ["glowplug-mine", "loss", "json"])
def test_a_refusal_suggests_a_name_that_would_do(name: str) -> None:
    with pytest.raises(InvalidArgument, match="such as 'acme-") as refused:
        naming.checked(name)
    suggested = str(refused.value).rpartition("such as '")[2].rstrip("'")
    assert naming.checked(suggested).name == suggested


@given(st.text("abcXYZ019-_.", min_size=1, max_size=12))
def test_whatever_is_accepted_can_be_imported_and_named_by_a_class(name: str) -> None:
    try:
        names = naming.checked(name)
    except InvalidArgument:
        return
    assert names.package.isidentifier()
    assert names.class_name.isidentifier()
    assert naming.checked(names.name) == names


@pytest.fixture
def beside(installed: Callable[..., object], fresh_process: None) -> Callable[..., tuple[str, ...]]:
    """A function that says what a name would get in the way of, beside some distributions."""

    def cautions(name: str, *distributions: str) -> tuple[str, ...]:
        installed(*distributions)
        return naming.cautions(naming.checked(name))

    return cautions


def test_the_name_of_an_installed_plugin_is_warned_of(beside: Callable[..., list[str]]) -> None:
    (caution,) = beside("nan-stop", "nan-stop")
    assert caution.startswith("plugin nan-stop 0.1.0 is installed here (")
    assert caution.endswith("installing the new package replaces it")


def test_the_name_of_another_plugins_component_is_warned_of(
    beside: Callable[..., list[str]],
) -> None:
    (caution,) = beside("acme-events", "acme-kinds")
    assert caution.startswith("plugin acme-kinds 0.1.0 offers events 'acme-events', too")


def test_the_name_of_a_module_that_is_no_plugin_is_warned_of_without_importing_it(
    beside: Callable[..., list[str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "acme_loose.py").write_text("", encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    (caution,) = beside("acme-loose")
    assert caution.startswith("a module acme_loose can be imported here already (")
    assert "acme_loose" not in sys.modules


def test_a_name_that_nobody_has_is_not_warned_of(beside: Callable[..., list[str]]) -> None:
    assert list(beside("acme-new", "nan-stop", "acme-kinds")) == []
