"""The clock of a trace, beside the clock that tells the date.

Owns: readings of both clocks, and turning the time of one into that of the other.
Must not know: what happens at these times.

Engines are timed by ``perf_counter_ns``, which no correction of the date disturbs. torch.profiler
writes dates: nanoseconds since 1970. The two run apart where the date is corrected, so both are
read again and again, and the reading nearest to a time converts it.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import deque
from collections.abc import Callable
from time import perf_counter_ns, time_ns

TRIES = 5
"""How often both clocks are read for one reading; the tightest counts."""
KEPT = 10_000
"""How many readings are kept; a reading is taken at each run and epoch."""


class Clock:
    """Two clocks that are compared from time to time.

    Args:
        steady: nanoseconds on the clock of the trace.
        date: nanoseconds since 1970.

    Attributes:
        origin: the steady time when this was made, which is 0 in the trace.

    Example:
        >>> ticks = iter(range(0, 1000, 10))
        >>> clock = Clock(steady=lambda: next(ticks), date=lambda: 5000)
        >>> clock.steady_at(5100) - clock.steady_at(5000)
        100
    """

    def __init__(
        self, steady: Callable[[], int] = perf_counter_ns, date: Callable[[], int] = time_ns
    ) -> None:
        self._steady, self._date = steady, date
        self._readings: deque[tuple[int, int]] = deque(maxlen=KEPT)
        self.origin = steady()
        self.compare()

    def compare(self) -> None:
        """Read both clocks."""
        readings = []
        for _ in range(TRIES):
            before = self._steady()
            date = self._date()
            after = self._steady()
            readings.append((after - before, date, (before + after) // 2))
        _, date, steady = min(readings)
        self._readings.append((date, steady))

    def steady_at(self, date: int) -> int:
        """Return what the steady clock showed at a date.

        Args:
            date: nanoseconds since 1970.
        """
        readings = sorted(self._readings)  # the date may have been set back in between
        place = bisect_left(readings, (date, 0))
        near = readings[max(0, place - 1) : place + 1]
        nearest, steady = min(near, key=lambda reading: abs(reading[0] - date))
        return date - nearest + steady
