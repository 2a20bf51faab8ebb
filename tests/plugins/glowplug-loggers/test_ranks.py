from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch.distributed as dist

from glowplug import Events
from glowplug.errors import UnknownEvent
from glowplug_loggers import is_first_rank


@pytest.mark.parametrize("rank", ["0", "", " 0 ", "not a number"])
def test_a_process_without_a_higher_rank_is_the_first(
    rank: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RANK", rank)
    assert is_first_rank()


def test_a_process_without_rank_is_the_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("RANK", raising=False)
    assert is_first_rank()


def test_the_environment_says_which_rank_this_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RANK", "3")
    assert not is_first_rank()


def test_an_initialised_process_group_wins_over_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RANK", "3")
    meeting_point = f"file://{tmp_path / 'meeting-point'}"
    dist.init_process_group("gloo", init_method=meeting_point, rank=0, world_size=1)
    try:
        assert is_first_rank()
    finally:
        dist.destroy_process_group()


def test_asking_does_not_import_torch() -> None:
    code = "import sys, glowplug_loggers as g; g.is_first_rank(); sys.exit('torch' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_on_other_ranks_nothing_is_attached(
    logger: Any, halver: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RANK", "1")
    trainer = halver()
    events = Events.STARTED | Events.COMPLETED
    with logger.attach_output_handler(trainer, events, "x", state_attributes=["epoch"]):
        assert not trainer.listens(Events.STARTED)
        trainer.run([1])
    assert logger.lines == []


def test_on_other_ranks_wrong_arguments_are_refused_all_the_same(
    logger: Any, halver: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RANK", "1")
    with pytest.raises(UnknownEvent, match="no_such_event"):
        logger.attach(halver(), lambda engine, logger, event: None, "no_such_event")
