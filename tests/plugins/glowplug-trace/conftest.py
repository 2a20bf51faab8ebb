from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest


@dataclass(frozen=True)
class Span:
    """A span as a viewer shows it, whichever way it was written."""

    name: str
    category: str
    group: str
    track: str
    began: float
    ended: float
    args: dict[str, Any]

    def holds(self, other: Span) -> bool:
        """Whether the other one lies inside, as it does in the rounding of the format."""
        return self.began - 0.002 <= other.began and other.ended <= self.ended + 0.002

    def is_apart(self, other: Span) -> bool:
        return self.ended <= other.began + 0.002 or other.ended <= self.began + 0.002


@dataclass
class Picture:
    """What a viewer makes of a file."""

    events: list[dict[str, Any]]
    spans: list[Span] = field(default_factory=list)
    open: list[str] = field(default_factory=list)

    def of(self, category: str, group: str | None = None) -> list[Span]:
        return [s for s in self.spans if s.category == category and group in (None, s.group)]

    def named(self, *names: str) -> list[Span]:
        return [span for span in self.spans if span.name in names]

    @property
    def tracks(self) -> set[str]:
        return {span.track for span in self.spans}

    @property
    def instants(self) -> list[str]:
        return [event["name"] for event in self.events if event["ph"] == "i"]


def drawn(events: list[dict[str, Any]]) -> Picture:
    names: dict[Any, str] = {}
    for event in events:
        if event["ph"] == "M" and event["name"] in ("process_name", "thread_name"):
            key = (event["name"], event["pid"], event["tid"] if "thread" in event["name"] else 0)
            names[key] = event["args"]["name"]
    picture, stacks = Picture(events), dict[Any, list[dict[str, Any]]]()
    for event in events:
        where = event["pid"], event["tid"]
        labels = (
            names.get(("process_name", event["pid"], 0), ""),
            names.get(("thread_name", *where), ""),
        )
        if event["ph"] == "X":
            times = event["ts"], event["ts"] + event["dur"]
            made = Span(event["name"], event["cat"], *labels, *times, event.get("args", {}))
            picture.spans.append(made)
        elif event["ph"] == "B":
            stacks.setdefault(where, []).append(event)
        elif event["ph"] == "E":
            begun = stacks[where].pop()
            assert event["ts"] >= begun["ts"]
            times = begun["ts"], event["ts"]
            category = begun["name"].partition(" ")[0]
            made = Span(begun["name"], category, *labels, *times, begun["args"])
            picture.spans.append(made)
    picture.open = [event["name"] for stack in stacks.values() for event in stack]
    return picture


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "trace.json"


@pytest.fixture
def events() -> Callable[[Path], list[dict[str, Any]]]:
    """A function that reads the events of a file, packed or not."""

    def read(path: Path) -> list[dict[str, Any]]:
        raw = path.read_bytes()
        found: list[dict[str, Any]] = json.loads(
            gzip.decompress(raw) if path.suffix == ".gz" else raw
        )
        return found

    return read


@pytest.fixture
def picture(events: Callable[[Path], list[dict[str, Any]]]) -> Callable[[Path], Picture]:
    """A function that reads a file as a viewer does."""
    return lambda path: drawn(events(path))
