"""The contract of components, kept and broken."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import pytest

from glowplug.testing import PluginMaker

Judge = Callable[..., Any]

# A stranger's: it imports neither glowplug nor pluggy.
TOTAL = """
    class Total:
        def __init__(self, scale=1.0):
            self.scale, self.total = scale, 0.0

        def attach(self, engine):
            if engine.has_event_handler(self.update):
                raise ValueError("this total is attached already")
            return engine.add_event_handler("ITERATION_COMPLETED", self.update)

        def update(self, engine):
            self.total += self.scale * engine.state.output

        def state_dict(self):
            return {"total": self.total}

        def load_state_dict(self, state):
            self.total = state["total"]
"""
CONTRACT = """
    from glowplug import Engine
    from glowplug.testing import ComponentContract

    class TestTotal(ComponentContract):
        attaching_twice = "error"

        def make(self):
            return Total(scale=2.0)
"""
# It keeps nothing, and so does not save.
GUARD = """
    class Guard:
        def attach(self, engine):
            return engine.add_event_handler("ITERATION_COMPLETED", self.check)

        def check(self, engine):
            if engine.state.output > 3:
                engine.terminate()
"""
GUARDED = """
    from glowplug.testing import ComponentContract

    class TestGuard(ComponentContract):
        saves = False

        def make(self):
            return Guard()
"""
ALL = {
    "it_is_what_its_kind_asks_for",
    "two_of_them_come_to_the_same_outcome",
    "it_prints_nothing",
    "it_leaves_the_global_random_generators_alone",
    "it_pickles_or_says_why_not",
    "attaching_adds_a_handler",
    "attaching_and_detaching_leave_the_engine_as_it_was",
    "detaching_after_a_run_leaves_no_handler_behind",
    "attaching_twice_is_an_error_or_harmless_as_declared",
    "a_run_goes_on_from_any_saved_iteration_to_the_same_outcome",
    "an_engine_without_what_it_needs_gets_an_error_that_names_it",
}


def test_a_stranger_who_imports_neither_glowplug_nor_pluggy_keeps_the_contract(
    judge: Judge,
) -> None:
    verdicts = judge(TOTAL, CONTRACT)
    assert set(verdicts.of("passed")) == set(verdicts) == ALL


def test_one_who_keeps_nothing_and_ends_the_run_keeps_the_contract(judge: Judge) -> None:
    assert set(judge(GUARD, GUARDED).of("passed")) == ALL


# What is broken: source that follows the stranger's, the test that fails, and what it says.
BROKEN = {
    "no attach": (
        "del Total.attach\nTestTotal.attach = lambda s, c, e: attach(c, e)",
        "it_is_what_its_kind_asks_for",
        "expected a class, a function, or an object with attach(engine)",
    ),
    "shares through the class": (
        """
        class Once(Total):
            used = False
            def update(self, engine):
                super().update(engine)
                self.total += not Once.used
                Once.used = True
        TestTotal.make = lambda self: Once()
        """,
        "two_of_them_come_to_the_same_outcome",
        "something is shared between them or left to chance",
    ),
    "gathers in the class": (
        """
        class Shared(Total):
            seen = []
            def update(self, engine):
                super().update(engine)
                self.seen.append(engine.state.output)
        TestTotal.make = lambda self: Shared()
        TestTotal.outcome = lambda self, engine, total: {"seen": total.seen}
        TestTotal.saves = TestTotal.test_it_pickles_or_says_why_not = "elsewhere"
        del Total.state_dict
        """,
        "two_of_them_come_to_the_same_outcome",
        "['seen'].length: 24, not 12",
    ),
    "prints": (
        "Total.update = lambda self, engine: (update(self, engine), print('hello'))",
        "it_prints_nothing",
        "'hello\\n",
    ),
    "writes to the file descriptor": (
        "Total.update = lambda self, engine: (update(self, engine), os.write(1, b'hello'))",
        "it_prints_nothing",
        "was printed to stdout; log it, or declare",
    ),
    "writes to stderr": (
        "Total.update = lambda self, engine: (update(self, engine), sys.stderr.write('hello'))",
        "it_prints_nothing",
        "prints_to = 'stderr'",
    ),
    "claims a stream that it does not use": (
        "TestTotal.prints_to = 'stderr'",
        "it_prints_nothing",
        "nothing was printed to stderr",
    ),
    "draws from random": (
        "Total.update = lambda self, engine: (update(self, engine), random.random())",
        "it_leaves_the_global_random_generators_alone",
        "the global generators of random were used or seeded",
    ),
    "seeds random": (
        "Total.update = lambda self, engine: (update(self, engine), random.seed(0))",
        "it_leaves_the_global_random_generators_alone",
        "random.Random(seed)",
    ),
    "cannot be pickled and does not say why": (
        "Total.__reduce__ = lambda self: {}['file']",
        "it_pickles_or_says_why_not",
        "neither a TypeError, a GlowplugError nor one of pickle's own: KeyError: 'file'",
    ),
    "cannot be pickled and does not declare it": (
        "TestTotal.make = lambda self: vars(t := Total()).update(f=threading.Lock()) or t",
        "it_pickles_or_says_why_not",
        "declare words from the message",
    ),
    "pickles as another": (
        "Total.__reduce__ = lambda self: (Total, ())",
        "it_pickles_or_says_why_not",
        "a pickled copy came to another outcome",
    ),
    "declares that it cannot be pickled": (
        "TestTotal.pickles = 'open file'",
        "it_pickles_or_says_why_not",
        "need not be declared",
    ),
    "attaches nothing": (
        """
        class Handle:
            def remove(self): ...
        def refuse_twice(self, engine):
            if "attached" in vars(self):
                raise ValueError("attached already")
            self.attached = True
            return Handle()
        Total.attach = refuse_twice
        """,
        "attaching_adds_a_handler",
        "attaching changed nothing",
    ),
    "leaves a changed attribute": (
        "Total.attach = lambda s, e: (attach(s, e), setattr(e.state, 'seed', 7))[0]",
        "attaching_and_detaching_leave_the_engine_as_it_was",
        "state.seed: was None, is 7",
    ),
    "leaves an observer": (
        """
        from glowplug import Observer
        def watched(self, engine):
            handle = attach(self, engine)
            engine.observe(Observer())
            return handle
        Total.attach = watched
        TestTotal.test_detaching_after_a_run_leaves_no_handler_behind = None
        """,
        "attaching_and_detaching_leave_the_engine_as_it_was",
        "observer Observer: added",
    ),
    "leaves another step": (
        "Total.attach = lambda s, e: (attach(s, e), vars(e).update(_step=len))[0]\n"
        "TestTotal.run = lambda self, engine: None\n"
        "TestTotal.test_a_run_goes_on_from_any_saved_iteration_to_the_same_outcome = None",
        "attaching_and_detaching_leave_the_engine_as_it_was",
        "the step: was <",
    ),
    "leaves an attribute": (
        "Total.attach = lambda s, e: (attach(s, e), setattr(e.state, 'mark', 7))[0]",
        "attaching_and_detaching_leave_the_engine_as_it_was",
        "state.mark: added",
    ),
    "leaves a key that is saved": (
        "Total.attach = lambda s, e: (attach(s, e), e.state_dict_user_keys.append('seed'))[0]",
        "attaching_and_detaching_leave_the_engine_as_it_was",
        "engine.state_dict_user_keys: was [], is ['seed']",
    ),
    "moves what others attached": (
        """
        def noted(engine): ...
        def with_note(self):
            engine = Engine(self.step)
            engine.add_event_handler("STARTED", noted)
            return engine
        def detach(self, engine):
            engine.remove_event_handler(self.update, "ITERATION_COMPLETED")
            engine.remove_event_handler(noted, "STARTED")
            engine.add_event_handler("STARTED", noted)
        TestTotal.make_engine, Total.detach = with_note, detach
        TestTotal.test_detaching_after_a_run_leaves_no_handler_behind = None
        """,
        "attaching_and_detaching_leave_the_engine_as_it_was",
        "handlers at STARTED: not the same, or in another order",
    ),
    "leaves a handler that came in the run": (
        """
        def update_and_stay(self, engine):
            update(self, engine)
            if not engine.has_event_handler(self.stay):
                engine.add_event_handler("COMPLETED", self.stay)
        Total.update, Total.stay = update_and_stay, lambda self: None
        """,
        "detaching_after_a_run_leaves_no_handler_behind",
        "at COMPLETED: added",
    ),
    "counts twice": (
        "Total.attach = lambda s, e: e.add_event_handler('ITERATION_COMPLETED', s.update)\n"
        "TestTotal.attaching_twice = 'harmless'",
        "attaching_twice_is_an_error_or_harmless_as_declared",
        "attached twice, it came to another outcome than once",
    ),
    "is refused twice, undeclared": (
        "TestTotal.attaching_twice = 'harmless'",
        "attaching_twice_is_an_error_or_harmless_as_declared",
        "declare attaching_twice = 'error'",
    ),
    "is not refused twice, as declared": (
        "Total.attach = lambda s, e: e.add_event_handler('ITERATION_COMPLETED', s.update)",
        "attaching_twice_is_an_error_or_harmless_as_declared",
        "attaching twice raised nothing",
    ),
    "is refused twice without a word": (
        """
        def silent(self, engine):
            if engine.has_event_handler(self.update):
                raise ValueError
            return attach(self, engine)
        Total.attach = silent
        """,
        "attaching_twice_is_an_error_or_harmless_as_declared",
        "attaching twice raised a ValueError without a message",
    ),
    "changes the engine before it refuses": (
        """
        def hasty(self, engine):
            engine.state.seed = (engine.state.seed or 0) + 1
            handle = attach(self, engine)
            engine.state.seed = None
            return handle
        Total.attach = hasty
        """,
        "attaching_twice_is_an_error_or_harmless_as_declared",
        "state.seed: was None, is 1",
    ),
    "loses what it saved": (
        "Total.load_state_dict = lambda self, state: None",
        "a_run_goes_on_from_any_saved_iteration_to_the_same_outcome",
        "saved after iteration 1, it came to another outcome",
    ),
    "saves what no file takes": (
        "Total.state_dict = lambda self: {'total': self.total, 'f': id}\n"
        "Total.state_dict = lambda self: {'total': self.total, 'n': (n for n in ())}\n"
        "TestTotal.outcome = lambda self, engine, total: {'total': total.total}",
        "a_run_goes_on_from_any_saved_iteration_to_the_same_outcome",
        "cannot pickle 'generator' object",
    ),
    "does not name what it needs": (
        """
        def hurt(self, engine):
            if not hasattr(engine.state, "scale"):
                raise RuntimeError("something is missing")
            return attach(self, engine)
        def with_scale(self):
            engine = Engine(self.step)
            engine.state.scale = 2.0
            return engine
        Total.attach, TestTotal.make_engine, TestTotal.needs = hurt, with_scale, ("scale",)
        """,
        "an_engine_without_what_it_needs_gets_an_error_that_names_it",
        "the error does not name scale: RuntimeError: something is missing",
    ),
    "needs something and does not declare it": (
        """
        def scaled(self, engine):
            self.total += engine.state.scale
        def with_scale(self):
            engine = Engine(self.step)
            engine.state.scale = 2.0
            return engine
        Total.update, TestTotal.make_engine = scaled, with_scale
        """,
        "an_engine_without_what_it_needs_gets_an_error_that_names_it",
        "declare the names of what an engine must have",
    ),
    "needs nothing of what it declares": (
        "TestTotal.needs = ('scale',)",
        "an_engine_without_what_it_needs_gets_an_error_that_names_it",
        "neither an error nor a warning, although needs = ('scale',)",
    ),
}
BEFORE = "import os, random, sys, threading\n"
ORIGINALS = "attach, update = Total.attach, Total.update\n"


@pytest.mark.parametrize(("change", "failing", "said"), BROKEN.values(), ids=BROKEN)
def test_a_broken_component_fails_in_the_test_that_is_about_it(
    change: str, failing: str, said: str, judge: Judge
) -> None:
    verdicts = judge(BEFORE, TOTAL, CONTRACT, ORIGINALS, change)
    assert verdicts.of("failed") == [failing]
    assert said in verdicts.said[failing]


# What does not apply is declared, and shown as skipped with the reason.
DECLARED = {
    "stays": ("Total.attach = stay\nTestTotal.detaches = 'it guards the run'", 2),
    "loses": (
        "del Total.state_dict, Total.load_state_dict\nTestTotal.saves = 'it starts anew'\n",
        1,
    ),
    "random": ("TestTotal.global_random = 'it shuffles for all'", 1),
}
STAY = "def stay(self, engine):\n    attach(self, engine)\n"


@pytest.mark.parametrize(("change", "times"), DECLARED.values(), ids=DECLARED)
def test_what_is_declared_not_to_apply_is_skipped_for_all_to_see(
    change: str, times: int, judge: Judge
) -> None:
    verdicts = judge(TOTAL, CONTRACT, ORIGINALS, STAY, change)
    assert verdicts.of("failed") == []
    skipped = verdicts.of("skipped")
    assert len(skipped) == times
    assert all("declared: it " in verdicts.said[name] for name in skipped)


UNDECLARED = {
    "no detach": (
        "Total.attach = stay",
        "attaching_and_detaching_leave_the_engine_as_it_was",
        "declare why it stays: detaches = '...'",
    ),
    "no state_dict": (
        "del Total.state_dict, Total.load_state_dict",
        "a_run_goes_on_from_any_saved_iteration_to_the_same_outcome",
        "declare saves = False",
    ),
    "a detach that is denied": (
        "TestTotal.detaches = 'it stays'",
        "attaching_and_detaching_leave_the_engine_as_it_was",
        "it can be detached, although",
    ),
    "a state_dict that is denied": (
        "TestTotal.saves = False",
        "a_run_goes_on_from_any_saved_iteration_to_the_same_outcome",
        "it has a state_dict, although saves = False",
    ),
    "state that is kept and not saved": (
        "del Total.state_dict, Total.load_state_dict\nTestTotal.saves = False\n"
        "TestTotal.outcome = lambda self, engine, total: {'total': total.total}",
        "a_run_goes_on_from_any_saved_iteration_to_the_same_outcome",
        "it came to another outcome",
    ),
}


@pytest.mark.parametrize(("change", "failing", "said"), UNDECLARED.values(), ids=UNDECLARED)
def test_what_is_not_declared_or_is_not_so_fails(
    change: str, failing: str, said: str, judge: Judge
) -> None:
    verdicts = judge(TOTAL, CONTRACT, ORIGINALS, STAY, change)
    assert failing in verdicts.of("failed")
    assert said in verdicts.said[failing]


def test_an_error_that_is_declared_by_its_words_counts_as_saying_why(judge: Judge) -> None:
    held = "TestTotal.make = lambda self: vars(t := Total()).update(f=threading.Lock()) or t"
    verdicts = judge(BEFORE, TOTAL, CONTRACT, held, "TestTotal.pickles = 'lock'")
    assert verdicts.of("failed") == []


def test_an_error_without_the_declared_words_does_not(judge: Judge) -> None:
    held = "TestTotal.make = lambda self: vars(t := Total()).update(f=threading.Lock()) or t"
    verdicts = judge(BEFORE, TOTAL, CONTRACT, held, "TestTotal.pickles = 'open file'")
    assert verdicts.of("failed") == ["it_pickles_or_says_why_not"]


def test_the_contract_itself_leaves_the_generators_as_they_were(judge: Judge) -> None:
    before = random.getstate()
    judge(TOTAL, CONTRACT)
    assert random.getstate() == before


def test_a_contract_without_make_says_that_it_needs_one(judge: Judge) -> None:
    verdicts = judge(TOTAL, CONTRACT, "del TestTotal.make")
    assert set(verdicts.of("failed")) == ALL
    assert "TestTotal: define make(self)" in verdicts.said["it_prints_nothing"]


def test_an_event_that_stays_registered_is_declared(judge: Judge) -> None:
    registers = "Total.attach = lambda s, e: (e.register_events('totalled'), attach(s, e))[1]"
    assert judge(TOTAL, CONTRACT, ORIGINALS, registers).of("failed") == [
        "attaching_and_detaching_leave_the_engine_as_it_was",
        "detaching_after_a_run_leaves_no_handler_behind",
    ]
    declared = "TestTotal.leaves = ('totalled',)"
    assert judge(TOTAL, CONTRACT, ORIGINALS, registers, declared).of("failed") == []


LACKING = """
    import warnings

    def warn(self, engine):
        for name in ("scale", "offset"):
            if not hasattr(engine.state, name):
                warnings.warn(f"state.{name} is missing")
        return attach(self, engine)

    def with_both(self):
        engine = Engine(self.step)
        engine.state.scale, engine.state.offset = 2.0, 1.0
        return engine

    Total.attach, TestTotal.make_engine, TestTotal.needs = warn, with_both, ("scale", "offset")
"""


def test_warnings_may_name_what_is_missing(judge: Judge) -> None:
    assert judge(TOTAL, CONTRACT, ORIGINALS, LACKING).of("failed") == []


def test_what_a_first_import_draws_is_not_held_against_the_component(
    judge: Judge, pytester: pytest.Pytester
) -> None:
    pytester.makepyfile(acme_lazy="import random\nrandom.random()")
    lazy = "def lazy(self, engine):\n    import acme_lazy\n    update(self, engine)"
    # the tests that come before would have imported it already
    alone = "TestTotal.test_two_of_them_come_to_the_same_outcome = None\n"
    alone += "TestTotal.test_it_prints_nothing = None"
    verdicts = judge(TOTAL, CONTRACT, ORIGINALS, lazy, "Total.update = lazy", alone)
    assert verdicts.of("failed") == []


def test_what_is_left_by_intention_is_declared(judge: Judge) -> None:
    marked = "Total.attach = lambda s, e: (attach(s, e), setattr(e.state, 'mark', 7))[0]"
    verdicts = judge(TOTAL, CONTRACT, ORIGINALS, marked, "TestTotal.leaves = ('mark',)")
    assert verdicts.of("failed") == []


def test_a_run_that_ends_at_once_cannot_be_saved_in_its_middle(judge: Judge) -> None:
    short = "TestTotal.run = lambda self, engine: engine.run([1.0])"
    verdicts = judge(TOTAL, CONTRACT, short)
    assert verdicts.of("failed") == ["a_run_goes_on_from_any_saved_iteration_to_the_same_outcome"]


NOISY = """
import glowplug

@glowplug.hookimpl
def glowplug_engine_created(engine):
    print("here")
"""


@pytest.mark.parametrize(
    ("named", "failed"), [("()", []), ("('acme-noisy',)", ["it_prints_nothing"])]
)
def test_no_plugin_but_those_that_are_named_acts_on_the_engines(
    named: str, failed: list[str], judge: Judge, make_plugin: PluginMaker
) -> None:
    entry_points = {"glowplug": {"noisy": "acme_noisy"}}
    make_plugin("acme-noisy", modules={"acme_noisy": NOISY}, entry_points=entry_points)
    assert judge(TOTAL, CONTRACT, f"TestTotal.plugins = {named}").of("failed") == failed
