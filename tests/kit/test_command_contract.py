"""The contract of commands, kept and broken."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

Judge = Callable[..., Any]

COMMAND = """
    import argparse
    import random
    import sys

    def greet(arguments):
        parser = argparse.ArgumentParser(prog="glowplug greet")
        parser.add_argument("name")
        print("hello", parser.parse_args(arguments).name)
"""
CONTRACT = """
    from glowplug.testing import CommandContract

    class TestGreet(CommandContract):
        arguments = ["world"]

        def make(self):
            return greet
"""


def test_a_command_of_argparse_keeps_the_contract(judge: Judge) -> None:
    verdicts = judge(COMMAND, CONTRACT)
    assert verdicts.of("failed") == verdicts.of("skipped") == []
    assert "it_helps" in verdicts


def test_a_command_may_end_by_a_message_as_python_allows(judge: Judge) -> None:
    by_message = """
        def greet(arguments):
            if "--no-such-option" in arguments:
                raise SystemExit("no such option")
    """
    assert judge(COMMAND, CONTRACT, by_message).of("failed") == []


BROKEN = {
    "takes no arguments": (
        "def greet(): ...",
        "it_is_what_its_kind_asks_for",
        "expected a function of one argument",
    ),
    "fails": (
        "def greet(arguments): return 3",
        "it_ends_well_with_its_arguments",
        "with ['world'] it ended with 3",
    ),
    "returns text": (
        "def greet(arguments): return 'done'",
        "it_ends_well_with_its_arguments",
        "it returned 'done' of type str; expected an exit code or None",
    ),
    "does not help": (
        "def greet(arguments): return int('--help' in arguments)",
        "it_helps",
        "with --help it ended with 1",
    ),
    "takes everything": (
        "def greet(arguments): ...",
        "an_option_that_it_does_not_know_is_refused",
        "--no-such-option was taken without a word",
    ),
    "complains when all is well": (
        "def greet(arguments): print('hm', file=sys.stderr)",
        "it_prints_nothing",
        "said 'hm\\n' to stderr",
    ),
    "seeds the generators": (
        "def greet(arguments): random.seed(1)",
        "it_leaves_the_global_random_generators_alone",
        "used or seeded",
    ),
}


@pytest.mark.parametrize(("change", "failing", "said"), BROKEN.values(), ids=BROKEN)
def test_a_broken_command_fails_in_the_test_that_is_about_it(
    change: str, failing: str, said: str, judge: Judge
) -> None:
    verdicts = judge(COMMAND, CONTRACT, change)
    assert failing in verdicts.of("failed")
    assert said in verdicts.said[failing]
