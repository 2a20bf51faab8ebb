"""Early stopping, guards, timers, averages of weights and the LR finder for glowplug.

Owns: the public names of this distribution.
Must not know: what its modules do.
"""

from __future__ import annotations

from glowplug_handlers.averaging import AveragedWeights
from glowplug_handlers.averaging_stochastic import StochasticWeightAveraging
from glowplug_handlers.basic_profiler import BasicTimeProfiler
from glowplug_handlers.early_stopping import EarlyStopping
from glowplug_handlers.ema import EMAHandler
from glowplug_handlers.epoch_output_store import EpochOutputStore
from glowplug_handlers.errors import DeprecatedArgument, HandlerWarning, ScoreFailed, WeightsSwapped
from glowplug_handlers.freezing import Frozen, LayerFreezing
from glowplug_handlers.graceful_stop import GracefulStop
from glowplug_handlers.handlers_profiler import HandlersTimeProfiler
from glowplug_handlers.lr_finder import FastaiLRFinder
from glowplug_handlers.lr_finder_curve import RangeTestFailed
from glowplug_handlers.lr_finder_engine import RangeTestWarning
from glowplug_handlers.lr_finder_plot import MissingLibrary
from glowplug_handlers.memory_report import OutOfMemoryReport
from glowplug_handlers.norms import GradientNorms, NormWarning, WeightNorms
from glowplug_handlers.profilers import NothingMeasured
from glowplug_handlers.research_log import FBResearchLogger
from glowplug_handlers.setup import empty_cuda_cache, setup_common_training_handlers
from glowplug_handlers.setup_by_score import (
    add_early_stopping_by_val_score,
    gen_save_best_models_by_val_score,
    save_best_model_by_val_score,
)
from glowplug_handlers.setup_logging import setup_any_logging
from glowplug_handlers.signals import NotInMainThread
from glowplug_handlers.stragglers import StragglerGuard
from glowplug_handlers.stragglers_comparison import StragglerWarning
from glowplug_handlers.terminate_on_nan import TerminateOnNan
from glowplug_handlers.time_limit import TimeLimit
from glowplug_handlers.timer import Timer

__all__ = [
    "AveragedWeights",
    "BasicTimeProfiler",
    "DeprecatedArgument",
    "EMAHandler",
    "EarlyStopping",
    "EpochOutputStore",
    "FBResearchLogger",
    "FastaiLRFinder",
    "Frozen",
    "GracefulStop",
    "GradientNorms",
    "HandlerWarning",
    "HandlersTimeProfiler",
    "LayerFreezing",
    "MissingLibrary",
    "NormWarning",
    "NotInMainThread",
    "NothingMeasured",
    "OutOfMemoryReport",
    "RangeTestFailed",
    "RangeTestWarning",
    "ScoreFailed",
    "StochasticWeightAveraging",
    "StragglerGuard",
    "StragglerWarning",
    "TerminateOnNan",
    "TimeLimit",
    "Timer",
    "WeightNorms",
    "WeightsSwapped",
    "add_early_stopping_by_val_score",
    "empty_cuda_cache",
    "gen_save_best_models_by_val_score",
    "save_best_model_by_val_score",
    "setup_any_logging",
    "setup_common_training_handlers",
]
