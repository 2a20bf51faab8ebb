"""TensorBoard logging for glowplug.

Owns: the public names of glowplug-tensorboard.
Must not know: other loggers.
"""

from __future__ import annotations

from glowplug_tensorboard.logger import OptimizerParamsHandler, OutputHandler, TensorboardLogger
from glowplug_tensorboard.weights import (
    GradsHistHandler,
    GradsScalarHandler,
    WeightsHistHandler,
    WeightsScalarHandler,
)

__all__ = [
    "GradsHistHandler",
    "GradsScalarHandler",
    "OptimizerParamsHandler",
    "OutputHandler",
    "TensorboardLogger",
    "WeightsHistHandler",
    "WeightsScalarHandler",
]
