"""Gradient clipping."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from supervised_setup import Batches, Make
from torch.nn.utils import clip_grad_norm_, clip_grad_value_

from glowplug_supervised import create_supervised_trainer


@pytest.mark.parametrize(
    ("option", "clip"),
    [("clip_grad_norm", clip_grad_norm_), ("clip_grad_value", clip_grad_value_)],
)
def test_weights_are_those_of_a_loop_that_clips_by_hand(
    make: Make, batches: Batches, option: str, clip: Callable[..., Any]
) -> None:
    ours, theirs, unclipped = make(), make(), make()
    bound: dict[str, Any] = {option: 0.05}
    create_supervised_trainer(*ours, **bound).run(batches(6))
    create_supervised_trainer(*unclipped).run(batches(6))
    for x, y in batches(6):
        theirs.optimizer.zero_grad()
        theirs.loss_fn(theirs.model(x), y).backward()
        clip(theirs.model.parameters(), 0.05)
        theirs.optimizer.step()
    assert torch.equal(ours.weights(), theirs.weights())
    assert not torch.allclose(ours.weights(), unclipped.weights())


def test_a_group_of_parameters_that_was_added_later_is_clipped_too(
    make: Make, batches: Batches
) -> None:
    setup = make(lr=1.0, momentum=0.0)
    extra = torch.nn.Parameter(torch.zeros(()))
    trainer = create_supervised_trainer(
        setup.model,
        setup.optimizer,
        lambda y_pred, y: setup.loss_fn(y_pred, y) + 100 * extra,
        clip_grad_value=0.5,
    )
    setup.optimizer.add_param_group({"params": [extra]})
    trainer.run(batches(1))
    assert extra.item() == -0.5
