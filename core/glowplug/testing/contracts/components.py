"""The contract of what is attached to an engine.

Owns: what attaching, detaching, saving and lacking something must come to.
Must not know: what a component does between the two.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Mapping
from typing import Any, ClassVar, Literal

import pytest

from glowplug.components import Kind
from glowplug.engine import Engine
from glowplug.state import State
from glowplug.testing.comparison import frozen
from glowplug.testing.contracts.contract import Contract, fail, same
from glowplug.testing.contracts.resumption import interrupted_runs, through_a_file
from glowplug.testing.snapshots import Snapshot

DATA = (0.5, 2.0, 1.0, 4.0)


class ComponentContract(Contract):
    """The contract of a handler, and of whatever else has ``attach(engine)``.

    An author inherits from it in a file of tests, says by ``make`` how one is made, and declares
    what the component does not do. Everything else has a default that can be overridden.

    Attributes:
        attaching_twice: ``"harmless"`` when attaching to an engine again changes no outcome,
            ``"error"`` when it is refused and changes nothing.
        detaches: True, or why it stays attached.
        saves: True when its ``state_dict`` and ``load_state_dict`` carry a run on; False when it
            keeps nothing, so that a new one carries it on as well; or why what it keeps is lost.
        needs: names of what an engine must have for it: attributes of the state, metrics.
        leaves: names of attributes of the state and of events that stay when it is detached.

    Example:
        >>> class NanStop:
        ...     def attach(self, engine):
        ...         return engine.add_event_handler("ITERATION_COMPLETED", self.check)
        ...     def check(self, engine):
        ...         if engine.state.output != engine.state.output:
        ...             engine.terminate()
        >>> class TestNanStop(ComponentContract):
        ...     saves = False
        ...     def make(self):
        ...         return NanStop()
        ...     def data(self):
        ...         return [1.0, 2.0, float("nan"), 4.0]
        >>> TestNanStop().use(NanStop())["iteration"]
        3
    """

    kind = Kind.HANDLER
    attaching_twice: ClassVar[Literal["harmless", "error"]] = "harmless"
    detaches: ClassVar[Literal[True] | str] = True
    saves: ClassVar[bool | str] = True
    needs: ClassVar[tuple[str, ...]] = ()
    leaves: ClassVar[tuple[str, ...]] = ()

    def step(self, engine: Engine[Any, Any], batch: Any) -> Any:
        """Do what the engines of these tests do with a batch: return it."""
        return batch

    def data(self) -> Iterable[Any]:
        """Return the batches of a run: four numbers."""
        return list(DATA)

    def make_engine(self) -> Engine[Any, Any]:
        """Return a new engine that has all which the component needs."""
        return Engine(self.step)

    def engine_without(self) -> Engine[Any, Any]:
        """Return a new engine that lacks what the component needs: one with the step alone."""
        return Engine(self.step)

    def attach(self, component: Any, engine: Engine[Any, Any]) -> Any:
        """Attach a component; what is returned is handed to ``detach``."""
        return component.attach(engine)

    def detach(self, component: Any, engine: Engine[Any, Any], handle: Any) -> None:
        """Detach it: by ``detach(engine)``, else by ``remove()`` of what ``attach`` returned."""
        if callable(getattr(component, "detach", None)):
            component.detach(engine)
        else:
            handle.remove()

    def run(self, engine: Engine[Any, Any]) -> None:
        """Run an engine over the data: for three epochs."""
        engine.run(self.data(), max_epochs=3)

    def outcome(self, engine: Engine[Any, Any], component: Any) -> Mapping[str, Any]:
        """Return what a run came to, which is compared by value.

        By default: the counters, whether the run was ended, the metrics, the attributes that were
        added to the state, and the component's ``state_dict()`` where it has one.
        """
        state, usual = engine.state, vars(State())
        outcome = {
            "epoch": state.epoch,
            "iteration": state.iteration,
            "should_terminate": engine.should_terminate,
            "metrics": dict(state.metrics),
            **{name: value for name, value in vars(state).items() if name not in usual},
        }
        if _has_state(component):
            outcome["state_dict"] = component.state_dict()
        return outcome

    def use(self, component: Any) -> Mapping[str, Any]:
        """Attach a component to a new engine, run it, and return the outcome."""
        engine = self.make_engine()
        self.attach(component, engine)
        self.run(engine)
        return self.outcome(engine, component)

    def test_attaching_adds_a_handler(self) -> None:
        """A component that adds nothing would keep every other line of the contract."""
        engine, component = self.make_engine(), self.make()
        before = Snapshot(engine)
        self.attach(component, engine)
        if not before.handler_changes(engine):
            fail("attaching changed nothing: neither a handler nor an observer was added")

    def test_attaching_and_detaching_leave_the_engine_as_it_was(self) -> None:
        """Handlers, events, and the attributes of the engine and its state are what they were."""
        engine, component = self.make_engine(), self.make()
        before = Snapshot(engine)
        self._detach(component, engine, self.attach(component, engine))
        _unchanged(before.changes(engine, self.leaves))

    def test_detaching_after_a_run_leaves_no_handler_behind(self) -> None:
        """What a run adds is taken back too."""
        engine, component = self.make_engine(), self.make()
        before = Snapshot(engine)
        handle = self.attach(component, engine)
        self.run(engine)
        self._detach(component, engine, handle)
        _unchanged(before.handler_changes(engine, self.leaves))

    def test_attaching_twice_is_an_error_or_harmless_as_declared(self) -> None:
        """It is refused with a message and changes nothing, or the outcome is that of once."""
        engine, component = self.make_engine(), self.make()
        self.attach(component, engine)
        once = Snapshot(engine)
        try:
            self.attach(component, engine)
        except Exception as error:
            if self.attaching_twice != "error":
                fail(
                    f"attaching twice raised {type(error).__name__}: {error}; make it harmless, or "
                    "declare attaching_twice = 'error'"
                )
            if not str(error):
                fail(f"attaching twice raised a {type(error).__name__} without a message")
            _unchanged(once.changes(engine))
            return
        if self.attaching_twice == "error":
            fail("attaching twice raised nothing, although attaching_twice = 'error' says so")
        self.run(engine)
        outcome = frozen(self.outcome(engine, component))
        same(outcome, self.use(self.make()), "attached twice, it came to another outcome than once")

    def test_a_run_goes_on_from_any_saved_iteration_to_the_same_outcome(self) -> None:
        """Its state_dict goes through a file, into a new component on a new engine."""
        self._judge_saving()
        undisturbed = self.make_engine()
        component = self.make()
        self.attach(component, undisturbed)
        self.run(undisturbed)
        expected = frozen(self.outcome(undisturbed, component))
        stops = 0
        for stop, engine, component in interrupted_runs(self, undisturbed.state):
            stops += 1
            saved = through_a_file([engine.state_dict(), self._saved(component)])
            engine, component = self.make_engine(), self.make()
            self.attach(component, engine)
            engine.load_state_dict(saved[0])
            if self.saves is True:
                component.load_state_dict(saved[1])
            self.run(engine)
            outcome = self.outcome(engine, component)
            same(outcome, expected, f"saved after iteration {stop}, it came to another outcome")
        if not stops:
            fail(
                "the run is over before anything could be saved in its middle; let run() be longer"
            )

    def test_an_engine_without_what_it_needs_gets_an_error_that_names_it(self) -> None:
        """Or a warning; and where it needs nothing, a plain engine serves."""
        engine, component = self.engine_without(), self.make()
        with warnings.catch_warnings(record=self.needs != ()) as warned:
            if self.needs:
                warnings.simplefilter("always")
            said = ""
            try:
                self.attach(component, engine)
                self.run(engine)
            except Exception as error:
                said = f"{type(error).__name__}: {error}"
        if said and not self.needs:
            fail(
                f"engine_without() led to {said}; declare the names of what an engine must "
                "have, which the error should say: needs = ('...',)"
            )
        said = "; ".join([said] * bool(said) + [str(warning.message) for warning in warned or ()])
        if self.needs and not said:
            fail(
                f"neither an error nor a warning, although needs = {self.needs!r}: "
                "engine_without() has it, or the component does without"
            )
        unnamed = [name for name in self.needs if name not in said]
        if unnamed:
            fail(f"the error does not name {', '.join(unnamed)}: {said}")

    def _detach(self, component: Any, engine: Engine[Any, Any], handle: Any) -> None:
        can = callable(getattr(component, "detach", None)) or callable(
            getattr(handle, "remove", None)
        )
        own = type(self).detach is not ComponentContract.detach
        if self.detaches is not True:
            if can or own:
                fail(
                    f"it can be detached, although detaches = {self.detaches!r} says that it stays"
                )
            pytest.skip(f"declared: {self.detaches}")
        if not can and not own:
            fail(
                "it cannot be detached: give it detach(engine), let attach return the handle of "
                "add_event_handler, or declare why it stays: detaches = '...'"
            )
        self.detach(component, engine, handle)

    def _judge_saving(self) -> None:
        has_state = _has_state(self.make())
        if self.saves is True and not has_state:
            fail(
                "it has no state_dict() and load_state_dict(state); declare saves = False where it "
                "keeps nothing between iterations, or why what it keeps is lost: saves = '...'"
            )
        if self.saves is not True and has_state:
            fail(f"it has a state_dict, although saves = {self.saves!r} says that it saves nothing")
        if isinstance(self.saves, str):
            pytest.skip(f"declared: {self.saves}")

    def _saved(self, component: Any) -> Any:
        return component.state_dict() if self.saves is True else None


def _has_state(component: Any) -> bool:
    return all(
        callable(getattr(component, name, None)) for name in ("state_dict", "load_state_dict")
    )


def _unchanged(changes: list[str]) -> None:
    if changes:
        fail("\n  ".join(["the engine is not as it was:", *changes]))
