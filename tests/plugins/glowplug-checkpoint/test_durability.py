"""Kills in the middle of a save.

Owns: that what can be loaded after one is the old checkpoint or the new one.
Must not know: by which steps a save goes about it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

pytestmark = pytest.mark.skipif("sys.platform == 'win32'", reason="there is no SIGKILL, nor fork")

# scenario, and what may be loaded by name and as the newest: before the file is in place, and after
EITHER = [
    ("first", ["NoCheckpoint", "NoCheckpoint"], [3, 3]),
    ("over", [1, 1], [3, 3]),
    ("over-unverified", [1, "NoCheckpoint"], [3, 3]),
    ("over-cut-off", [2, 2], [3, 3]),
    ("remove", [1, 1], ["NoCheckpoint", "NoCheckpoint"]),
]


@pytest.mark.parametrize(("scenario", "before", "after"), EITHER, ids=[e[0] for e in EITHER])
def test_a_kill_at_any_call_leaves_the_old_checkpoint_or_the_new(
    program: Callable[..., Any], scenario: str, before: list[Any], after: list[Any]
) -> None:
    kills = program("killed_saves.py", scenario)
    found = [kill["after"] for kill in kills]
    turn = found.index(after)
    assert len(found) > 10
    assert found == [before] * turn + [after] * (len(found) - turn)
    # The next save is as if there had been no kill.
    assert {kill["then"] for kill in kills} == {4}
    assert {tuple(kill["left"]) for kill in kills} == {("last.pt", "last.pt.manifest.json")}
