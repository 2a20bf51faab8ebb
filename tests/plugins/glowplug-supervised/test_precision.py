"""Mixed precision, gradient scalers, and the modes that need other libraries."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Any

import pytest
import torch
from supervised_setup import Batches, Make
from torch import nn
from torch.amp import GradScaler
from torch.nn.utils import clip_grad_norm_

from glowplug import Engine
from glowplug_supervised import (
    create_supervised_trainer,
    supervised_training_step_amp,
    supervised_training_step_apex,
    supervised_training_step_tpu,
)


def autocast_by_hand(
    setup: Any, data: list[Any], dtype: torch.dtype, scaler: GradScaler, clip: float | None = None
) -> None:
    for x, y in data:
        setup.optimizer.zero_grad()
        with torch.autocast("cpu", dtype=dtype):
            loss = setup.loss_fn(setup.model(x), y)
        scaler.scale(loss).backward()
        if clip is not None:
            scaler.unscale_(setup.optimizer)
            clip_grad_norm_(setup.model.parameters(), clip)
        scaler.step(setup.optimizer)
        scaler.update()


def test_bfloat16_on_a_cpu_is_autocast_written_by_hand(make: Make, batches: Batches) -> None:
    ours, theirs, full = make(), make(), make()
    create_supervised_trainer(*ours, amp_mode="amp", amp_dtype=torch.bfloat16).run(batches(5))
    create_supervised_trainer(*full).run(batches(5))
    autocast_by_hand(theirs, batches(5), torch.bfloat16, GradScaler("cpu", enabled=False))
    assert torch.equal(ours.weights(), theirs.weights())
    assert not torch.equal(ours.weights(), full.weights())


def test_the_forward_pass_and_the_loss_run_in_the_type_that_was_asked_for(
    make: Make, batches: Batches
) -> None:
    trainer = create_supervised_trainer(
        *make(),
        amp_mode="amp",
        output_transform=lambda x, y, y_pred, loss: (
            y_pred.dtype,
            torch.is_autocast_enabled("cpu"),
        ),
    )
    assert trainer.run(batches(1)).output == (torch.float16, False)


def test_autocast_is_of_the_models_device_where_none_is_given(batches: Batches) -> None:
    model = nn.Linear(4, 3, device="meta")
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    with pytest.raises(RuntimeError, match="meta"):
        create_supervised_trainer(model, optimizer, nn.functional.cross_entropy, amp_mode="amp")


def test_a_scaler_scales_the_loss_as_by_hand(make: Make, batches: Batches) -> None:
    ours, theirs = make(), make()
    mine, other = (GradScaler("cpu", init_scale=512.0, growth_interval=2) for _ in range(2))
    create_supervised_trainer(*ours, amp_mode="amp", scaler=mine).run(batches(5))
    autocast_by_hand(theirs, batches(5), torch.float16, other)
    assert torch.equal(ours.weights(), theirs.weights())
    assert mine.get_scale() == other.get_scale() == 2048.0


def test_gradients_are_unscaled_before_they_are_clipped(make: Make, batches: Batches) -> None:
    ours, theirs = make(), make()
    mine, other = (GradScaler("cpu", init_scale=2.0**12) for _ in range(2))
    trainer = create_supervised_trainer(*ours, amp_mode="amp", scaler=mine, clip_grad_norm=0.1)
    trainer.run(batches(5))
    autocast_by_hand(theirs, batches(5), torch.float16, other, clip=0.1)
    assert torch.equal(ours.weights(), theirs.weights())


def test_a_clipped_update_is_as_large_as_the_bound_whatever_the_scale(
    make: Make, batches: Batches
) -> None:
    setup = make(lr=1.0, momentum=0.0)
    before = setup.weights()
    scaler = GradScaler("cpu", init_scale=2.0**14)
    create_supervised_trainer(*setup, amp_mode="amp", scaler=scaler, clip_grad_norm=0.01).run(
        batches(1)
    )
    assert (setup.weights() - before).norm().item() == pytest.approx(0.01, rel=1e-3)


def test_an_update_that_overflows_is_left_out_and_the_scale_is_halved(
    make: Make, batches: Batches
) -> None:
    setup = make()
    before = setup.weights()
    scaler = GradScaler("cpu", init_scale=2.0**40)
    create_supervised_trainer(*setup, amp_mode="amp", scaler=scaler).run(batches(1))
    assert torch.equal(setup.weights(), before)
    assert scaler.get_scale() == 2.0**39


def test_scaled_gradients_are_accumulated_over_a_window(make: Make, batches: Batches) -> None:
    ours, plain = make(), make()
    scaler = GradScaler("cpu", init_scale=256.0)
    options: dict[str, Any] = {"gradient_accumulation_steps": 2, "clip_grad_norm": 0.1}
    create_supervised_trainer(
        *ours, amp_mode="amp", amp_dtype=torch.bfloat16, scaler=scaler, **options
    ).run(iter(batches(3)))
    create_supervised_trainer(*plain, amp_mode="amp", amp_dtype=torch.bfloat16, **options).run(
        iter(batches(3))
    )
    assert torch.allclose(ours.weights(), plain.weights(), atol=1e-6)


def test_a_step_in_an_engine_of_ones_own_takes_scaler_and_type(
    make: Make, batches: Batches
) -> None:
    ours, theirs = make(), make()
    mine, other = (GradScaler("cpu", init_scale=512.0) for _ in range(2))
    Engine(supervised_training_step_amp(*ours, scaler=mine)).run(batches(3))
    autocast_by_hand(theirs, batches(3), torch.float16, other)
    assert torch.equal(ours.weights(), theirs.weights())


@pytest.mark.parametrize(
    ("options", "kind", "message"),
    [
        ({"amp_mode": "apx"}, ValueError, "'amp', 'apex', 'tpu', got 'apx'; did you mean 'apex'"),
        ({"amp_mode": "amp", "amp_dtype": torch.float64}, ValueError, "bfloat16, got torch.float6"),
        ({"amp_dtype": torch.bfloat16}, ValueError, 'needs amp_mode="amp", got None'),
        ({"scaler": True}, ValueError, 'scaler=True needs amp_mode="amp", got None'),
        ({"scaler": True, "amp_mode": "apex"}, ValueError, "scaler=True needs .*got 'apex'"),
        ({"scaler": 1.0, "amp_mode": "amp"}, TypeError, "scaler must be True, False or a .*GradSc"),
    ],
)
def test_options_that_do_not_go_together_are_refused(
    make: Make, options: dict[str, Any], kind: type[Exception], message: str
) -> None:
    with pytest.raises(kind, match=message):
        create_supervised_trainer(*make(), **options)


@pytest.mark.parametrize(("mode", "package"), [("apex", "apex"), ("tpu", "torch_xla")])
def test_a_mode_whose_library_is_missing_is_refused_by_its_name(
    make: Make, monkeypatch: pytest.MonkeyPatch, mode: str, package: str
) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(ModuleNotFoundError, match=f"needs the package {package}.*install it"):
        create_supervised_trainer(*make(), amp_mode=mode)


@pytest.fixture
def libraries(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Stand in for apex and torch_xla, neither of which can be installed for tests."""
    called: list[str] = []

    @contextmanager
    def scale_loss(loss: torch.Tensor, optimizer: Any) -> Iterator[torch.Tensor]:
        called.append("scale_loss")
        yield loss

    def optimizer_step(optimizer: Any, barrier: bool) -> None:
        called.append(f"optimizer_step barrier={barrier}")
        optimizer.step()

    contents = {"scale_loss": scale_loss, "optimizer_step": optimizer_step}
    for name in ("apex", "apex.amp", "torch_xla", "torch_xla.core", "torch_xla.core.xla_model"):
        module = ModuleType(name)
        vars(module).update(contents)
        monkeypatch.setitem(sys.modules, name, module)
    return called


@pytest.mark.parametrize(
    ("mode", "call"), [("apex", "scale_loss"), ("tpu", "optimizer_step barrier=True")]
)
def test_a_mode_whose_library_is_there_trains_through_it(
    make: Make, batches: Batches, libraries: list[str], mode: str, call: str
) -> None:
    ours, plain = make(), make()
    create_supervised_trainer(*ours, amp_mode=mode).run(batches(3))
    create_supervised_trainer(*plain).run(batches(3))
    assert libraries == [call] * 3
    assert torch.equal(ours.weights(), plain.weights())


def test_the_steps_of_these_modes_can_be_put_into_an_engine_of_ones_own(
    make: Make, batches: Batches, libraries: list[str]
) -> None:
    Engine(supervised_training_step_apex(*make())).run(batches(1))
    Engine(supervised_training_step_tpu(*make())).run(batches(1))
    assert libraries == ["scale_loss", "optimizer_step barrier=True"]
