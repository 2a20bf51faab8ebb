"""Versions and the specifiers that they are held against, as PEP 440 orders them.

Owns: whether a version satisfies a specifier such as ``>=1.5,<2``, or that it cannot be told.
Must not know: what is installed, or who requires it.

The standard library has no such comparison, and the core has no dependency that brings one. A form
that is not in PEP 440 is answered with None, never with a guess; so is ``===``, which is for
versions that are none.
"""

from __future__ import annotations

import re
from typing import NamedTuple, TypeAlias

_VERSION = re.compile(
    r"""
    \s*v?
    (?:(?P<epoch>\d+)!)?
    (?P<release>\d+(?:\.\d+)*)
    (?:[-_.]?(?P<phase>alpha|a|beta|b|preview|pre|c|rc)[-_.]?(?P<pre>\d*))?
    (?:-(?P<implicit>\d+)|[-_.]?(?P<post_word>post|rev|r)[-_.]?(?P<post>\d*))?
    (?:[-_.]?(?P<dev_word>dev)[-_.]?(?P<dev>\d*))?
    (?:\+(?P<local>[a-z0-9]+(?:[-_.][a-z0-9]+)*))?
    \s*
    """,
    re.VERBOSE | re.IGNORECASE | re.ASCII,
)
_CLAUSE = re.compile(r"\s*(?P<operator>~=|==|!=|<=|>=|<|>)\s*(?P<version>[^\s,]+)\s*")
_PHASES = {"a": 0, "alpha": 0, "b": 1, "beta": 1, "c": 2, "rc": 2, "pre": 2, "preview": 2}
_BEFORE_ALL_PHASES, _FINAL = -1, 3
_NO_POST = -1

Local: TypeAlias = "tuple[tuple[int, int, str], ...]"


class Version(NamedTuple):
    """A version in parts that compare in the order of PEP 440.

    Args:
        epoch: what stands before ``!``.
        release: its numbers, without zeros at the end.
        phase: 0 for alpha, 1 for beta, 2 for rc, 3 for final, -1 for what is developed before all.
        pre: the number of the alpha, beta or rc.
        post: the number of the post-release, or -1.
        final: False for a development release, which comes before the one it leads to.
        dev: the number of the development release.
        local: the parts behind ``+``.
    """

    epoch: int
    release: tuple[int, ...]
    phase: int
    pre: int
    post: int
    final: bool
    dev: int
    local: Local

    @property
    def base(self) -> tuple[int, tuple[int, ...]]:
        """Epoch and release."""
        return self.epoch, self.release

    @property
    def public(self) -> Version:
        """The version without its local part."""
        return self._replace(local=())

    @property
    def before_release(self) -> bool:
        """Whether this is a pre-release or a development release."""
        return self.phase < _FINAL or not self.final


def parse_version(text: str) -> Version | None:
    """Read a version.

    Args:
        text: as ``"1.0rc1"``.

    Returns:
        The version, or None where PEP 440 has no such form.

    Example:
        >>> parse_version("1.0rc1") < parse_version("1.0") < parse_version("1.0.post1")
        True
    """
    found = _VERSION.fullmatch(text)
    if found is None:
        return None
    release = [int(number) for number in found["release"].split(".")]
    while len(release) > 1 and release[-1] == 0:
        release.pop()
    is_post = bool(found["implicit"] or found["post_word"])
    is_dev = bool(found["dev_word"])
    phase = _FINAL
    if found["phase"]:
        phase = _PHASES[found["phase"].lower()]
    elif is_dev and not is_post:
        phase = _BEFORE_ALL_PHASES
    return Version(
        epoch=int(found["epoch"] or 0),
        release=tuple(release),
        phase=phase,
        pre=int(found["pre"] or 0),
        post=int(found["implicit"] or found["post"] or 0) if is_post else _NO_POST,
        final=not is_dev,
        dev=int(found["dev"] or 0),
        local=_local(found["local"] or ""),
    )


def _local(text: str) -> Local:
    # Numbers come after words, whatever the number.
    parts = re.split(r"[-_.]", text.lower()) if text else []
    return tuple((1, int(part), "") if part.isdigit() else (0, 0, part) for part in parts)


def satisfies(version: str, specifier: str) -> bool | None:
    """Say whether a version satisfies a specifier; pre-releases count, as what is installed does.

    Args:
        version: as ``"1.5.2"``.
        specifier: clauses with commas between them, as ``">=1.5,<2"``; empty for any version.

    Returns:
        True or False, or None where it cannot be told: a form that PEP 440 does not have.

    Example:
        >>> satisfies("1.5.2", ">=1.5,<2"), satisfies("1.5.2", "~=1.6"), satisfies("1.5.2", "new")
        (True, False, None)
    """
    clauses = [clause for clause in specifier.split(",") if clause.strip()]
    answers = [_holds(version, clause) for clause in clauses]
    if None in answers:
        return None
    return all(answers)


def _holds(version: str, clause: str) -> bool | None:
    found = _CLAUSE.fullmatch(clause)
    if found is None:
        return None
    operator, wanted = found["operator"], found["version"]
    have = parse_version(version)
    if have is None:
        return None
    if wanted.endswith(".*"):
        return _begins_as_asked(have, operator, wanted.removesuffix(".*"))
    bound = parse_version(wanted)
    if bound is None or (bound.local and operator not in ("==", "!=")):
        return None
    if operator == "~=":
        return _compatible(have, bound, wanted)
    return _compare(have, operator, bound)


def _compare(have: Version, operator: str, bound: Version) -> bool:
    if operator in ("==", "!="):
        same = (have if bound.local else have.public) == bound
        return same is (operator == "==")
    if operator == ">=":
        return have.public >= bound
    if operator == "<=":
        return have.public <= bound
    if operator == "<":
        return have < bound and not _leads_to(have, bound)
    return have > bound and not _follows(have, bound)


def _leads_to(have: Version, bound: Version) -> bool:
    """Say whether ``have`` comes before ``bound`` and is still not what ``<bound`` means."""
    if bound.before_release:
        return False
    if bound.post > _NO_POST:  # 2.0.post1.dev1 and 2.0.post1
        return not have.final and have._replace(final=True, dev=0, local=()) == bound
    return have.before_release and have.base == bound.base  # 2.0rc1 and 2.0


def _follows(have: Version, bound: Version) -> bool:
    """Say whether ``have`` comes after ``bound`` and is still not what ``>bound`` means."""
    released = have.public  # 2.0+local and 2.0
    if bound.final and bound.post == _NO_POST and released.post > _NO_POST:
        released = released._replace(post=_NO_POST, final=True, dev=0)  # 2.0.post1 and 2.0
    return released == bound


def _begins_as_asked(have: Version, operator: str, prefix: str) -> bool | None:
    bare = re.fullmatch(r"v?(?:(?P<epoch>\d+)!)?(?P<release>\d+(?:\.\d+)*)", prefix, re.ASCII)
    if bare is None or operator not in ("==", "!="):
        return None
    numbers = tuple(int(number) for number in bare["release"].split("."))
    same = have.epoch == int(bare["epoch"] or 0) and _begins(have, numbers)
    return same is (operator == "==")


def _begins(have: Version, numbers: tuple[int, ...]) -> bool:
    padded = (*have.release, *[0] * len(numbers))
    return padded[: len(numbers)] == numbers


def _compatible(have: Version, bound: Version, wanted: str) -> bool | None:
    # All but the last number must stay; zeros at the end count here, so they are read again.
    found = _VERSION.fullmatch(wanted)
    numbers = tuple(int(number) for number in found["release"].split(".")) if found else ()
    if len(numbers) < 2:
        return None
    return have.public >= bound and have.epoch == bound.epoch and _begins(have, numbers[:-1])
