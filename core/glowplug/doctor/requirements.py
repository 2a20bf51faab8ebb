"""What a distribution requires, held against what is installed.

Owns: reading ``Requires-Dist``, and which of it is not met.
Must not know: plugins, or what follows from a requirement that is not met.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from glowplug.doctor.markers import holds
from glowplug.doctor.specifiers import satisfies
from glowplug.manifest import Distribution, library
from glowplug.switches import normalise

_REQUIREMENT = re.compile(
    r"""\s*(?P<name>[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?)\s*
    (?:\[(?P<extras>[^\]]*)\]\s*)?
    (?:@\s*(?P<url>\S+)\s*|\(?\s*(?P<specifier>[<>=!~][^;()@\[\]]*)\)?\s*)?
    (?:;(?P<marker>.*))?""",
    re.VERBOSE | re.DOTALL,
)


@dataclass(frozen=True)
class Requirement:
    """One line of ``Requires-Dist``.

    Args:
        name: the distribution that is required, normalised.
        extras: the extras of it that are required, normalised.
        specifier: the versions that will do; empty for all.
        marker: when it is required; empty for always.
    """

    name: str
    extras: tuple[str, ...] = ()
    specifier: str = ""
    marker: str = ""

    @property
    def title(self) -> str:
        """The requirement without its marker, as pip takes it."""
        extras = f"[{','.join(self.extras)}]" if self.extras else ""
        return f"{self.name}{extras}{self.specifier}"


@dataclass(frozen=True)
class Unmet:
    """A requirement that is not met, or of which that cannot be told.

    Args:
        title: the requirement, as pip takes it.
        why: what is the matter, in words.
        known: False where it cannot be told.
    """

    title: str
    why: str
    known: bool = True


def parse_requirement(line: str) -> Requirement | None:
    """Read a requirement.

    Args:
        line: as ``"acme[fast]>=1.5; python_version < '3.12'"``.

    Returns:
        The requirement, or None where it has no form that is known.

    Example:
        >>> parse_requirement("Acme[Fast] (>=1.5, <2)").title
        'acme[fast]>=1.5,<2'
    """
    found = _REQUIREMENT.fullmatch(line)
    if found is None:
        return None
    extras = tuple(
        normalise(extra) for extra in (found["extras"] or "").split(",") if extra.strip()
    )
    specifier = "".join((found["specifier"] or "").split())
    return Requirement(normalise(found["name"]), extras, specifier, (found["marker"] or "").strip())


def unmet(distribution: Distribution, extra: str = "") -> tuple[Unmet, ...]:
    """Return what of a distribution's requirements is not met.

    The extras that it asks of what it requires are looked into; what those require otherwise is
    their own affair.

    Args:
        distribution: as the metadata library describes it.
        extra: what this extra requires, and nothing else; empty for what is required always.

    Returns:
        What is missing, too old or too new, or cannot be told.
    """
    return tuple(dict.fromkeys(_unmet(distribution, normalise(extra), set())))


def extras(distribution: Distribution) -> tuple[str, ...]:
    """Return the extras that a distribution provides.

    Args:
        distribution: as the metadata library describes it.

    Returns:
        Their names, sorted.
    """
    return tuple(sorted(set(distribution.metadata.get_all("Provides-Extra") or ())))


def _unmet(distribution: Distribution, extra: str, seen: set[tuple[str, str]]) -> Iterator[Unmet]:
    for line in distribution.requires or ():
        requirement = parse_requirement(line)
        if requirement is None:
            yield Unmet(line, "it is not written as PEP 508 says", known=False)
            continue
        needed = holds(requirement.marker, extra)
        if extra and holds(requirement.marker) is not False:
            continue  # required without the extra, too
        if needed is None:
            why = f"its condition {requirement.marker!r} is not one that is known"
            yield Unmet(requirement.title, why, known=False)
        elif needed:
            yield from _missing(requirement, seen)


def _missing(requirement: Requirement, seen: set[tuple[str, str]]) -> Iterator[Unmet]:
    metadata = library()
    try:
        found = metadata.distribution(requirement.name)
        version = found.metadata.get("Version") or ""
    except metadata.PackageNotFoundError:
        yield Unmet(requirement.title, f"{requirement.name} is not installed")
        return
    except Exception as error:  # what is wrong with one distribution must not hide the rest
        why = f"the metadata of {requirement.name} cannot be read: {type(error).__name__}: {error}"
        yield Unmet(requirement.title, why, known=False)
        return
    fits = satisfies(version, requirement.specifier)
    if fits is None:
        why = f"{requirement.name} {version or 'without a version'} cannot be held against it"
        yield Unmet(requirement.title, why, known=False)
    elif not fits:
        yield Unmet(requirement.title, f"{requirement.name} {version} is installed")
    for extra in requirement.extras:
        if (requirement.name, extra) not in seen:
            seen.add((requirement.name, extra))
            yield from _unmet(found, extra, seen)
