from __future__ import annotations

import pytest

import glowplug_tensorboard
from glowplug import component

COMPONENTS = {
    "tensorboard-logger": "TensorboardLogger",
    "tensorboard-output-handler": "OutputHandler",
    "tensorboard-optimizer-params-handler": "OptimizerParamsHandler",
    "tensorboard-weights-scalar-handler": "WeightsScalarHandler",
    "tensorboard-weights-hist-handler": "WeightsHistHandler",
    "tensorboard-grads-scalar-handler": "GradsScalarHandler",
    "tensorboard-grads-hist-handler": "GradsHistHandler",
}


@pytest.mark.parametrize(("name", "public"), COMPONENTS.items())
def test_a_component_is_found_by_its_name(name: str, public: str) -> None:
    kind = "logger" if name == "tensorboard-logger" else "handler"
    assert component(kind, name) is getattr(glowplug_tensorboard, public)


def test_every_public_name_is_a_component() -> None:
    assert sorted(COMPONENTS.values()) == sorted(glowplug_tensorboard.__all__)
