"""The contract of loggers, kept and broken."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

Judge = Callable[..., Any]

LINES = """
    class Lines:
        def __init__(self):
            self.lines, self.closed = [], False

        def attach(self, engine, event="EPOCH_COMPLETED"):
            if self.closed:
                raise RuntimeError("this logger is closed; make a new one")
            if not engine.has_event_handler(self.write):
                engine.add_event_handler(event, self.write)

        def detach(self, engine):
            engine.remove_event_handler(self.write, "EPOCH_COMPLETED")

        def write(self, engine):
            self.lines.append(engine.state.output)

        def close(self):
            self.closed = True
"""
CONTRACT = """
    from glowplug.testing import LoggerContract

    class TestLines(LoggerContract):
        saves = "what is logged is logged"

        def make(self):
            return Lines()

        def outcome(self, engine, logger):
            return {"lines": logger.lines}
"""


def test_a_strangers_logger_keeps_the_contract(judge: Judge) -> None:
    verdicts = judge(LINES, CONTRACT)
    assert verdicts.of("failed") == []
    assert "attaching_after_closing_is_an_error_that_says_so" in verdicts.of("passed")


BROKEN = {
    "closed twice": (
        "Lines.close = lambda self: self.__dict__.pop('lines') and None",
        "closing_twice_is_harmless",
        "KeyError: 'lines'",
    ),
    "attached when closed": (
        "Lines.close = lambda self: None",
        "attaching_after_closing_is_an_error_that_says_so",
        "a closed logger was attached without an error",
    ),
    "refused without the reason": (
        "Lines.close = lambda self: setattr(self, 'attach', None)",
        "attaching_after_closing_is_an_error_that_says_so",
        "the error does not say that it is closed: TypeError",
    ),
    "attached and refused": (
        """
        attach = Lines.attach
        def late(self, engine):
            engine.add_event_handler("STARTED", len, "")
            attach(self, engine)
            engine.remove_event_handler(len, "STARTED")
        Lines.attach = late
        """,
        "attaching_after_closing_is_an_error_that_says_so",
        "handler len at STARTED: added",
    ),
    "without close": (
        "del Lines.close",
        "closing_twice_is_harmless",
        "declare why there is nothing to close",
    ),
    "with a close that is denied": (
        "TestLines.closes = 'it holds nothing'",
        "closing_twice_is_harmless",
        "it has close(), although",
    ),
}


@pytest.mark.parametrize(("change", "failing", "said"), BROKEN.values(), ids=BROKEN)
def test_a_broken_logger_fails_in_the_test_that_is_about_it(
    change: str, failing: str, said: str, judge: Judge
) -> None:
    verdicts = judge(LINES, CONTRACT, change)
    about_closing = {name for name in verdicts if "clos" in name}
    assert failing in verdicts.of("failed")
    assert set(verdicts.of("failed")) <= about_closing
    assert said in verdicts.said[failing]


def test_a_logger_that_holds_nothing_need_not_be_closed(judge: Judge) -> None:
    verdicts = judge(LINES, CONTRACT, "del Lines.close", "TestLines.closes = 'it holds nothing'")
    assert verdicts.of("failed") == []
    assert "closing_twice_is_harmless" in verdicts.of("skipped")
