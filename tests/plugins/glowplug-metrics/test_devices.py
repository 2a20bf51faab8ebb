"""Updates on a device, played by one that has no values at all: torch's ``meta``.

What asks for a value there is an error; on an accelerator it would wait.
"""

from __future__ import annotations

from typing import Any

import pytest
import torch
from metric_cases import basic, of_classes, of_groups, of_numbers, updated
from torch.utils._pytree import tree_map

META = torch.device("meta")
CASES = {**basic.CASES, **of_classes.CASES, **of_groups.CASES, **of_numbers.CASES}


def keeps_nothing(name: str) -> bool:
    """Return whether a metric keeps no outputs for good, which would be copied to the host."""
    states = CASES[name].make().state_dict().items()
    return not any(isinstance(v, list) for k, v in states if not k.startswith("waiting_"))


@pytest.mark.parametrize("name", [name for name in CASES if keeps_nothing(name)])
def test_no_update_asks_the_device_for_a_value(name: str) -> None:
    make, draw = CASES[name].make, CASES[name].draw
    generator = torch.Generator().manual_seed(0)
    metric = updated(make(), [draw(generator, 15)])  # ranges are checked now or never
    metric.reset()
    large = draw(generator, 9000)  # which does not wait for others
    elsewhere = tree_map(lambda tensor: tensor.to(META), large)
    updated(metric, [elsewhere, elsewhere])


def test_the_device_notices_who_asks() -> None:
    asked: Any = torch.ones(3, device=META)
    with pytest.raises((RuntimeError, NotImplementedError), match=r"meta|Meta"):
        asked.sum().item()
    with pytest.raises((RuntimeError, NotImplementedError), match=r"meta|Meta"):
        asked.long().bincount()
