from __future__ import annotations

from typing import Any

import pytest
import torch

from glowplug import Events
from glowplug.errors import InvalidArgument, InvalidType


def two_groups(**options: Any) -> torch.optim.Optimizer:
    weights = [torch.zeros(1, requires_grad=True) for _ in range(2)]
    groups: list[dict[str, Any]] = [{"params": weights[0]}, {"params": weights[1], "lr": 0.5}]
    return torch.optim.SGD(groups, lr=0.1, **options)


def test_each_group_has_its_number(params_handler: Any) -> None:
    handler = params_handler(two_groups(momentum=0.9))
    assert handler.values() == {"lr/group_0": 0.1, "lr/group_1": 0.5}


def test_another_parameter_and_a_tag_are_in_the_names(params_handler: Any) -> None:
    handler = params_handler(two_groups(momentum=0.9), "momentum", tag="gen")
    assert handler.values() == {"gen/momentum/group_0": 0.9, "gen/momentum/group_1": 0.9}


def test_a_pair_such_as_adams_betas_becomes_two_numbers(params_handler: Any) -> None:
    adam = torch.optim.Adam([torch.zeros(1, requires_grad=True)], betas=(0.5, 0.75))
    assert params_handler(adam, "betas").values() == {
        "betas/group_0/0": 0.5,
        "betas/group_0/1": 0.75,
    }


def test_a_learning_rate_that_is_a_tensor_is_fetched(params_handler: Any) -> None:
    adam = torch.optim.Adam([torch.zeros(1, requires_grad=True)], lr=torch.tensor(0.5))
    assert params_handler(adam).values() == {"lr/group_0": 0.5}


def test_values_are_those_of_now(logger: Any, halver: Any) -> None:
    trainer, optimizer = halver(), two_groups()
    logger.attach_opt_params_handler(trainer, Events.ITERATION_STARTED, optimizer)
    trainer.on(Events.ITERATION_COMPLETED)(lambda: optimizer.param_groups[0].update(lr=0.2))
    trainer.run([1, 2])
    assert [value for name, value, _ in logger.lines if name == "lr/group_0"] == [0.1, 0.2]


def test_a_parameter_that_no_group_has_is_an_error_with_near_names(params_handler: Any) -> None:
    with pytest.raises(InvalidArgument, match=r"no 'momentun' in group 0, 1.*'momentum'"):
        params_handler(two_groups(), "momentun")


@pytest.mark.parametrize("wrong", [3, type("Odd", (), {"param_groups": 3})()])
def test_something_without_groups_is_refused(wrong: object, params_handler: Any) -> None:
    with pytest.raises(InvalidType, match="optimizer must be an optimizer: it has a list of dicts"):
        params_handler(wrong)


def test_a_parameter_name_that_is_no_string_is_refused(params_handler: Any) -> None:
    with pytest.raises(InvalidType, match="param_name must be a string, got 3"):
        params_handler(two_groups(), 3)


def test_a_value_that_is_no_number_is_an_error(params_handler: Any) -> None:
    handler = params_handler(torch.optim.Adam([torch.zeros(1, requires_grad=True)]), "fused")
    with pytest.raises(InvalidType, match=r"fused/group_0 of Adam cannot be logged.*got None"):
        handler.values()
