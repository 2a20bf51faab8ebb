from __future__ import annotations

import io
import re
from collections.abc import Callable
from typing import Any

import pytest

from glowplug import Engine
from glowplug_tqdm import ProgressBar


class Screen(io.StringIO):
    """What was drawn, one line for each time."""

    @property
    def drawn(self) -> list[str]:
        text = self.getvalue().replace("\x1b[A", "")  # moves of the cursor
        return [line.strip() for line in re.split(r"[\r\n]", text) if line.strip()]

    @property
    def counts(self) -> list[str]:
        """The ``[1/3]`` of each drawing, without repetitions in a row."""
        found = [re.findall(r"\[(\d+(?:/\d+)?)\]", line) for line in self.drawn]
        marks = [inside[-1] for inside in found if inside]
        return [mark for i, mark in enumerate(marks) if i == 0 or marks[i - 1] != mark]

    @property
    def titles(self) -> list[str]:
        """What stands before each bar, without repetitions."""
        return list(dict.fromkeys(line.split(": [")[0] for line in self.drawn))


@pytest.fixture
def screen() -> Screen:
    return Screen()


@pytest.fixture
def make_bar(screen: Screen) -> Callable[..., ProgressBar]:
    """Make a progress bar that draws each movement on the screen."""

    def make(**options: Any) -> ProgressBar:
        settings = {"file": screen, "mininterval": 0, "miniters": 1, "ncols": 200}
        return ProgressBar(**{**settings, **options})

    return make


@pytest.fixture
def trainer() -> Engine[Any, Any]:
    return Engine(lambda engine, batch: batch)
