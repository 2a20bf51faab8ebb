"""Budgets for the handlers of glowplug.

Owns: the public names of glowplug-budgets.
Must not know: how calls are measured, or torch.
"""

from __future__ import annotations

from glowplug_budgets.budget import HandlerBudget
from glowplug_budgets.complaints import BudgetWarning, SynchronizationWarning

__all__ = ["BudgetWarning", "HandlerBudget", "SynchronizationWarning"]
