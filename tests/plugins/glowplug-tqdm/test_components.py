from __future__ import annotations

from typing import Any

import pytest

from glowplug import Engine, component
from glowplug_tqdm import ProgressBar


def test_the_bar_is_found_by_its_name() -> None:
    assert component("logger", "progress-bar") is ProgressBar


def test_an_engine_takes_the_bar_by_its_name(capsys: pytest.CaptureFixture[str]) -> None:
    trainer: Engine[Any, Any] = Engine(lambda engine, batch: batch, handlers=["progress-bar"])
    trainer.run([1])
    assert "Iteration: " in capsys.readouterr().err
