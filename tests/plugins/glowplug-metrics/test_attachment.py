from __future__ import annotations

import copy
import pickle
from collections.abc import Callable
from typing import Any

import pytest

from glowplug import Engine, Events
from glowplug.errors import InvalidArgument
from glowplug_metrics import (
    Average,
    BatchFiltered,
    EpochWise,
    Metric,
    RunningBatchWise,
    RunningEpochWise,
)


def test_an_attached_metric_says_so_for_its_usage_alone(engine: Engine[Any, Any]) -> None:
    average = Average()
    average.attach(engine, "m")
    assert average.is_attached(engine)
    assert average.is_attached(engine, EpochWise())
    assert not average.is_attached(engine, "batch_wise")
    assert not average.is_attached(engine, "running_epoch_wise")


def test_a_detached_metric_leaves_nothing_behind(engine: Engine[Any, Any]) -> None:
    average = Average()
    average.attach(engine, "m")
    average.detach(engine)
    assert not average.is_attached(engine)
    for method in (average.started, average.iteration_completed, average.completed):
        assert not engine.has_event_handler(method)
    assert engine.run([1.0]).metrics == {}


def test_detaching_what_is_not_attached_does_nothing(engine: Engine[Any, Any]) -> None:
    average = Average()
    average.attach(engine, "m")
    average.detach(engine, "batch_wise")
    assert average.is_attached(engine)


def test_two_names_share_one_gathering(engine: Engine[Any, Any]) -> None:
    average = Average()
    average.attach(engine, "a")
    average.attach(engine, "b")
    assert engine.run([1.0, 3.0]).metrics == {"a": 2.0, "b": 2.0}


def test_usages_of_one_pace_share_one_gathering(engine: Engine[Any, Any]) -> None:
    average = Average()
    average.attach(engine, "so far", "single_epoch_running_batch_wise")
    average.attach(engine, "epoch", "epoch_wise")
    average.detach(engine, "single_epoch_running_batch_wise")
    assert engine.run([1.0, 3.0], max_epochs=2).metrics == {"epoch": 2.0}


@pytest.mark.parametrize("usage", ["batch_wise", RunningEpochWise(), RunningBatchWise()])
def test_another_pace_on_the_same_engine_is_refused(engine: Engine[Any, Any], usage: Any) -> None:
    average = Average()
    average.attach(engine, "a")
    with pytest.raises(InvalidArgument, match="this Average resets or updates at other events"):
        average.attach(engine, "b", usage)
    assert engine.run([1.0, 3.0]).metrics == {"a": 2.0}


def test_another_filter_on_the_same_engine_is_refused(engine: Engine[Any, Any]) -> None:
    average = Average()
    average.attach(engine, "a", BatchFiltered(every=2))
    with pytest.raises(InvalidArgument, match="attach another instance"):
        average.attach(engine, "b", BatchFiltered(every=3))


def test_a_refused_composition_attaches_none_of_its_parts(engine: Engine[Any, Any]) -> None:
    free, busy = Average(), Average()
    busy.attach(engine, "busy", "batch_wise")
    with pytest.raises(InvalidArgument, match="at other events of this engine"):
        (free + busy).attach(engine, "sum")
    assert not engine.has_event_handler(free.iteration_completed)


def test_one_metric_serves_engines_that_run_at_other_times() -> None:
    average = Average()
    engines: list[Engine[float, float]] = [Engine(lambda engine, batch: batch) for _ in range(2)]
    for engine in engines:
        average.attach(engine, "m")
    assert engines[0].run([1.0, 3.0]).metrics == {"m": 2.0}
    assert engines[1].run([5.0]).metrics == {"m": 5.0}


def test_a_part_that_is_attached_itself_outlives_the_composition(engine: Engine[Any, Any]) -> None:
    part = Average()
    whole = part * 2
    whole.attach(engine, "whole")
    part.attach(engine, "part")
    whole.detach(engine)
    assert engine.run([1.0, 3.0]).metrics == {"part": 2.0}


def test_a_composition_outlives_its_part_and_its_twin(engine: Engine[Any, Any]) -> None:
    part = Average()
    first, second = part * 2, part * 3
    part.attach(engine, "part")
    first.attach(engine, "first")
    second.attach(engine, "second")
    part.detach(engine)
    first.detach(engine)
    assert engine.run([1.0, 3.0]).metrics == {"second": 6.0}


def test_the_last_composition_takes_its_part_with_it(engine: Engine[Any, Any]) -> None:
    part = Average()
    whole = part + part
    whole.attach(engine, "whole")
    assert whole.is_attached(engine)
    assert not part.is_attached(engine)
    whole.detach(engine)
    assert not engine.has_event_handler(part.iteration_completed)


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda both: pickle.loads(pickle.dumps(both))])
def test_copies_of_a_part_and_its_composition_belong_together(
    engine: Engine[Any, Any], copied: Callable[[Any], tuple[Metric, Metric]]
) -> None:
    original = Average()
    part, whole = copied((original, original * 2))
    part.attach(engine, "part")
    whole.attach(engine, "whole")
    part.detach(engine)
    assert engine.run([1.0, 3.0]).metrics == {"whole": 4.0}
    assert original.state_dict()["num_examples"] == 0


def test_a_copy_of_a_part_leaves_what_is_computed_from_it_behind() -> None:
    part = Average()
    whole = part.apply(lambda value: value)  # which cannot be pickled
    assert pickle.loads(pickle.dumps(part)).state_dict() == part.state_dict()
    del whole


def test_the_handlers_can_be_called_by_hand(engine: Engine[Any, Any]) -> None:
    average = Average()
    average.started(engine)
    for output in (1.0, 3.0):
        engine.state.output = output
        average.iteration_completed(engine)
    average.completed(engine, "m")
    assert engine.state.metrics == {"m": 2.0}


def test_it_is_attached_by_handlers_that_the_engine_knows(engine: Engine[Any, Any]) -> None:
    average = Average()
    average.attach(engine, "m")
    assert engine.has_event_handler(average.started, Events.EPOCH_STARTED)
    assert engine.has_event_handler(average.iteration_completed, Events.ITERATION_COMPLETED)
    assert engine.has_event_handler(average.completed, Events.EPOCH_COMPLETED)
