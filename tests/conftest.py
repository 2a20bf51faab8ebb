"""What all tests share: the kit for authors of plugins, and that no machine is too slow for them.

Owns: opting in, as the tests of this repository use the kit as a stranger's would; the profile of
Hypothesis; the clock that tests turn, so that what they say of time holds on a busy machine.
Must not know: any test, or which modules look at a clock.
"""

from __future__ import annotations

import re
import sys
import time

import pytest
from hypothesis import HealthCheck, settings

pytest_plugins = ["glowplug.testing", "pytester"]

# A test that is slow because the machine is busy has not failed.
settings.register_profile("patient", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("patient")


class Clock:
    """A clock that goes on when somebody sleeps, and not otherwise.

    It counts whole nanoseconds, so that the seconds between two looks at it are exact.
    """

    def __init__(self) -> None:
        self._now = 50 * 10**9

    def sleep(self, seconds: float) -> None:
        """Let time pass, and be back at once."""
        self._now += round(seconds * 10**9)

    def perf_counter_ns(self) -> int:
        """Return what the clock shows, in nanoseconds."""
        return self._now

    def perf_counter(self) -> float:
        """Return what the clock shows, in seconds."""
        return self._now / 10**9

    time = monotonic = perf_counter


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """A clock that the test turns, by ``clock.sleep`` or ``time.sleep``.

    Every module of glowplug and its plugins that is loaded by now looks at it, and tqdm's bars do.
    """
    clock = Clock()
    for name, module in list(sys.modules.items()):
        if re.match(r"glowplug(_\w+)?(\.|$)|tqdm\.std$", name):
            for look in ("monotonic", "perf_counter", "perf_counter_ns", "time"):
                if vars(module).get(look) is getattr(time, look):
                    monkeypatch.setattr(module, look, getattr(clock, look))
    monkeypatch.setattr(time, "sleep", clock.sleep)
    return clock
