"""Taking a process's signals for a while: remembering the first, letting a second one through.

Owns: installing handlers of signals, putting back what was there, and which signal came.
Must not know: engines, ranks, or what is done about a signal.

A handler of signals may run between any two instructions of Python. So it only takes notes; who
wants to act looks at them at a time of its own choosing.
"""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterable
from time import monotonic
from types import FrameType
from typing import Any

from glowplug import GlowplugError
from glowplug.errors import InvalidArgument, InvalidType

SAME_SECONDS = 1.0
"""Within this time a signal that comes again is the same: launchers pass on what terminals send."""
_LOADERS = "torch.utils.data"


class NotInMainThread(GlowplugError, RuntimeError):
    """Signals were to be taken in a thread that they never reach."""


class Signals:
    """Takes signals between ``open`` and ``close``.

    The first signal of a kind is noted. A second one acts as if nothing were installed: what was
    there before is put back, and the signal raised again. A signal that the process ignores, as
    ``nohup`` has it, stays ignored. In a process that was forked meanwhile, nothing is noted:
    SIGTERM acts as before there, so that ``Process.terminate`` works, and all others are left to
    the parent, since a terminal sends them to both.

    Args:
        numbers: the signals.

    Attributes:
        came: the first signal that came, until it is forgotten, or None.
    """

    def __init__(self, numbers: Iterable[int]) -> None:
        self._numbers = _checked(numbers)
        self.came: signal.Signals | None = None
        self._times: dict[int, float] = {}
        self._before: dict[int, Any] = {}
        self._children: Any = None
        self._told: Callable[[], None] | None = None
        self._process = 0

    def open(self, told: Callable[[], None]) -> None:
        """Take signals from now on.

        Args:
            told: called when the first one comes, between any two instructions of the program.

        Raises:
            NotInMainThread: outside the main thread; nothing is installed then.
        """
        if threading.current_thread() is not threading.main_thread():
            raise NotInMainThread(
                "signals reach the main thread alone, and this run is in "
                f"{threading.current_thread().name!r}; run it in the main thread, or without "
                "GracefulStop there"
            )
        self._told, self._process = told, os.getpid()
        self._times.clear()
        for number in self._numbers:
            before = signal.getsignal(number)
            # None was not installed from Python, and could not be put back.
            if before is not None and before is not signal.SIG_IGN:
                self._before[number] = signal.signal(number, self._receive)

    def forget(self) -> None:
        """Forget the signal that came."""
        self.came = None

    def close(self) -> None:
        """Put back what was there before; again does nothing."""
        for number, before in self._before.items():
            # What somebody installed meanwhile is theirs.
            if signal.getsignal(number) == self._receive:
                signal.signal(number, before)
        self._before.clear()
        if self._children is not None and signal.getsignal(signal.SIGCHLD) is _wait:
            signal.signal(signal.SIGCHLD, self._children)
        self._children = self._told = None

    def _receive(self, number: int, frame: FrameType | None) -> None:
        if os.getpid() != self._process:
            if number == signal.SIGTERM:
                self._let_through(number)
        elif number in self._times:
            if monotonic() - self._times[number] >= SAME_SECONDS:
                self._let_through(number)
        else:
            self._times[number] = monotonic()
            self._hold_children()
            if self.came is None:
                self.came = signal.Signals(number)
            if self._told is not None:
                self._told()

    def _let_through(self, number: int) -> None:
        signal.signal(number, self._before[number])
        signal.raise_signal(number)

    def _hold_children(self) -> None:
        """Keep torch from raising an error in the middle of a step.

        Who signals all processes of a job ends the workers of a DataLoader too, and torch's handler
        of SIGCHLD would say so wherever the program stands.
        """
        children = getattr(signal, "SIGCHLD", None)
        present = None if children is None else signal.getsignal(children)
        if children is not None and getattr(present, "__module__", "").startswith(_LOADERS):
            self._children = signal.signal(children, _wait)


def _wait(number: int, frame: FrameType | None) -> None:
    """Do nothing about a child that ended: who needs it finds out."""


def _checked(numbers: Iterable[int]) -> tuple[signal.Signals, ...]:
    if isinstance(numbers, (str, bytes)) or not isinstance(numbers, Iterable):
        raise InvalidType(
            "signals must be several numbers of signals, such as (signal.SIGTERM,), got "
            f"{numbers!r} of type {type(numbers).__name__}"
        )
    given, checked = tuple(numbers), []
    for number in given:
        if not isinstance(number, int) or isinstance(number, bool):
            raise InvalidType(
                f"a signal is a number such as signal.SIGTERM, got {number!r} of type "
                f"{type(number).__name__}"
            )
        if number not in signal.valid_signals() or signal.Signals(number) in _NEVER_TAKEN:
            raise InvalidArgument(f"signal {number!r} is none that a process can take")
        checked.append(signal.Signals(number))
    if not checked:
        raise InvalidArgument("signals is empty: name at least one, such as signal.SIGTERM")
    return tuple(dict.fromkeys(checked))


_NEVER_TAKEN = {getattr(signal, name, None) for name in ("SIGKILL", "SIGSTOP")}
