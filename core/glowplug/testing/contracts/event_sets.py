"""The contract of sets of events.

Owns: what registering a set with an engine must come to.
Must not know: who fires the events, or when.
"""

from __future__ import annotations

import pickle
from typing import Any

from glowplug.components import Kind
from glowplug.engine import Engine
from glowplug.events import EventEnum
from glowplug.state import State
from glowplug.testing.contracts.contract import Contract, fail
from glowplug.testing.recorder import Recorder


class EventsContract(Contract):
    """The contract of a set of events: ``make`` returns the subclass of ``EventEnum``.

    Its counters are those that its ``event_to_attr`` declares.

    Example:
        >>> class Backprop(EventEnum):
        ...     STARTED = "backprop_started"
        ...     COMPLETED = "backprop_completed"
        ...     @classmethod
        ...     def event_to_attr(cls):
        ...         return {cls.STARTED: "backprops"}
        >>> class TestBackprop(EventsContract):
        ...     def make(self):
        ...         return Backprop
        >>> TestBackprop().use(Backprop)
        ['STARTED', 'COMPLETED']
    """

    kind = Kind.EVENTS

    def use(self, component: type[EventEnum]) -> list[str]:
        """Fire each event of the set on a new engine, and return the names that were heard."""
        engine: Engine[Any, Any] = Engine(_step, events=[component])
        recorder = Recorder()
        recorder.attach(engine, *component)
        for event in component:
            engine.fire_event(event)
        return recorder.names

    def test_each_of_its_events_is_heard(self) -> None:
        """A handler of an event is called when it is fired, and a set has at least one."""
        events = self.make()
        heard, wanted = self.use(events), [event.name for event in events]
        if not wanted or heard != wanted:
            fail(f"fired: {', '.join(wanted) or 'nothing'}; heard: {', '.join(heard) or 'nothing'}")

    def test_its_counters_appear_with_zero_on_its_engine_alone(self) -> None:
        """Every attribute that ``event_to_attr`` names is there before the first firing.

        The counters that every state has, ``iteration`` and ``epoch``, may be named too.
        """
        events, usual = self.make(), vars(State())
        with_set: Engine[Any, Any] = Engine(_step, events=[events])
        without: Engine[Any, Any] = Engine(_step)
        for event, attribute in events.event_to_attr().items():
            if attribute not in usual and hasattr(without.state, attribute):
                fail(
                    f"state.{attribute}, which counts {event}, is there without {events.__name__}: "
                    "name an attribute that is the set's own"
                )
            found = getattr(with_set.state, attribute)
            if found != 0:
                fail(f"state.{attribute}, which counts {event}, is {found!r} at first, and not 0")

    def test_registering_it_twice_is_harmless(self) -> None:
        """A handler of one of its events is still called once."""
        events = self.make()
        engine: Engine[Any, Any] = Engine(_step, events=[events])
        recorder = Recorder()
        recorder.attach(engine, *events)
        engine.register_events(*events)
        for event in events:
            engine.fire_event(event)
        if recorder.names != [event.name for event in events]:
            fail(f"registered twice, its events were heard as {', '.join(recorder.names)}")

    def test_it_does_not_meet_a_set_with_members_of_the_same_names(self) -> None:
        """Neither hears what the other fires."""
        events = self.make()
        twin: Any = EventEnum("Twin", {event.name: event.value for event in events})
        engine: Engine[Any, Any] = Engine(_step, events=[events, twin])
        recorder = Recorder()
        recorder.attach(engine, *events)
        for event in twin:
            engine.fire_event(event)
        if recorder.calls:
            heard = ", ".join(recorder.names)
            fail(f"{heard} of {events.__name__} was heard when that of another set was fired")

    def test_its_members_pickle_as_themselves(self) -> None:
        """A handler's event travels to another process, and is the same there."""
        for event in self.make():
            try:
                copied = pickle.loads(pickle.dumps(event))
            except Exception as error:
                fail(f"{event!r} cannot be pickled: {type(error).__name__}: {error}")
            if copied is not event:
                fail(f"{event!r} came back from pickle as another object")


def _step(engine: Engine[Any, Any], batch: object) -> None:
    """Do nothing, as a step."""
