"""Optimizer parameters and any state parameter over time, for glowplug.

Owns: the public names of this distribution.
Must not know: what its modules do.
"""

from __future__ import annotations

from glowplug_schedulers.base import BaseParamScheduler
from glowplug_schedulers.batch_size import BatchSizeScheduler
from glowplug_schedulers.concat import ConcatScheduler
from glowplug_schedulers.cyclical import (
    CosineAnnealingScheduler,
    CyclicalScheduler,
    LinearCyclicalScheduler,
)
from glowplug_schedulers.errors import MissingLibrary, ScheduleWarning
from glowplug_schedulers.groups import ParamGroupScheduler
from glowplug_schedulers.param_scheduler import ParamScheduler
from glowplug_schedulers.piecewise import PiecewiseLinear
from glowplug_schedulers.plateau import ReduceLROnPlateauScheduler
from glowplug_schedulers.state_scheduler import StateParamScheduler
from glowplug_schedulers.state_schedules import (
    ExpStateScheduler,
    LambdaStateScheduler,
    MultiStepStateScheduler,
    PiecewiseLinearStateScheduler,
    StepStateScheduler,
)
from glowplug_schedulers.torch_scheduler import LRScheduler
from glowplug_schedulers.warmup import create_lr_scheduler_with_warmup

__all__ = [
    "BaseParamScheduler",
    "BatchSizeScheduler",
    "ConcatScheduler",
    "CosineAnnealingScheduler",
    "CyclicalScheduler",
    "ExpStateScheduler",
    "LRScheduler",
    "LambdaStateScheduler",
    "LinearCyclicalScheduler",
    "MissingLibrary",
    "MultiStepStateScheduler",
    "ParamGroupScheduler",
    "ParamScheduler",
    "PiecewiseLinear",
    "PiecewiseLinearStateScheduler",
    "ReduceLROnPlateauScheduler",
    "ScheduleWarning",
    "StateParamScheduler",
    "StepStateScheduler",
    "create_lr_scheduler_with_warmup",
]
