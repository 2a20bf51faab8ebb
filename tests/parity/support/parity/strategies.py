"""What programs Hypothesis draws.

Owns: how often a program terminates, interrupts, fails and filters; test_generator.py measures it.
Must not know: engines.

Departures that are only avoided (see departures.py) are never drawn: data that is empty, maxima
below 1, other data at a resumption, and a loaded state inside an epoch together with data.
Data counts its passes in a way that does not see iterators that are made in vain.

All that is drawn from is made once, at import: making strategies costs more than running programs.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import count

from hypothesis import strategies as st

from parity.programs import (
    CUSTOM_EVENTS,
    RUN_EVENTS,
    Act,
    Action,
    Attach,
    Data,
    Detach,
    Fail,
    Filter,
    Fire,
    Handler,
    Interrupt,
    Kind,
    Load,
    On,
    Program,
    ReplaceBatch,
    Run,
    SetData,
    Terminate,
    TerminateEpoch,
)

ERRORS = (ValueError, OSError, KeyboardInterrupt, SystemExit)
OFTEN = ("ITERATION_STARTED", "ITERATION_COMPLETED", "GET_BATCH_STARTED", "EPOCH_COMPLETED")
QUIET: tuple[tuple[str, ...], ...] = ((), (), ("EXCEPTION_RAISED",), RUN_EVENTS)
BEFORE_THE_STEP = {"ITERATION_STARTED", "GET_BATCH_COMPLETED"}
WHAT: tuple[type[Action], ...] = (
    Terminate,
    *[TerminateEpoch] * 3,
    *[Interrupt] * 4,
    *[Fail] * 2,
    SetData,
    Detach,
    Attach,
    ReplaceBatch,
    *[Fire] * 2,
)

NEXT = "the next handler"
TRIGGERS: tuple[tuple[str, Action | None], ...] = (
    ("EXCEPTION_RAISED", Fail()),
    ("TERMINATE_SINGLE_EPOCH", TerminateEpoch()),
    ("INTERRUPT", Interrupt()),
    ("TERMINATE", Terminate()),
    ("STARTED", None),
    ("EPOCH_STARTED", None),
    ("COMPLETED", None),
    ("DATALOADER_STOP_ITERATION", None),
)

coins = st.booleans()
often, triggers = st.sampled_from(OFTEN), st.sampled_from(TRIGGERS)
small = st.integers(1, 4)
some = st.none() | small
bound = st.integers(1, 8)
kinds = st.sampled_from(Kind)
sizes = st.integers(1, 6)
one_in_ten = st.integers(0, 9).map(lambda drawn: drawn == 9)
places = st.tuples(st.integers(1, 2), small)
counts = st.lists(bound, min_size=1, max_size=3).map(tuple)
events = st.sampled_from((*RUN_EVENTS, *OFTEN * 3, *CUSTOM_EVENTS))
names = st.sampled_from((NEXT, NEXT, NEXT, "h1", "h2", "h3", "watch ITERATION_STARTED"))
what, errors, customs = (
    st.sampled_from(WHAT),
    st.sampled_from(ERRORS),
    st.sampled_from(CUSTOM_EVENTS),
)
ends = {"max_epochs": small, "max_iters": st.integers(1, 9)}
modes = st.sampled_from(("max_epochs", "max_epochs", "max_iters"))
calls, acts_each, up_to = st.integers(1, 5), st.sampled_from((0, 1, 1, 2)), st.integers(0, 3)


@st.composite
def datas(draw: st.DrawFn, label: str = "d") -> Data:
    """Draw data; rarely data whose own iterator fails."""
    return Data(draw(kinds), draw(sizes), label, draw(places) if draw(one_in_ten) else None)


actions: dict[type[Action], st.SearchStrategy[Action]] = {
    Terminate: st.builds(Terminate, coins),
    TerminateEpoch: st.builds(TerminateEpoch, coins),
    Interrupt: st.just(Interrupt()),
    Fail: st.builds(Fail, errors),
    SetData: st.builds(SetData, datas("new")),
    Detach: st.builds(Detach, names, coins),
}


@st.composite
def filters(draw: st.DrawFn) -> Filter:
    """Draw one of the kinds of filter, in all their mixtures."""
    match draw(st.integers(0, 4)):
        case 0:
            return Filter(odd=True)
        case 1:
            return Filter(once=draw(counts))
        case 2:
            return Filter(every=draw(small))
        case 3:
            return Filter(before=draw(bound), after=draw(some))
        case _:
            return Filter(draw(small), before=draw(st.none() | bound), after=draw(some))


@st.composite
def ons(draw: st.DrawFn) -> On:
    """Draw an event, filtered or not."""
    return On(draw(events), draw(filters()) if draw(coins) else None)


@st.composite
def acts(draw: st.DrawFn, on: tuple[On, ...], nested: bool = False) -> Act:
    """Draw an act at an early call; what does no harm may happen at every call."""
    kind = draw(what)
    if kind is ReplaceBatch and {one.event for one in on} <= BEFORE_THE_STEP:
        return Act(ReplaceBatch(), draw(some))
    if kind is Fire and not any(one.event in CUSTOM_EVENTS for one in on):
        return Act(Fire(draw(customs)), draw(some))
    if kind is Attach and not nested:
        added, alike = draw(handlers(nested=True)), draw(coins)
        if alike and on and on[0].event not in CUSTOM_EVENTS:  # these must not fire themselves
            added = replace(added, on=on[:1])
        return Act(Attach(added), draw(calls))
    return Act(draw(actions.get(kind, actions[Interrupt])), draw(calls))


@st.composite
def handlers(draw: st.DrawFn, nested: bool = False) -> Handler:
    """Draw a handler without a name."""
    on: tuple[On, ...] = (draw(ons()),)
    if draw(one_in_ten):
        on += (draw(ons()),)
    number = min(draw(acts_each), 1 if nested else 2)
    return Handler("", on, tuple(draw(acts(on, nested)) for _ in range(number)))


@st.composite
def answers(draw: st.DrawFn) -> list[Handler]:
    """Draw a handler that brings a rare event about, and one or two that are called in it."""
    rare, trigger = draw(triggers)
    answer = replace(draw(acts((On(rare),))), at=1)
    made = [Handler("", (On(rare, draw(filters()) if draw(one_in_ten) else None),), (answer,))]
    if draw(coins):
        made.append(Handler("", (On(rare),)))
    if trigger is not None:
        made.insert(0, Handler("", (On(draw(often)),), (Act(trigger, draw(calls)),)))
    return made


@st.composite
def runs(draw: st.DrawFn, first: bool, mode: str) -> Run:
    """Draw a call of ``run``, and how it is taken up again after interruptions.

    Most later runs can go on with the one before: their end is of the same ``mode`` and larger.
    """
    data = None if draw(one_in_ten) else draw(datas())
    contrary = draw(one_in_ten)
    if contrary:
        mode = draw(modes)
    load = draw(loads(first and data is None, mode)) if draw(up_to) == 3 else None
    length = None
    if load is None and (first or contrary):
        length = draw(small if data is None else some)
    end = draw(ends[mode]) if draw(up_to) < 3 else None
    if end is not None and not contrary and (load is not None or not first):
        end += 5
    return Run(
        data,
        epoch_length=length,
        anew=not first and draw(coins),
        load=load,
        resume_with=draw(small) if draw(coins) else None,
        resume_bare=draw(coins),
        **({} if end is None else {mode: end}),
    )


@st.composite
def loads(draw: st.DrawFn, inside: bool, mode: str) -> Load:
    """Draw a state to go on from, between two epochs or ``inside`` one."""
    length, epochs = draw(small), draw(up_to)
    if draw(one_in_ten):
        return Load(0, length, as_state=True)
    within = draw(st.integers(0, length - 1)) if inside else 0
    done = epochs + (within > 0) if mode == "max_epochs" else epochs * length + within
    most = max(1, done + draw(up_to))
    return Load(epochs * length + within, length, **{mode: most}, as_state=draw(coins))


@st.composite
def programs(draw: st.DrawFn) -> Program:
    """Draw a whole program."""
    numbers = count(1)
    drawn = [draw(handlers()) for _ in range(draw(st.integers(1, 4)))]
    if draw(coins):
        drawn += draw(answers())
    found = [_named(handler, numbers) for handler in drawn]
    step = tuple(_named_act(draw(acts(())), numbers) for _ in range(draw(st.integers(0, 1))))
    mode = draw(modes)
    calls_of_run = tuple(draw(runs(number == 0, mode)) for number in range(draw(st.integers(1, 3))))
    return Program(calls_of_run, tuple(found), step, draw(st.sampled_from(QUIET)))


def _named(handler: Handler, numbers: Iterator[int]) -> Handler:
    number = next(numbers)
    acts = tuple(_named_act(act, numbers, number + 1) for act in handler.acts)
    return replace(handler, name=f"h{number}", acts=acts)


def _named_act(act: Act, numbers: Iterator[int], following: int = 1) -> Act:
    match act.action:
        case Attach(handler=handler):
            return replace(act, action=Attach(_named(handler, numbers)))
        case Detach(name=name) if name == NEXT:
            return replace(act, action=replace(act.action, name=f"h{following}"))
    return act
