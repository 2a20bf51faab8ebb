"""The contract of the trace."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from glowplug import Engine
from glowplug.testing import ComponentContract
from glowplug_trace import Trace


class TestTrace(ComponentContract):
    component = "trace"
    attaching_twice = "error"
    pickles = "trace"
    saves = "what is recorded is recorded"

    @pytest.fixture(autouse=True)
    def _folder(self, tmp_path: Path) -> None:
        self.folder = tmp_path

    def make(self) -> Trace:
        return Trace(self.folder / f"{len(list(self.folder.iterdir()))}.json")

    def outcome(self, engine: Engine[Any, Any], component: Trace) -> Mapping[str, Any]:
        """Return the names of what was recorded, in order."""
        events = json.loads(component.path.read_text("utf-8"))
        return {"names": [event["name"] for event in events if event["ph"] == "X"]}
