"""The contract of the component that resumes a run."""

from __future__ import annotations

from pathlib import Path

import pytest

from glowplug.testing import ComponentContract
from glowplug_checkpoint import Resume


class TestResume(ComponentContract):
    component = "resume"
    saves = False

    @pytest.fixture(autouse=True)
    def _in_a_folder_without_checkpoints(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.chdir(tmp_path)

    def make(self) -> Resume:
        return Resume()
