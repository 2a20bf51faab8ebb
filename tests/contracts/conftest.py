"""What the contracts of this repository's components share.

Owns: that a contract is about the component whose name it bears.
Must not know: any component.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from glowplug import Engine, Kind, PluginManager


@pytest.fixture(autouse=True)
def _is_about_its_component(request: pytest.FixtureRequest) -> Iterator[None]:
    """Fail a contract that makes something else than the component which it names."""
    yield  # what the contract's own fixtures prepare is there afterwards
    name = getattr(request.cls, "component", None)
    if name is None or request.function.__name__ != "test_it_is_what_its_kind_asks_for":
        return
    target = PluginManager().component(request.cls.kind, name)
    made: Any = request.instance.make()
    if isinstance(target, type):
        assert made is target or type(made) is target
    elif request.cls.kind is Kind.COMMAND:
        assert made is target
    elif request.cls.kind is Kind.TRAINER:
        assert isinstance(made, Engine), "a trainer's function makes an engine"
