"""The contracts of the schedulers."""

from __future__ import annotations

from typing import Any

import torch
from torch.optim.lr_scheduler import ExponentialLR, StepLR
from torch.utils.data import DataLoader

from glowplug import Engine, Events
from glowplug.testing import SchedulerContract
from glowplug_schedulers import (
    BatchSizeScheduler,
    ConcatScheduler,
    CosineAnnealingScheduler,
    ExpStateScheduler,
    LambdaStateScheduler,
    LinearCyclicalScheduler,
    LRScheduler,
    MultiStepStateScheduler,
    ParamGroupScheduler,
    PiecewiseLinear,
    PiecewiseLinearStateScheduler,
    ReduceLROnPlateauScheduler,
    StepStateScheduler,
    create_lr_scheduler_with_warmup,
)


def optimizer(groups: int = 1) -> torch.optim.Optimizer:
    """An optimizer whose groups have the learning rates 0.1, 0.2 and so on."""
    return torch.optim.SGD(
        [
            {"params": [torch.nn.Parameter(torch.zeros(1))], "lr": 0.1 * (group + 1)}
            for group in range(groups)
        ],
        momentum=0.9,
    )


def square(event: int) -> int:
    """A schedule that can be pickled."""
    return event**2


def larger(epoch: int) -> int:
    """Batch sizes that grow."""
    return 2 + epoch


class OfAnOptimizer(SchedulerContract):
    """A scheduler of an optimizer's learning rate, which it has in all groups."""

    attaching_twice = "error"

    def value(self, engine: Engine[Any, Any], component: Any) -> Any:
        return [group["lr"] for group in component.optimizer.param_groups]


class TestLinearCyclicalScheduler(OfAnOptimizer):
    component = "linear-cyclical-scheduler"

    def make(self) -> LinearCyclicalScheduler:
        return LinearCyclicalScheduler(optimizer(), "lr", 1.0, 0.0, 5, cycle_mult=1.5)


class TestCosineAnnealingScheduler(OfAnOptimizer):
    component = "cosine-annealing-scheduler"

    def make(self) -> CosineAnnealingScheduler:
        return CosineAnnealingScheduler(optimizer(), "lr", 1.0, 0.0, 4, warmup_duration=3)


class TestPiecewiseLinear(OfAnOptimizer):
    component = "piecewise-linear"

    def make(self) -> PiecewiseLinear:
        return PiecewiseLinear(optimizer(2), "lr", [(1, 0.5), (7, 1.0), (9, 0.0)])


class TestConcatScheduler(OfAnOptimizer):
    component = "concat-scheduler"

    def make(self) -> ConcatScheduler:
        own = optimizer(2)
        torchs = LRScheduler(ExponentialLR(own, gamma=0.5))
        rising = PiecewiseLinear(own, "lr", [(0, 0.0), (4, 1.0)])
        cyclic = LinearCyclicalScheduler(own, "lr", 1.0, 0.0, 3)
        return ConcatScheduler([rising, torchs, cyclic], durations=[4, 3])


class TestLRScheduler(OfAnOptimizer):
    component = "lr-scheduler"

    def make(self) -> LRScheduler:
        return LRScheduler(StepLR(optimizer(2), step_size=5, gamma=0.5))


class TestLRSchedulerOfEpochs(TestLRScheduler):
    """A run that goes on fires EPOCH_STARTED again."""

    def attach(self, component: LRScheduler, engine: Engine[Any, Any]) -> Any:
        return component.attach(engine, Events.EPOCH_STARTED)

    def make(self) -> LRScheduler:
        return LRScheduler(ExponentialLR(optimizer(), gamma=0.5))


class TestParamGroupScheduler(OfAnOptimizer):
    component = "param-group-scheduler"

    def value(self, engine: Engine[Any, Any], component: Any) -> Any:
        return [group["lr"] for group in component.optimizer_param_groups]

    def make(self) -> ParamGroupScheduler:
        own = optimizer(2)
        return ParamGroupScheduler(
            [
                LinearCyclicalScheduler(own, "lr", 1.0, 0.0, 5, param_group_index=0),
                CosineAnnealingScheduler(own, "lr", 2.0, 0.0, 7, param_group_index=1),
            ]
        )


class TestReduceLROnPlateauScheduler(OfAnOptimizer):
    component = "reduce-lr-on-plateau-scheduler"
    needs = ("loss",)

    def make(self) -> ReduceLROnPlateauScheduler:
        return ReduceLROnPlateauScheduler(optimizer(2), "loss", patience=1, factor=0.5)

    def make_engine(self) -> Engine[Any, Any]:
        engine = super().make_engine()
        engine.state.metrics["loss"] = 0.5
        return engine


class TestLRSchedulerWithWarmup(OfAnOptimizer):
    component = "lr-scheduler-with-warmup"

    def make(self) -> ConcatScheduler:
        following = ExponentialLR(optimizer(2), gamma=0.5)
        return create_lr_scheduler_with_warmup(following, 0.0, warmup_duration=5)


class TestBatchSizeScheduler(SchedulerContract):
    component = "batch-size-scheduler"
    attaching_twice = "error"

    def make(self) -> BatchSizeScheduler:
        data: Any = range(12)
        return BatchSizeScheduler(DataLoader(data, batch_size=1), larger)

    def value(self, engine: Engine[Any, Any], component: BatchSizeScheduler) -> Any:
        sampler: Any = component.dataloader.batch_sampler
        return sampler.batch_size


class OfTheState(SchedulerContract):
    """A scheduler of an attribute of the state, which it makes."""

    attaching_twice = "error"
    leaves = ("p",)

    def value(self, engine: Engine[Any, Any], component: Any) -> Any:
        return engine.state.p


class TestLambdaStateScheduler(OfTheState):
    component = "lambda-state-scheduler"

    def make(self) -> LambdaStateScheduler:
        return LambdaStateScheduler(square, "p", create_new=True)


class TestPiecewiseLinearStateScheduler(OfTheState):
    component = "piecewise-linear-state-scheduler"

    def make(self) -> PiecewiseLinearStateScheduler:
        return PiecewiseLinearStateScheduler([(2, 0.0), (9, 1.0)], "p", create_new=True)


class TestExpStateScheduler(OfTheState):
    component = "exp-state-scheduler"

    def make(self) -> ExpStateScheduler:
        return ExpStateScheduler(1, 0.9, "p", create_new=True)


class TestExpStateSchedulerOfEpochs(TestExpStateScheduler):
    """A run that goes on fires EPOCH_STARTED again."""

    def attach(self, component: ExpStateScheduler, engine: Engine[Any, Any]) -> Any:
        return component.attach(engine, Events.EPOCH_STARTED)


class TestStepStateScheduler(OfTheState):
    component = "step-state-scheduler"

    def make(self) -> StepStateScheduler:
        return StepStateScheduler(1, 0.9, 2, "p", create_new=True)


class TestMultiStepStateScheduler(OfTheState):
    component = "multi-step-state-scheduler"

    def make(self) -> MultiStepStateScheduler:
        return MultiStepStateScheduler(1, 0.9, [2, 5, 7], "p", create_new=True)
