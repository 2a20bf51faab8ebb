"""What to type to mend an installation.

Owns: the lines for a shell, quoted as it wants them.
Must not know: what is wrong.
"""

from __future__ import annotations

import shlex
import sys
from collections.abc import Iterable

from glowplug.switches import DISABLE, ONLY

_OPTIONS = {ONLY: "--only", DISABLE: "--disable"}


def install(*requirements: str, upgrade: bool = False) -> str:
    """Return the line that installs something.

    Args:
        requirements: as pip takes them.
        upgrade: whether a newer version is wanted of what is there.

    Example:
        >>> install("acme>=1.5")
        "pip install 'acme>=1.5'"
    """
    return shlex.join(["pip", "install", *(["--upgrade"] if upgrade else []), *requirements])


def reinstall(distribution: str) -> str:
    """Return the line that installs a distribution anew over what is there.

    Args:
        distribution: its name.
    """
    return f"pip install --force-reinstall --no-deps {distribution}"


def install_once(requirement: str, distribution: str, times: int) -> str:
    """Return the line that leaves one installation of a distribution.

    Args:
        requirement: the one to keep, as pip takes it.
        distribution: its name.
        times: how often it is installed.
    """
    return " && ".join([f"pip uninstall --yes {distribution}"] * times + [install(requirement)])


def remove(folder: str) -> str:
    """Return the line that removes a folder.

    Args:
        folder: its path.
    """
    return f'rmdir /s /q "{folder}"' if sys.platform == "win32" else f"rm -r {shlex.quote(folder)}"


def unset(variable: str) -> str:
    """Return the line that unsets a variable.

    Args:
        variable: its name.
    """
    return f"set {variable}=" if sys.platform == "win32" else f"unset {variable}"


def switch(source: str, variable: str, names: Iterable[str]) -> str:
    """Return what says a switch anew, where it was said.

    Args:
        source: the variable, or anything else for the option that means the same.
        variable: ``GLOWPLUG_PLUGINS`` or ``GLOWPLUG_DISABLE_PLUGINS``.
        names: what it should name.

    Example:
        >>> switch("the argument 'disable'", "GLOWPLUG_DISABLE_PLUGINS", ["a", "b"])
        '--disable a,b'
    """
    value = shlex.quote(",".join(names)) if names else ""
    if source != variable:
        option = _OPTIONS[variable]
        return f"{option} {value}" if value else f"leave out {option}"
    if not value:
        return unset(variable)
    word = "set" if sys.platform == "win32" else "export"
    return f"{word} {variable}={value}"
