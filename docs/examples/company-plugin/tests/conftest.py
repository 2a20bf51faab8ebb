"""What the tests share: the kit for authors of plugins, and a log of their own."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

pytest_plugins = ["glowplug.testing"]

Lines = Callable[[], list[dict[str, Any]]]


@pytest.fixture(autouse=True)
def log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The file that the audit writes to in a test."""
    file = tmp_path / "new" / "runs.jsonl"
    monkeypatch.setenv("ACME_AUDIT_LOG", str(file))
    return file


@pytest.fixture
def lines(log: Path) -> Lines:
    """A function that returns the lines of the log."""

    def read() -> list[dict[str, Any]]:
        return [json.loads(line) for line in log.read_text("utf-8").splitlines()]

    return read
