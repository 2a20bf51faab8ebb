"""Metrics of clusters: how tight they are, and how far apart.

Owns: the public names of this package.
Must not know: how any of them is worked out.
"""

from __future__ import annotations

from glowplug_metrics.clustering.dispersion import CalinskiHarabaszScore, DaviesBouldinScore
from glowplug_metrics.clustering.silhouette import SilhouetteScore

__all__ = [
    "CalinskiHarabaszScore",
    "DaviesBouldinScore",
    "SilhouetteScore",
]
