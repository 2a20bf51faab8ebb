"""The contracts of the handlers that deal with processes: their signals, memory and speed."""

from __future__ import annotations

import pytest

from glowplug.testing import ComponentContract
from glowplug_handlers import GracefulStop, OutOfMemoryReport, StragglerGuard


class TestGracefulStop(ComponentContract):
    component = "graceful-stop"
    attaching_twice = "error"
    saves = False

    def make(self) -> GracefulStop:
        return GracefulStop()


class TestOutOfMemoryReport(ComponentContract):
    component = "out-of-memory-report"
    attaching_twice = "error"
    saves = False

    def make(self) -> OutOfMemoryReport:
        return OutOfMemoryReport()


@pytest.mark.usefixtures("clock")  # it warns of a handler that a busy machine holds up
class TestStragglerGuard(ComponentContract):
    component = "straggler-guard"
    attaching_twice = "error"
    saves = "how long calls took is of this run, on this machine"

    def make(self) -> StragglerGuard:
        return StragglerGuard(window=2)
