"""The name of a new package.

Owns: which names are fit for a package, why others are not, and what follows from a name.
Must not know: what a package is made of, or where it is written.
"""

from __future__ import annotations

import builtins
import keyword
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.util import find_spec

from glowplug import manifest
from glowplug.errors import InvalidArgument
from glowplug.reserved import RESERVED
from glowplug.switches import PREFIX, match, normalise

# PEP 508; the classes are spelt out, as re.IGNORECASE would let in letters that are not ASCII
_DISTRIBUTION = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?")
_TAKEN = frozenset({"glowplug", "tests", "conftest"})


@dataclass(frozen=True)
class Names:
    """What a package and its parts are called.

    Args:
        name: the distribution, normalised as PEP 503 says; the component has the same name.
        package: what is imported.
        class_name: the class of the example.
    """

    name: str
    package: str
    class_name: str


def checked(name: str) -> Names:
    """Return what a package of this name and its parts are called.

    Args:
        name: the distribution's, in any spelling.

    Returns:
        The names.

    Raises:
        InvalidArgument: when the name is unfit; the message has all that is wrong with it.

    Example:
        >>> checked("acme-nan-stop")
        Names(name='acme-nan-stop', package='acme_nan_stop', class_name='AcmeNanStop')
    """
    if not _DISTRIBUTION.fullmatch(name):
        raise InvalidArgument(
            "expected a distribution's name of ASCII letters, digits, '-', '_' and '.', with a "
            f"letter or digit at both ends; got {name!r}"
        )
    normal = normalise(name)
    names = Names(
        normal,
        normal.replace("-", "_"),
        "".join(word.capitalize() for word in normal.split("-")),
    )
    problems = [*_unfit(names), *_reserved(normal)]
    if problems:
        raise InvalidArgument(
            f"no package can be called {name!r}: {'; '.join(problems)}; choose another name, such "
            f"as 'acme-{normal.removeprefix(PREFIX)}'"
        )
    return names


def _unfit(names: Names) -> Iterator[str]:
    package, class_name = names.package, names.class_name
    if package[0].isdigit():
        yield f"{package} cannot be imported, as it starts with a digit"
    if keyword.iskeyword(package):
        yield f"{package} cannot be imported, as it is a keyword of Python"
    elif package in sys.stdlib_module_names:
        yield f"{package} is a module of Python's own"
    elif package in _TAKEN:
        yield f"{package} is imported by every plugin's tests"
    elif keyword.iskeyword(class_name) or hasattr(builtins, class_name):
        yield f"its class would be called {class_name}, which is Python's own"


def _reserved(name: str) -> Iterator[str]:
    if name.startswith(PREFIX):
        yield f"names that start with {PREFIX!r} are those of glowplug's own distributions"
    elif own := match(name, RESERVED.values()):
        yield f"{name} is what plugin {own} is called for short"
    owners = {owner: kind for (kind, component), owner in RESERVED.items() if component == name}
    for owner, kind in owners.items():
        yield f"{kind.value} {name!r} of {owner} has this name, which stays glowplug's"


def cautions(names: Names) -> tuple[str, ...]:
    """Say what is installed here that a package of these names would get in the way of.

    Args:
        names: the package's.

    Returns:
        Sentences; nothing is imported for them.
    """
    found = []
    installed = {plugin.name: plugin for plugin in manifest.installed().manifests}
    if plugin := installed.get(names.name):
        found.append(
            f"plugin {plugin.name} {plugin.version} is installed here ({plugin.location}); "
            "installing the new package replaces it"
        )
    elif spec := find_spec(names.package):
        found.append(
            f"a module {names.package} can be imported here already ({spec.origin}); only one of "
            "the two can be imported once the new package is installed"
        )
    for plugin in installed.values():
        for component in plugin.components:
            if component.name == names.name != plugin.name:
                found.append(
                    f"plugin {plugin.name} {plugin.version} offers {component.kind.value} "
                    f"{names.name!r}, too; users of both ask for '{names.name}:{names.name}'"
                )
    return tuple(found)
