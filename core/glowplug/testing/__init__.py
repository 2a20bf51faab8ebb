"""The kit for authors of plugins: ``pytest_plugins = ["glowplug.testing"]`` in a conftest.py.

Owns: the public names of the kit, and what pytest finds here: fixtures, and how a recording that
differs is shown.
Must not know: the repository's own tests.

The kit says itself what a failure means, so pytest need not rewrite its assertions, and may import
it at any time: PYTEST_DONT_REWRITE.
"""

from glowplug.testing.extras import MissingExtra

# What follows imports pytest.
# isort: split
from glowplug.testing.checks import assert_plugin_ok
from glowplug.testing.contracts.commands import CommandContract
from glowplug.testing.contracts.components import ComponentContract
from glowplug.testing.contracts.event_sets import EventsContract
from glowplug.testing.contracts.hook_plugins import HooksContract
from glowplug.testing.contracts.loggers import LoggerContract
from glowplug.testing.contracts.metrics import MetricContract
from glowplug.testing.contracts.schedulers import SchedulerContract
from glowplug.testing.contracts.trainers import TrainerContract
from glowplug.testing.explanations import pytest_assertrepr_compare
from glowplug.testing.fixtures import (
    ManagerMaker,
    PluginMaker,
    glowplug_sandbox,
    make_plugin,
    plugin_manager,
)
from glowplug.testing.recorder import Recorder
from glowplug.testing.records import Call, Fired, Recording
from glowplug.testing.runs import run_engine
from glowplug.testing.sandbox import LaidPlugin

__all__ = [
    "Call",
    "CommandContract",
    "ComponentContract",
    "EventsContract",
    "Fired",
    "HooksContract",
    "LaidPlugin",
    "LoggerContract",
    "ManagerMaker",
    "MetricContract",
    "MissingExtra",
    "PluginMaker",
    "Recorder",
    "Recording",
    "SchedulerContract",
    "TrainerContract",
    "assert_plugin_ok",
    "glowplug_sandbox",
    "make_plugin",
    "plugin_manager",
    "pytest_assertrepr_compare",
    "run_engine",
]
