"""What is asked of every component, of whatever kind.

Owns: the tests that all contracts share, and how a contract says what to declare.
Must not know: engines, or how a component of one kind is used.
"""

from __future__ import annotations

import pickle
from abc import abstractmethod
from collections.abc import Iterator
from typing import Any, ClassVar, Literal, NoReturn, TypeAlias

import pytest

from glowplug.components import Kind
from glowplug.errors import GlowplugError
from glowplug.probe import problem
from glowplug.testing.comparison import differences, frozen
from glowplug.testing.generators import watched
from glowplug.testing.sandbox import alone

Stream: TypeAlias = Literal["stdout", "stderr"]
STREAMS: tuple[Stream, ...] = ("stdout", "stderr")
REFUSALS = (GlowplugError, TypeError, pickle.PicklingError, AttributeError)
"""How a component says that it cannot be pickled, and how Python says that of what it holds."""


class Contract:
    """What every contract has; authors inherit from the one for their kind of component.

    Attributes:
        plugins: names of the installed plugins that act on the engines of these tests.
        prints_to: the stream that the component owns, as a progress bar does; None for one that
            prints nothing.
        global_random: False, or why the component uses the global generators of random numbers.
        pickles: True, or words from the error by which the component says why it cannot be.
    """

    plugins: ClassVar[tuple[str, ...]] = ()
    prints_to: ClassVar[Stream | None] = None
    global_random: ClassVar[Literal[False] | str] = False
    pickles: ClassVar[Literal[True] | str] = True
    kind: ClassVar[Kind]

    @abstractmethod
    def make(self) -> Any:
        """Return a new component, set up as its users would."""
        raise NotImplementedError(f"{type(self).__name__}: define make(self), a new component")

    @abstractmethod
    def use(self, component: Any) -> Any:
        """Use a component as it is meant to be used, and return what came of it."""

    @pytest.fixture(autouse=True)
    def _alone(self) -> Iterator[None]:
        """Keep other plugins of the environment off the engines of these tests."""
        with alone(*self.plugins):
            yield

    def test_it_is_what_its_kind_asks_for(self) -> None:
        """The component passes the check of ``glowplug plugins check``."""
        what = problem(self.kind, self.make())
        if what:
            fail(what)

    def test_two_of_them_come_to_the_same_outcome(self) -> None:
        """Nothing is shared through the class, and nothing is left to chance."""
        first = frozen(self.use(self.make()))  # what is shared goes on changing
        same(
            self.use(self.make()),
            first,
            "a second new one came to another outcome than the first: something is shared between "
            "them or left to chance, or outcome() holds what no two runs have in common",
        )

    def test_it_prints_nothing(self, capfd: pytest.CaptureFixture[str]) -> None:
        """Neither stream is written to, by whatever way, but the one that it owns."""
        self.use(self.make())
        printed = dict(zip(STREAMS, capfd.readouterr(), strict=True))
        for stream in STREAMS:
            if stream != self.prints_to and printed[stream]:
                fail(
                    f"{printed[stream][:200]!r} was printed to {stream}; log it, or declare the "
                    f"stream as the component's own: prints_to = {stream!r}"
                )
        if self.prints_to and not printed[self.prints_to]:
            fail(f"nothing was printed to {self.prints_to}, so prints_to need not be declared")

    def test_it_leaves_the_global_random_generators_alone(self) -> None:
        """The states of random, numpy and torch, where they are imported, stay as they are."""
        if self.global_random:
            pytest.skip(f"declared: {self.global_random}")
        self.use(self.make())  # what is imported at the first use is there from now on
        component = self.make()
        with watched() as used:
            self.use(component)
            moved = used()
        if moved:
            fail(
                f"the global generators of {', '.join(moved)} were used or seeded; use one of your "
                "own, such as random.Random(seed), or declare why not: global_random = '...'"
            )

    def test_it_pickles_or_says_why_not(self) -> None:
        """A copy by way of pickle does the same, or an error explains: its own, or Python's."""
        component = self.make()
        try:
            copied = pickle.loads(pickle.dumps(component))
        except Exception as error:
            self._judge_refusal(error)
            return
        if self.pickles is not True:
            fail(f"it pickles, so that pickles = {self.pickles!r} need not be declared")
        outcome = frozen(self.use(self.make()))
        same(self.use(copied), outcome, "a pickled copy came to another outcome")

    def _judge_refusal(self, error: Exception) -> None:
        said = str(error)
        if not isinstance(error, REFUSALS):
            fail(
                "pickling ended with an error that is neither a TypeError, a GlowplugError nor one "
                f"of pickle's own: {type(error).__name__}: {error}"
            )
        if self.pickles is True:
            fail(
                f"it cannot be pickled ({type(error).__name__}: {said}); mend that, or declare "
                "words from the message that says why: pickles = '...'"
            )
        if self.pickles.lower() not in said.lower():
            fail(f"the error does not say {self.pickles!r}, as declared by pickles: {said!r}")


def fail(message: str) -> NoReturn:
    """Fail a test with a message that says all; the kit's own code need not be looked at."""
    raise pytest.fail.Exception(message, pytrace=False) from None


def same(outcome: object, expected: object, otherwise: str) -> None:
    """Fail unless two outcomes are equal by value.

    Args:
        outcome: what came.
        expected: what it should equal.
        otherwise: what it means if it does not.
    """
    found = differences(outcome, expected)
    if found:
        fail("\n  ".join([f"{otherwise}:", *found]))
