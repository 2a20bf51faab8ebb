"""The contract of the budget for handlers."""

from __future__ import annotations

from glowplug.testing import ComponentContract
from glowplug_budgets import HandlerBudget


class TestHandlerBudget(ComponentContract):
    component = "handler-budget"
    saves = "how long handlers took is of this run, on this machine"

    def make(self) -> HandlerBudget:
        return HandlerBudget()
