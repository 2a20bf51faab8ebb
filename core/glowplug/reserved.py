"""The names of glowplug's own components.

Owns: which distribution of glowplug's repository offers which component.
Must not know: what is installed.

A bare name in this table always means glowplug's own component, whoever else offers one of that
name; and asking for one that is not installed names the package to install. A test holds the table
equal to the entry points in the repository.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType

from glowplug.components import Kind

_OFFERED: Mapping[str, Mapping[Kind, tuple[str, ...]]] = {
    "glowplug-metrics": {
        Kind.METRIC: (
            "accuracy",
            "average",
            "epoch-metric",
            "geometric-average",
            "loss",
            "metric-group",
            "metrics-lambda",
            "running-average",
            "variable-accumulation",
        ),
    },
    "glowplug-supervised": {
        Kind.TRAINER: (
            "deterministic-engine",
            "supervised-evaluator",
            "supervised-tbptt-trainer",
            "supervised-trainer",
        ),
        Kind.EVENTS: ("step", "tbptt"),
    },
    "glowplug-tensorboard": {
        Kind.LOGGER: ("tensorboard-logger",),
        Kind.HANDLER: (
            "tensorboard-grads-hist-handler",
            "tensorboard-grads-scalar-handler",
            "tensorboard-optimizer-params-handler",
            "tensorboard-output-handler",
            "tensorboard-weights-hist-handler",
            "tensorboard-weights-scalar-handler",
        ),
    },
    "glowplug-tqdm": {Kind.LOGGER: ("progress-bar",)},
}

RESERVED: Mapping[tuple[Kind, str], str] = MappingProxyType(
    {
        (kind, name): distribution
        for distribution, kinds in _OFFERED.items()
        for kind, names in kinds.items()
        for name in names
    }
)


def distributions(name: str, kinds: Iterable[Kind]) -> tuple[str, ...]:
    """Return which of glowplug's own distributions offer ``name``.

    Args:
        name: a component's bare name.
        kinds: the kinds it may be of.

    Returns:
        Names of distributions, without repetition.
    """
    owners = (RESERVED.get((kind, name)) for kind in kinds)
    return tuple(dict.fromkeys(owner for owner in owners if owner))
