"""The contract of the command for checkpoints."""

from __future__ import annotations

from pathlib import Path

import pytest

from glowplug.testing import CommandContract
from glowplug_checkpoint import ckpt, save, store_at


class TestCkpt(CommandContract):
    component = "ckpt"
    prints_to = "stdout"

    @pytest.fixture(autouse=True)
    def _folder(self, tmp_path: Path) -> None:
        save(store_at(tmp_path), "last.pt", {"epoch": 3})
        self.arguments = ["verify", str(tmp_path)]  # type: ignore[misc]  # of this test's folder

    def make(self) -> object:
        return ckpt
