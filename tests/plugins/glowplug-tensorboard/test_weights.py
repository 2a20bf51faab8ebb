from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import nn

from glowplug import Engine, Events
from glowplug.errors import InvalidArgument, InvalidType
from glowplug_loggers import LoggerWarning
from glowplug_tensorboard import (
    GradsHistHandler,
    GradsScalarHandler,
    WeightsHistHandler,
    WeightsScalarHandler,
)

Trainer = Engine[Any, Any]
Scalars = Callable[[], dict[str, list[tuple[int, float]]]]


def test_norms_of_weights_are_read_back(
    logger: Any, trainer: Trainer, model: nn.Module, scalars: Scalars
) -> None:
    logger.attach(trainer, WeightsScalarHandler(model), Events.EPOCH_COMPLETED)
    trainer.run([1, 2], max_epochs=1)
    assert scalars() == {
        "weights_norm/0/weight": [(1, 4.0)],
        "weights_norm/1/weight": [(1, pytest.approx(8**0.5))],
        "weights_norm/1/bias": [(1, 2.0)],
    }


def test_a_reduction_a_tag_and_a_whitelist_are_in_the_names(
    logger: Any, trainer: Trainer, model: nn.Module, scalars: Scalars
) -> None:
    def mean(x: torch.Tensor) -> torch.Tensor:
        return x.mean()

    handler = WeightsScalarHandler(model, mean, tag="net", whitelist=["1"])
    logger.attach(trainer, handler, Events.ITERATION_COMPLETED(once=2))
    trainer.run([1, 2])
    assert scalars() == {
        "net/weights_mean/1/weight": [(2, 2.0)],
        "net/weights_mean/1/bias": [(2, 2.0)],
    }


def test_norms_of_the_gradients_that_there_are_are_read_back(
    logger: Any, trainer: Trainer, model: nn.Module, scalars: Scalars
) -> None:
    next(iter(model.parameters())).grad = torch.full((2, 2), 3.0)
    logger.attach(trainer, GradsScalarHandler(model, tag="net"), Events.COMPLETED)
    trainer.run([1])
    assert scalars() == {"net/grads_norm/0/weight": [(1, 6.0)]}


def test_histograms_of_weights_are_read_back(
    logger: Any, trainer: Trainer, model: nn.Module, read: Callable[[], Any]
) -> None:
    logger.attach(trainer, WeightsHistHandler(model, "net", ["0"]), Events.EPOCH_COMPLETED)
    trainer.run([1], max_epochs=2)
    files = read()
    assert files.Tags()["histograms"] == ["net/weights/0/weight"]
    histograms = files.Histograms("net/weights/0/weight")
    assert [event.step for event in histograms] == [1, 2]
    assert (histograms[0].histogram_value.num, histograms[0].histogram_value.sum) == (4.0, 8.0)


def test_histograms_of_the_gradients_that_there_are_are_read_back(
    logger: Any, trainer: Trainer, model: nn.Module, read: Callable[[], Any]
) -> None:
    list(model.parameters())[-1].grad = torch.tensor([5.0])
    logger.attach(trainer, GradsHistHandler(model), Events.COMPLETED)
    trainer.run([1])
    files = read()
    assert files.Tags()["histograms"] == ["grads/1/bias"]
    assert files.Histograms("grads/1/bias")[0].histogram_value.max == 5.0


def test_a_norm_that_is_nan_is_read_back(
    logger: Any, trainer: Trainer, model: nn.Module, scalars: Scalars
) -> None:
    nn.init.constant_(list(model.parameters())[-1], torch.nan)
    logger.attach(trainer, WeightsScalarHandler(model), Events.COMPLETED)
    trainer.run([1])
    assert str(scalars()["weights_norm/1/bias"]) == "[(1, nan)]"


def test_a_histogram_leaves_nan_and_infinities_out_with_one_warning(
    logger: Any, trainer: Trainer, read: Callable[[], Any]
) -> None:
    model = nn.Linear(3, 2)
    with torch.no_grad():
        model.weight[0] = torch.tensor([1.0, torch.nan, -torch.inf])
        model.bias[:] = torch.nan
    logger.attach(trainer, WeightsHistHandler(model), Events.EPOCH_COMPLETED)
    with pytest.warns(LoggerWarning, match="infinite or NaN and left out") as caught:
        trainer.run([1], max_epochs=2)
    assert [str(warning.message)[:30] for warning in caught] == [
        "2 of 6 values of 'weights/weig",
        "2 of 2 values of 'weights/bias",
    ]
    files = read()
    assert files.Tags()["histograms"] == ["weights/weight"]
    assert files.Histograms("weights/weight")[0].histogram_value.num == 4.0


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16, torch.float64])
def test_a_histogram_takes_any_precision(
    dtype: torch.dtype, logger: Any, trainer: Trainer, read: Callable[[], Any]
) -> None:
    model = nn.Linear(1, 1, bias=False, dtype=dtype)
    nn.init.constant_(model.weight, 30000.0)
    logger.attach(trainer, WeightsHistHandler(model), Events.COMPLETED)
    trainer.run([1])
    maximum = read().Histograms("weights/weight")[0].histogram_value.max
    assert maximum == pytest.approx(30000.0, rel=0.01)


def test_a_parameter_without_elements_has_no_histogram(
    logger: Any, trainer: Trainer, read: Callable[[], Any]
) -> None:
    model = nn.ParameterDict({"empty": torch.zeros(0), "one": torch.zeros(1)})
    logger.attach(trainer, WeightsHistHandler(model), Events.COMPLETED)
    trainer.run([1])
    assert read().Tags()["histograms"] == ["weights/one"]


def test_a_sparse_gradient_has_a_norm_and_a_histogram(
    logger: Any, trainer: Trainer, read: Callable[[], Any]
) -> None:
    model = nn.Embedding(4, 2, sparse=True)
    model(torch.tensor([1, 1])).sum().backward()
    for handler in (GradsScalarHandler(model), GradsHistHandler(model)):
        logger.attach(trainer, handler, Events.COMPLETED)
    trainer.run([1])
    files = read()
    assert files.Scalars("grads_norm/weight")[0].value == pytest.approx(8**0.5)
    assert files.Histograms("grads/weight")[0].histogram_value.sum == 4.0


@pytest.mark.parametrize(
    "kind", [WeightsScalarHandler, WeightsHistHandler, GradsScalarHandler, GradsHistHandler]
)
def test_what_cannot_be_logged_is_refused_when_the_handler_is_made(
    kind: Any, model: nn.Module
) -> None:
    with pytest.raises(InvalidType, match=r"model must be a module.* got 3 of type int"):
        kind(3)
    with pytest.raises(InvalidType, match="tag must be a string or None, got 3"):
        kind(model, tag=3)
    with pytest.raises(InvalidArgument, match=r"whitelist names '0\.wieght'.* '0\.weight'"):
        kind(model, whitelist=["0.wieght"])
