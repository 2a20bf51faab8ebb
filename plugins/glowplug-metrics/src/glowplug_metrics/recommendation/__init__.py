"""Metrics of recommendations: of the items that a model ranks first for each user.

Owns: the public names of this package.
Must not know: how any of them is worked out.
"""

from __future__ import annotations

from glowplug_metrics.recommendation.gains import NDCG
from glowplug_metrics.recommendation.hits import HitRate
from glowplug_metrics.recommendation.top_k import TopKMetric

__all__ = ["NDCG", "HitRate", "TopKMetric"]
