from __future__ import annotations

import time
import warnings
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from glowplug import Engine, Events, component
from glowplug.attached import AttachedHandler
from glowplug.phases import Phase
from glowplug.testing import assert_plugin_ok
from glowplug_budgets import BudgetWarning, HandlerBudget
from glowplug_budgets.meters import Meter

QUICK: Any = {"at_least": 0.03, "warm_up": 2}
BATCHES = range(40)


def attached(name: str) -> AttachedHandler:
    return AttachedHandler("e", "", name, "m", Phase.ACT, None, None, None)


def test_a_handler_that_takes_too_much_is_named_once(
    engine: Engine[Any, Any], slow: Any, complaints: Any
) -> None:
    engine.add_event_handler(Events.ITERATION_COMPLETED, slow)
    HandlerBudget(**QUICK).attach(engine)
    with complaints() as found:
        engine.run(BATCHES, max_epochs=2)
        engine.run(BATCHES)
    (warning,) = found
    assert isinstance(warning, BudgetWarning)
    assert warning.name.endswith("sleep_long")
    assert warning.limit == 0.1
    assert warning.share == 10 * 4 / (10 * 5 + 1), "of all that passed since its first call"


def test_the_warning_says_how_much_where_and_what_to_do(
    engine: Engine[Any, Any], slow: Any, complaints: Any
) -> None:
    handle = engine.add_event_handler(Events.ITERATION_COMPLETED, slow)
    assert handle
    HandlerBudget(**QUICK).attach(engine)
    with complaints() as found:
        engine.run(BATCHES)
    text = str(found[0])
    for said in (
        "sleep_long at ITERATION_COMPLETED takes 78% of the run, more than its budget of 10%: ",
        "10 calls of 4 ms on average, attached at ",
        "test_shares.py:",
        "as at Events.ITERATION_COMPLETED(every=33), ",
        "HandlerBudget(budgets={'sleep_long': 0.85})",
    ):
        assert said in text


def test_the_warning_points_to_the_line_that_attached_the_handler(
    engine: Engine[Any, Any], slow: Any
) -> None:
    engine.add_event_handler(Events.ITERATION_COMPLETED, slow)
    line = test_the_warning_points_to_the_line_that_attached_the_handler.__code__.co_firstlineno + 3
    HandlerBudget(**QUICK).attach(engine)
    with pytest.warns(BudgetWarning, match="sleep_long") as caught:
        engine.run(BATCHES)
    assert (caught[0].filename, caught[0].lineno) == (__file__, line)


def test_the_step_that_is_advised_is_enough(
    engine: Engine[Any, Any], slow: Any, complaints: Any
) -> None:
    engine.add_event_handler(Events.ITERATION_COMPLETED, slow)
    HandlerBudget(share=0.3, **QUICK).attach(engine)
    with complaints() as found:
        engine.run(BATCHES)
    share, every = found[0].share, int(str(found[0]).partition("every=")[2].partition(")")[0])
    assert (share / every) / (1 - share + share / every) <= 0.3


def test_a_larger_step_is_advised_where_there_is_a_filter(
    engine: Engine[Any, Any], slow: Any, complaints: Any
) -> None:
    engine.add_event_handler(Events.ITERATION_COMPLETED(every=2), slow)
    HandlerBudget(**QUICK).attach(engine)
    with complaints() as found:
        engine.run(BATCHES)
    assert "at ITERATION_COMPLETED(every=2) takes" in str(found[0])
    assert "a larger every=" in str(found[0])


def test_nobody_is_named_within_the_budget(
    engine: Engine[Any, Any], slow: Any, complaints: Any
) -> None:
    engine.add_event_handler(Events.ITERATION_COMPLETED, slow)
    engine.add_event_handler(Events.ITERATION_COMPLETED, lambda: None)
    HandlerBudget(budgets={"sleep_long": 0.8}, **QUICK).attach(engine)
    with complaints() as found:
        engine.run(BATCHES)
    assert found == []


def test_neither_the_warm_up_nor_a_first_call_counts(
    engine: Engine[Any, Any], complaints: Any
) -> None:
    def starts_slowly(engine: Engine[Any, Any]) -> None:
        if engine.state.iteration <= 3:
            time.sleep(0.02)

    engine.add_event_handler(Events.ITERATION_COMPLETED, starts_slowly)
    HandlerBudget(share=0.3, at_least=0.01, warm_up=3).attach(engine)
    with complaints() as found:
        engine.run(BATCHES)
    assert found == []


def test_a_handler_that_runs_once_an_epoch_is_judged_by_whole_epochs(
    engine: Engine[Any, Any], complaints: Any
) -> None:
    engine.add_event_handler(Events.EPOCH_STARTED, lambda: time.sleep(0.01))
    HandlerBudget(share=0.2, at_least=0.01, warm_up=0).attach(engine)
    with complaints() as found:
        engine.run(BATCHES, max_epochs=3)
    assert found == []  # a fifth of each epoch, though all of its first hundredth of a second


def test_the_time_between_runs_is_nobodys(engine: Engine[Any, Any], complaints: Any) -> None:
    engine.add_event_handler(Events.ITERATION_COMPLETED, lambda: time.sleep(0.002))
    HandlerBudget(share=0.4, at_least=0.01, warm_up=0).attach(engine)
    with complaints() as found:
        for _ in range(5):
            engine.run(range(3))
            time.sleep(0.05)
    assert [warning.share for warning in found] == [2 / 3]


def test_an_evaluator_counts_for_the_handler_that_runs_it(
    engine: Engine[Any, Any], complaints: Any
) -> None:
    evaluator: Engine[Any, Any] = Engine(lambda engine, batch: time.sleep(0.002))

    @engine.on(Events.EPOCH_COMPLETED)
    def evaluate() -> None:
        evaluator.run(range(10))

    HandlerBudget(share=0.2, at_least=0.01, warm_up=0).attach(engine)
    with complaints() as found:
        engine.run(range(5), max_epochs=4)
    ((name, share),) = [(warning.name.rpartition(".")[2], warning.share) for warning in found]
    assert (name, share) == ("evaluate", 2 * 20 / (2 * 25 + 2))


@pytest.fixture
def pair(make_plugin: Any, plugin_manager: Any, clock: Any) -> Engine[Any, Any]:
    """An engine with two handlers of a plugin, each of which takes as long as the step."""
    source = "import time\ndef one():\n    time.sleep(0.001)\ndef two():\n    time.sleep(0.001)\n"
    points = {"glowplug.handlers": {"one": "acme_pair:one"}}
    make_plugin("acme-pair", modules={"acme_pair": source}, entry_points=points)
    engine: Engine[Any, Any] = Engine(
        lambda engine, batch: time.sleep(0.001), plugins=plugin_manager()
    )
    import acme_pair  # type: ignore[import-not-found]  # laid down above

    for handler in (acme_pair.one, acme_pair.two):
        engine.add_event_handler(Events.ITERATION_COMPLETED, handler)
    return engine


def test_the_handlers_of_a_plugin_are_judged_together(
    pair: Engine[Any, Any], complaints: Any
) -> None:
    HandlerBudget(share=0.9, per_plugin=0.5, **QUICK).attach(pair)
    with complaints() as found:
        pair.run(BATCHES)
    (warning,) = found
    assert (warning.name, warning.limit) == ("acme-pair", 0.5)
    assert warning.share == pytest.approx(18 / 55 + 18 / 56), "the first came a millisecond earlier"
    for said in ("plugin acme-pair 1.0 takes", "with 2 handlers", "one at", "two at", "every="):
        assert said in str(warning)


def test_a_share_that_is_granted_to_a_plugin_is_for_its_handlers_too(
    pair: Engine[Any, Any], complaints: Any
) -> None:
    HandlerBudget(budgets={"acme-pair": 1.0}, **QUICK).attach(pair)
    with complaints() as found:
        pair.run(BATCHES)
    assert found == []


def test_a_handler_with_a_share_of_its_own_is_not_on_its_plugins_account(
    pair: Engine[Any, Any], complaints: Any
) -> None:
    HandlerBudget(share=0.9, per_plugin=0.5, budgets={"one": 0.9}, **QUICK).attach(pair)
    with complaints() as found:
        pair.run(BATCHES)
    assert found == []


def test_a_plugins_only_handler_is_named_as_the_handler_alone(
    make_plugin: Any, plugin_manager: Any, clock: Any, complaints: Any
) -> None:
    source = "import time\ndef slow():\n    time.sleep(0.004)\n"
    points = {"glowplug.handlers": {"slow": "acme_slow:slow"}}
    make_plugin("acme-slow", modules={"acme_slow": source}, entry_points=points)
    engine: Engine[Any, Any] = Engine(lambda engine, batch: batch, plugins=plugin_manager())
    import acme_slow  # type: ignore[import-not-found]  # laid down above

    engine.add_event_handler(Events.ITERATION_COMPLETED, acme_slow.slow)
    HandlerBudget(**QUICK).attach(engine)
    with complaints() as found:
        engine.run(BATCHES)
    assert [warning.name for warning in found] == ["slow"]
    assert "slow of acme-slow 1.0 at" in str(found[0])


def test_a_budget_that_was_detached_says_nothing(
    engine: Engine[Any, Any], slow: Any, complaints: Any
) -> None:
    engine.add_event_handler(Events.ITERATION_COMPLETED, slow)
    budget = HandlerBudget(**QUICK)
    budget.attach(engine)
    budget.detach(engine)
    with complaints() as found:
        engine.run(BATCHES)
    assert found == []


def test_where_warnings_are_errors_the_run_ends(engine: Engine[Any, Any], slow: Any) -> None:
    engine.add_event_handler(Events.ITERATION_COMPLETED, slow)
    HandlerBudget(**QUICK).attach(engine)
    with warnings.catch_warnings():
        warnings.simplefilter("error", BudgetWarning)
        with pytest.raises(BudgetWarning, match="takes 78% of the run"):
            engine.run(BATCHES)


def test_the_component_is_found_by_its_name(engine: Engine[Any, Any]) -> None:
    assert component("handler", "handler-budget") is HandlerBudget
    made: Engine[Any, Any] = Engine(lambda engine, batch: batch, handlers=["handler-budget"])
    assert made.run([1, 2]).iteration == 2


calls = st.lists(
    st.tuples(st.sampled_from(["step", "a", "b", "pause"]), st.integers(0, 50), st.integers(1, 50)),
    max_size=30,
)


@given(calls=calls, warm_up=st.integers(0, 3), at_least=st.integers(1, 200))
def test_shares_are_those_of_a_slow_and_obvious_count(
    calls: list[tuple[str, int, int]], warm_up: int, at_least: int
) -> None:
    handlers = {name: attached(name) for name in "ab"}
    meter, now, running = Meter(warm_up), 0, 0
    meter.run_began(0)
    log: list[tuple[str, int, int, int]] = []  # who, how long, when it ended, warm-up that is left
    steps = 0
    for who, wait, took in calls:
        now, running = now + wait, running + wait
        if who == "pause":
            meter.run_ended(now)
            now += took
            meter.run_began(now)
            continue
        now, running = now + took, running + took
        if who == "step":
            steps += 1
            meter.step_ran()
        else:
            meter.handler_ran(handlers[who], now - took, now)
            log.append((who, took, running, warm_up - steps))
    expected = {}
    for name in "ab":
        counted = [(took, ended) for who, took, ended, left in log if who == name and left <= 0]
        if len(counted) > 1 and running - counted[0][1] >= at_least:
            expected[name] = sum(took for took, _ in counted[1:]) / (running - counted[0][1])
    assert {s.handler.name: share for s, share in meter.shares(now, at_least)} == expected


def test_the_plugin_is_whole() -> None:
    assert_plugin_ok("glowplug-budgets")
