"""Supervised training and evaluation, truncated BPTT, step events, and runs that can be repeated.

Owns: the public names of this distribution.
Must not know: other plugins than glowplug-torch.
"""

from __future__ import annotations

from glowplug_supervised.deterministic import DeterministicEngine
from glowplug_supervised.evaluation import (
    create_supervised_evaluator,
    supervised_evaluation_step,
    supervised_evaluation_step_amp,
)
from glowplug_supervised.events import StepEvents, Tbptt_Events
from glowplug_supervised.repeatability import keep_random_state
from glowplug_supervised.tbptt import create_supervised_tbptt_trainer
from glowplug_supervised.trainer import create_supervised_trainer
from glowplug_supervised.training_steps import (
    supervised_training_step,
    supervised_training_step_amp,
    supervised_training_step_apex,
    supervised_training_step_tpu,
)
from glowplug_supervised.updates import MissingLibrary
from glowplug_torch import ReproducibleBatchSampler, update_dataloader

__all__ = [
    "DeterministicEngine",
    "MissingLibrary",
    "ReproducibleBatchSampler",
    "StepEvents",
    "Tbptt_Events",
    "create_supervised_evaluator",
    "create_supervised_tbptt_trainer",
    "create_supervised_trainer",
    "keep_random_state",
    "supervised_evaluation_step",
    "supervised_evaluation_step_amp",
    "supervised_training_step",
    "supervised_training_step_amp",
    "supervised_training_step_apex",
    "supervised_training_step_tpu",
    "update_dataloader",
]
