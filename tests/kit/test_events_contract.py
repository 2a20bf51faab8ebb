"""The contract of sets of events, kept and broken."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

Judge = Callable[..., Any]

SET = """
    import pytest
    from glowplug import Engine, EventEnum, Events

    class Backprop(EventEnum):
        STARTED = "backprop_started"
        COMPLETED = "backprop_completed"

        @classmethod
        def event_to_attr(cls):
            return {cls.STARTED: "backprops"}
"""
CONTRACT = """
    from glowplug.testing import EventsContract

    class TestBackprop(EventsContract):
        def make(self):
            return Backprop
"""


def test_a_set_of_events_keeps_the_contract(judge: Judge) -> None:
    verdicts = judge(SET, CONTRACT)
    assert verdicts.of("failed") == verdicts.of("skipped") == []
    assert "it_does_not_meet_a_set_with_members_of_the_same_names" in verdicts


def test_a_set_may_count_by_what_every_state_counts(judge: Judge) -> None:
    counted = "Backprop.event_to_attr = classmethod(lambda cls: dict.fromkeys(cls, 'iteration'))"
    assert judge(SET, CONTRACT, counted).of("failed") == []


# What an engine itself must have lost for a set to fail, put back when the test is over.
PATCHED = """
        @pytest.fixture(autouse=True)
        def patched(monkeypatch):"""
BROKEN = {
    "no set of events": (
        "import enum\nBackprop = enum.Enum('Backprop', ['STARTED'])",
        "it_is_what_its_kind_asks_for",
        "expected a subclass of EventEnum",
    ),
    "empty": (
        "class Backprop(EventEnum): ...",
        "each_of_its_events_is_heard",
        "fired: nothing; heard: nothing",
    ),
    "a counter of an attribute that is there": (
        PATCHED
        + """
            init = Engine.__init__
            def named(self, *args, **kwargs):
                init(self, *args, **kwargs)
                self.state.backprops = 0
            monkeypatch.setattr(Engine, "__init__", named)
        """,
        "its_counters_appear_with_zero_on_its_engine_alone",
        "state.backprops, which counts STARTED, is there without Backprop",
    ),
    "a counter that does not start at zero": (
        PATCHED
        + """
            init = Engine.__init__
            def counted(self, *args, **kwargs):
                init(self, *args, **kwargs)
                if self.has_registered_events(Backprop.STARTED):
                    self.state.backprops = 1
            monkeypatch.setattr(Engine, "__init__", counted)
        """,
        "its_counters_appear_with_zero_on_its_engine_alone",
        "state.backprops, which counts STARTED, is 1 at first, and not 0",
    ),
    "a set within a function": (
        "def local():\n"
        "    class Backprop(EventEnum):\n"
        "        STARTED = 1\n"
        "    return Backprop\n"
        "Backprop = local()",
        "its_members_pickle_as_themselves",
        "cannot be pickled",
    ),
    "handlers that are lost when it is registered again": (
        PATCHED
        + """
            register = Engine.register_events
            def anew(self, *events, **counters):
                for event in events:
                    self._table.slots.pop(event, None)
                register(self, *events, **counters)
            monkeypatch.setattr(Engine, "register_events", anew)
        """,
        "registering_it_twice_is_harmless",
        "registered twice, its events were heard as",
    ),
    "members that equal others of their names": (
        PATCHED
        + """
            def key(self):
                return object.__hash__(self) if isinstance(self, Events) else hash(str(self))
            monkeypatch.setattr(EventEnum, "__hash__", key)
            monkeypatch.setattr(EventEnum, "__eq__", lambda self, other: key(self) == key(other))
        """,
        "it_does_not_meet_a_set_with_members_of_the_same_names",
        "of Backprop was heard when that of another set was fired",
    ),
}


@pytest.mark.parametrize(("change", "failing", "said"), BROKEN.values(), ids=BROKEN)
def test_a_broken_set_fails_in_the_test_that_is_about_it(
    change: str, failing: str, said: str, judge: Judge
) -> None:
    verdicts = judge(SET, CONTRACT, change)
    assert failing in verdicts.of("failed")
    assert said in verdicts.said[failing]
