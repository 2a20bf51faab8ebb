"""Which requirements of a distribution are not met.

Owns: how a requirement is read, and what is said of one that is missing, too old or unreadable.
Must not know: plugins.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.requirements import Requirement as Packagings

from glowplug.doctor.requirements import Requirement, Unmet, extras, parse_requirement, unmet
from glowplug.manifest import library

Lay = Callable[..., Any]

NAMES = st.sampled_from(["acme", "Acme_ML", "a.b-c", "x1"])
SPECIFIERS = st.sampled_from(["", ">=1", " >= 1.5 , < 2", "(>=1.0)", "~=1.4.2", "==1.*"])
EXTRAS = st.sampled_from(["", "[fast]", "[Fast_One, two]"])
CONDITIONS = st.sampled_from(["", "; python_version < '3.12'", ' ; extra == "fast"'])


@pytest.fixture
def lay(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Lay:
    """A function that lays down a distribution's metadata, for the distribution."""
    monkeypatch.syspath_prepend(str(tmp_path))

    def make(name: str, *lines: str, version: str = "1.0") -> Any:
        folder = tmp_path / f"{name}-{version}.dist-info"
        folder.mkdir()
        head = ("Metadata-Version: 2.1", f"Name: {name}", f"Version: {version}")
        (folder / "METADATA").write_text("\n".join([*head, *lines, ""]), "utf-8")
        return library().Distribution.at(folder)

    return make


@given(NAMES, EXTRAS, SPECIFIERS, CONDITIONS)
def test_a_requirement_is_read_as_packaging_reads_it(
    name: str, extra: str, specifier: str, condition: str
) -> None:
    line = f"{name}{extra} {specifier}{condition}"
    theirs, mine = Packagings(line), parse_requirement(line)
    assert mine is not None
    again = Packagings(f"{mine.title}{f'; {mine.marker}' if mine.marker else ''}")
    assert (again.specifier, str(again.marker)) == (theirs.specifier, str(theirs.marker))
    assert len(again.extras) == len(theirs.extras)


def test_a_requirement_that_names_an_address_is_one_of_any_version() -> None:
    read = parse_requirement("acme @ https://example.org/acme.zip ; os_name == 'nt'")
    assert read == Requirement("acme", marker="os_name == 'nt'")


@pytest.mark.parametrize("line", ["", ">=1", "acme >=1 @ here or there", "acme[fast", "-acme"])
def test_what_is_no_requirement_is_not_read_as_one(line: str) -> None:
    assert parse_requirement(line) is None


def test_requirements_that_are_met_are_not_mentioned(lay: Lay) -> None:
    lines = ("Requires-Dist: pluggy>=1", "Requires-Dist: nobody-has-this; os_name == 'amiga'")
    assert unmet(lay("acme", *lines)) == ()


def test_what_is_missing_and_what_is_too_old_is_said(lay: Lay) -> None:
    lay("dep", version="1.4")
    found = unmet(lay("acme", "Requires-Dist: dep (<2,>=1.5)", "Requires-Dist: nobody-has-this"))
    assert found == (
        Unmet("dep<2,>=1.5", "dep 1.4 is installed"),
        Unmet("nobody-has-this", "nobody-has-this is not installed"),
    )


def test_an_extra_that_is_required_of_another_is_looked_into(lay: Lay) -> None:
    inner = "Requires-Dist: nobody-has-this>=3; extra == 'fast'"
    lay("dep", "Provides-Extra: fast", inner, "Requires-Dist: acme[all]; extra == 'fast'")
    acme = lay("acme", "Requires-Dist: dep[fast]", "Requires-Dist: dep[fast]; extra == 'all'")
    assert [each.title for each in unmet(acme)] == ["nobody-has-this>=3"]


def test_an_extra_alone_requires_what_it_adds(lay: Lay) -> None:
    lines = ("Provides-Extra: video", "Requires-Dist: codec>=3; extra == 'video'")
    acme = lay("acme", "Requires-Dist: nobody-has-this", *lines)
    assert extras(acme) == ("video",)
    assert [each.title for each in unmet(acme)] == ["nobody-has-this"]
    assert [each.title for each in unmet(acme, "video")] == ["codec>=3"]


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("dep===1.4", "dep 1.4 cannot be held against it"),
        ("dep; moon == 'full'", "its condition \"moon == 'full'\" is not one that is known"),
        ("dep or so", "it is not written as PEP 508 says"),
    ],
)
def test_what_cannot_be_told_is_said_and_not_guessed(lay: Lay, line: str, why: str) -> None:
    lay("dep", version="1.4")
    (found,) = unmet(lay("acme", f"Requires-Dist: {line}"))
    assert (found.why, found.known) == (why, False)


def test_a_distribution_without_a_readable_version_cannot_be_told(lay: Lay, tmp_path: Path) -> None:
    lay("dep")
    (tmp_path / "dep-1.0.dist-info" / "METADATA").write_bytes(b"Name: dep\nVersion: \xff\xfe")
    (found,) = unmet(lay("acme", "Requires-Dist: dep>=1"))
    assert (found.title, found.known) == ("dep>=1", False)
