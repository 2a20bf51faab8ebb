"""The contract of commands.

Owns: how a command ends.
Must not know: what a command does, or the command line around it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import pytest

from glowplug.components import Kind
from glowplug.testing.contracts.contract import Contract, fail

UNKNOWN_OPTION = "--no-such-option"


class CommandContract(Contract):
    """The contract of a command: ``make`` returns the function, called with its arguments.

    It ends with None or 0 when all is well, with another number when not; as argparse does, it may
    raise ``SystemExit`` instead. What it prints is its own affair.

    Attributes:
        arguments: arguments with which it ends well.

    Example:
        >>> class TestHello(CommandContract):
        ...     arguments = ["world"]
        ...     def make(self):
        ...         return lambda arguments: None
        >>> TestHello().use(lambda arguments: 0)
        0
    """

    kind = Kind.COMMAND
    arguments: ClassVar[Sequence[str]] = ()

    def use(self, component: Any) -> int:
        """Call the command with the arguments, and return its exit code."""
        return exit_code(component, self.arguments)

    def test_it_ends_well_with_its_arguments(self) -> None:
        """Its exit code is 0."""
        code = self.use(self.make())
        if code:
            fail(f"with {list(self.arguments)} it ended with {code}; expected 0 or None")

    def test_it_helps(self) -> None:
        """``--help`` ends well."""
        code = exit_code(self.make(), ["--help"])
        if code:
            fail(f"with --help it ended with {code}; expected 0 or None")

    def test_an_option_that_it_does_not_know_is_refused(self) -> None:
        """With an exit code that is not 0."""
        if not exit_code(self.make(), [UNKNOWN_OPTION]):
            fail(f"{UNKNOWN_OPTION} was taken without a word; expected another exit code than 0")

    def test_it_prints_nothing(self, capfd: pytest.CaptureFixture[str]) -> None:
        """It may print: nothing is said to standard error when it ends well."""
        self.use(self.make())
        complaint = capfd.readouterr().err
        if complaint:
            fail(f"it ended well, and said {complaint[:200]!r} to stderr")


def exit_code(command: Any, arguments: Sequence[str]) -> int:
    """Return how a command ended.

    Args:
        command: a function of a list of arguments.
        arguments: its arguments.

    Raises:
        AssertionError: when it ended with something that is no exit code.

    Example:
        >>> exit_code(lambda arguments: None, [])
        0
    """
    try:
        ended = command(list(arguments))
    except SystemExit as stop:
        ended = 1 if isinstance(stop.code, str) else stop.code
    if ended is None:
        return 0
    if not isinstance(ended, int):
        fail(f"it returned {ended!r} of type {type(ended).__name__}; expected an exit code or None")
    return ended
