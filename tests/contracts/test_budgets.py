"""The contract of the budget for handlers."""

from __future__ import annotations

import pytest

from glowplug.testing import ComponentContract
from glowplug_budgets import HandlerBudget


@pytest.mark.usefixtures("clock")  # it warns of a handler that a busy machine holds up
class TestHandlerBudget(ComponentContract):
    component = "handler-budget"
    saves = "how long handlers took is of this run, on this machine"

    def make(self) -> HandlerBudget:
        return HandlerBudget()
