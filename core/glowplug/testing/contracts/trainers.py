"""The contract of trainers.

Owns: what a function that makes an engine must come to.
Must not know: models, or what a step does.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from glowplug.components import Kind
from glowplug.engine import Engine
from glowplug.events import Events
from glowplug.testing.contracts.components import DATA
from glowplug.testing.contracts.contract import Contract, fail, same
from glowplug.testing.snapshots import Snapshot


class TrainerContract(Contract):
    """The contract of a trainer: ``make`` returns the engine that the trainer's function makes.

    Each call of ``make`` makes a new model too, always the same, so that two runs can be compared.
    What is trained belongs into ``outcome``.

    Example:
        >>> def create_mean_trainer(rate):
        ...     def step(engine, batch):
        ...         engine.state.mean += rate * (batch - engine.state.mean)
        ...         return engine.state.mean
        ...     engine = Engine(step)
        ...     engine.state.mean = 0.0
        ...     return engine
        >>> class TestMeanTrainer(TrainerContract):
        ...     pickles = "local object"
        ...     def make(self):
        ...         return create_mean_trainer(rate=0.5)
        >>> TestMeanTrainer().use(create_mean_trainer(0.5))["output"]
        2.689453125
    """

    kind = Kind.TRAINER

    def data(self) -> Iterable[Any]:
        """Return the batches of a run: four numbers."""
        return list(DATA)

    def run(self, engine: Engine[Any, Any]) -> None:
        """Run an engine over the data: for two epochs."""
        engine.run(self.data(), max_epochs=2)

    def outcome(self, engine: Engine[Any, Any]) -> Mapping[str, Any]:
        """Return what a run came to, which is compared by value: counters, output, metrics."""
        state = engine.state
        return {
            "epoch": state.epoch,
            "iteration": state.iteration,
            "output": state.output,
            "metrics": dict(state.metrics),
        }

    def use(self, component: Any) -> Mapping[str, Any]:
        """Run the engine, and return the outcome."""
        self.run(component)
        return self.outcome(component)

    def test_it_is_what_its_kind_asks_for(self) -> None:
        """What is made is an engine."""
        made = self.make()
        if not isinstance(made, Engine):
            fail(f"expected an Engine; got {made!r} of type {type(made).__name__}")

    def test_it_runs_to_its_end(self) -> None:
        """Over the data, with every step done."""
        engine = self.make()
        self.run(engine)
        if not engine.state.iteration:
            fail("the run did not do a single iteration; see data() and run()")

    def test_two_engines_share_nothing(self) -> None:
        """The run of one, and what is attached to it, leave the other as it was."""
        one, other = self.make(), self.make()
        before = Snapshot(other)
        one.add_event_handler(Events.STARTED, _nothing)
        self.run(one)
        changes = before.changes(other)
        if changes:
            fail("\n  ".join(["the run of one engine changed another:", *changes]))

    def test_an_interrupted_run_goes_on_to_the_same_outcome(self) -> None:
        """Nothing is lost between interrupt() and the next run()."""
        whole = self.use(self.make())
        engine = self.make()
        engine.add_event_handler(Events.ITERATION_COMPLETED(once=1), engine.interrupt)
        self.run(engine)
        engine.run()
        same(self.outcome(engine), whole, "interrupted, it came to another outcome")

    def test_it_pickles_or_says_why_not(self) -> None:
        """A copy by way of pickle does the same, or an error explains.

        A step that is a function within a function cannot be pickled, as Python says: such a
        trainer declares ``pickles = "local object"``.
        """
        super().test_it_pickles_or_says_why_not()


def _nothing(engine: Engine[Any, Any]) -> None:
    """Do nothing, as a handler."""
