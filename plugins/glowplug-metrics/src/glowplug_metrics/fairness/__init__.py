"""Metrics of how differently a model treats groups.

Owns: the public names of this package.
Must not know: how any of them is worked out.
"""

from __future__ import annotations

from glowplug_metrics.fairness.differences import (
    DemographicParityDifference,
    SubgroupAccuracyDifference,
    SubgroupDifference,
)
from glowplug_metrics.fairness.selection import SelectionRate
from glowplug_metrics.fairness.subgroups import SubgroupMetric

__all__ = [
    "DemographicParityDifference",
    "SelectionRate",
    "SubgroupAccuracyDifference",
    "SubgroupDifference",
    "SubgroupMetric",
]
