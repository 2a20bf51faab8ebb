"""The range test in several processes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from glowplug import Engine
from glowplug_handlers import FastaiLRFinder
from glowplug_torch import get_rank, spawn


def find(local_rank: int, folder: str) -> None:
    """Run a test whose losses are twice as large in the second rank, and save the curve."""
    model = torch.nn.ParameterList([torch.zeros(1)])
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    trainer: Engine[Any, Any] = Engine(lambda engine, batch: torch.tensor(batch * (1 + get_rank())))
    finder = FastaiLRFinder()
    objects = {"model": model, "optimizer": optimizer}
    with finder.attach(trainer, objects, smooth_f=0.0) as test:
        test.run([4.0, 2.0, 1.0, 5.5, 5.5])
    torch.save(finder.get_results()["loss"], f"{folder}/{get_rank()}.pt")


def test_all_ranks_see_the_mean_loss_and_end_together(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    # By its own losses the first rank would end at the fourth iteration, and so would the second.
    monkeypatch.syspath_prepend(str(request.config.rootpath))  # new processes import this file
    spawn("gloo", find, (str(tmp_path),), nproc_per_node=2)
    curves = [torch.load(tmp_path / f"{rank}.pt") for rank in range(2)]
    assert curves == [[6.0, 3.0, 1.5, 8.25]] * 2
