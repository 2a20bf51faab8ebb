from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import nn

from glowplug.errors import InvalidArgument, InvalidType


@pytest.fixture
def model() -> nn.Module:
    layers: dict[str, nn.Module] = {"fc1": nn.Linear(2, 2), "fc10": nn.Linear(2, 1, bias=False)}
    return nn.ModuleDict({"body": nn.ModuleDict(layers)})


def names(handler: Any) -> list[str]:
    return [name for name, _ in handler.weights()]


def test_dots_become_slashes_under_the_tag(model: nn.Module, weights_handler: Any) -> None:
    assert names(weights_handler(model, tag="gen")) == [
        "gen/weights/body/fc1/weight",
        "gen/weights/body/fc1/bias",
        "gen/weights/body/fc10/weight",
    ]


@pytest.mark.parametrize(
    ("whitelist", "chosen"),
    [
        (["body.fc1"], ["weights/body/fc1/weight", "weights/body/fc1/bias"]),
        (["body.fc10.weight"], ["weights/body/fc10/weight"]),
        (lambda name, parameter: parameter.ndim == 1, ["weights/body/fc1/bias"]),
        ([], []),
    ],
)
def test_a_whitelist_names_layers_or_parameters_or_decides(
    whitelist: Any, chosen: list[str], model: nn.Module, weights_handler: Any
) -> None:
    assert names(weights_handler(model, whitelist=whitelist)) == chosen


def test_a_whitelist_that_names_nothing_is_an_error_with_near_names(
    model: nn.Module, weights_handler: Any
) -> None:
    with pytest.raises(InvalidArgument, match=r"whitelist names 'body.fc2'.* 'body.fc1'"):
        weights_handler(model, whitelist=["body.fc2", "body.fc10"])


def test_a_whitelist_that_is_one_string_is_refused(model: nn.Module, weights_handler: Any) -> None:
    with pytest.raises(
        InvalidType, match="whitelist must be a list or tuple of strings, got 'body'"
    ):
        weights_handler(model, whitelist="body")


def test_something_without_parameters_is_refused(weights_handler: Any) -> None:
    with pytest.raises(InvalidType, match=r"model must be a module.*got 3 of type int"):
        weights_handler(3)


def test_a_lazy_parameter_is_left_out_until_it_is_made(weights_handler: Any) -> None:
    model = nn.LazyLinear(1, bias=False)
    handler = weights_handler(model)
    assert names(handler) == []
    model(torch.ones(1, 3))
    assert names(handler) == ["weights/weight"]


def test_gradients_that_there_are_not_are_left_out(model: nn.Module, weights_handler: Any) -> None:
    next(model.parameters()).grad = torch.ones(2, 2)
    assert [name for name, _ in weights_handler(model).gradients()] == ["grads/body/fc1/weight"]


def test_the_name_of_the_reduction_is_in_the_name(norms_handler: Any) -> None:
    model = nn.Linear(1, 1, bias=False)
    nn.init.constant_(model.weight, -2.0)

    def largest(x: torch.Tensor) -> torch.Tensor:
        return x.max()

    handlers = [norms_handler(model), norms_handler(model, largest, tag="net")]
    assert [handler.reduced(handler.weights()) for handler in handlers] == [
        {"weights_norm/weight": 2.0},
        {"net/weights_largest/weight": -2.0},
    ]


def test_a_reduction_may_give_a_plain_number_or_a_tensor_of_one(norms_handler: Any) -> None:
    model = nn.Linear(2, 1)
    for reduction in (lambda x: x.numel(), lambda x: x.reshape(-1)[:1] * 0 + x.numel()):
        handler = norms_handler(model, reduction)
        assert list(handler.reduced(handler.weights()).values()) == [2, 1]


@pytest.mark.parametrize("result", [None, "x", torch.ones(2), [1.0]])
def test_a_reduction_to_more_or_less_than_a_number_is_refused_at_once(
    result: object, model: nn.Module, norms_handler: Any
) -> None:
    with pytest.raises(InvalidType, match=r"must give a single number.* for 'body/fc1/weight'"):
        norms_handler(model, lambda x: result)


def test_a_reduction_that_cannot_be_called_is_refused(model: nn.Module, norms_handler: Any) -> None:
    with pytest.raises(InvalidType, match="reduction must be callable"):
        norms_handler(model, None)


def test_reducing_keeps_no_graph(model: nn.Module, norms_handler: Any) -> None:
    seen = []

    def reduction(x: torch.Tensor) -> torch.Tensor:
        seen.append(x.requires_grad)
        return x.sum()

    handler = norms_handler(model, reduction)
    handler.reduced(handler.weights())
    assert not any(seen)


def test_all_numbers_of_a_model_are_fetched_at_once(norms_handler: Any) -> None:
    fetched: list[int] = []

    class Norm(torch.Tensor):
        """A tensor that records being asked for its numbers."""

        def tolist(self) -> Any:
            fetched.append(self.numel())
            return super().tolist()

        def item(self) -> Any:
            fetched.append(1)
            return super().item()

    model = nn.Sequential(*[nn.Linear(2, 2) for _ in range(10)])
    handler = norms_handler(model, lambda x: x.norm().as_subclass(Norm))
    fetched.clear()
    assert len(handler.reduced(handler.weights())) == 20
    assert fetched == [20]
