"""Reports of memory that ran out: real failures, and what is said of them."""

from __future__ import annotations

import logging
import subprocess
import sys
from collections import namedtuple
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from glowplug import Engine, Events
from glowplug.errors import InvalidArgument, InvalidType
from glowplug_handlers import OutOfMemoryReport
from glowplug_handlers.memory_report import is_out_of_memory
from glowplug_handlers.memory_report_batch import described, in_units

ENORMOUS = 2**60
with_notes = pytest.mark.skipif(sys.version_info < (3, 11), reason="exceptions have no notes")
"""On Python 3.10 the report goes to the log, see the last test of this file."""


def fail(engine: Engine[Any, Any], batch: Any) -> None:
    """Ask for more memory than there is."""
    torch.empty(ENORMOUS)


def report_of(batch: Any, report: OutOfMemoryReport, engine: Any = None) -> str:
    """Return what is noted when the third batch does not fit."""
    made = engine or Engine(lambda e, b: fail(e, b) if e.state.iteration == 3 else None)
    report.attach(made)
    with pytest.raises(RuntimeError, match="allocate") as failed:
        made.run([batch, batch, batch])
    (note,) = (n for n in getattr(failed.value, "__notes__", []) if n.startswith("out of memory"))
    return str(note)


@with_notes
def test_the_error_carries_the_position_and_the_shapes_of_the_batch() -> None:
    batch = {"image": torch.zeros(4, 3, 8, 8), "label": [torch.zeros(4, dtype=torch.int64), "x"]}
    lines = report_of(batch, OutOfMemoryReport()).splitlines()
    assert lines[:5] == [
        "out of memory in iteration 3, epoch 1",
        "  batch:",
        "    image: float32 (4, 3, 8, 8) on cpu, 3.0 KiB",
        "    label[0]: int64 (4,) on cpu, 32 B",
        "    label[1]: str",
    ]


@with_notes
def test_the_model_and_its_optimizer_are_reported_where_they_are_given() -> None:
    model = torch.nn.Sequential(torch.nn.Linear(256, 256, bias=False), torch.nn.BatchNorm1d(1))
    optimizer = torch.optim.SGD(model[0].parameters(), momentum=0.9)
    model[0](torch.zeros(1, 256)).sum().backward()
    optimizer.step()
    note = report_of(torch.zeros(2), OutOfMemoryReport(model, optimizer))
    assert "  model: parameters 256.0 KiB, gradients 256.0 KiB, buffers 16 B\n" in note
    assert "  optimizer: state 256.0 KiB\n" in note


@with_notes
def test_what_to_try_depends_on_what_went_before() -> None:
    later = report_of(torch.zeros(2), OutOfMemoryReport())
    assert "compare this batch with the others: 2 iterations fitted" in later
    first = report_of(torch.zeros(2), OutOfMemoryReport(), Engine(fail))
    assert "a smaller batch, with gradients accumulated over several: not even the" in first


@with_notes
def test_metrics_that_keep_the_graph_of_a_step_are_named() -> None:
    engine: Engine[Any, Any] = Engine(fail)
    engine.state.metrics.update(loss=torch.ones(1, requires_grad=True) * 2, plain=torch.ones(1))
    assert "detach() the metrics loss: each keeps" in report_of(
        torch.zeros(2), OutOfMemoryReport(), engine
    )


@with_notes
def test_a_process_that_may_have_no_more_memory_says_so() -> None:
    program = """
import resource, torch
from glowplug import Engine
from glowplug_handlers import OutOfMemoryReport
held = []
def step(engine, batch):
    held.append(torch.ones(2**24))
trainer = Engine(step)
OutOfMemoryReport().attach(trainer)
in_use = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (in_use + 2**28,) * 2)
trainer.run([torch.zeros(4, 4)] * 1000)
"""
    ended = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )
    assert ended.returncode == 1
    assert "out of memory in iteration " in ended.stderr
    assert "float32 (4, 4) on cpu, 64 B" in ended.stderr
    assert "  this process: " in ended.stderr
    assert "limited to " in ended.stderr


def test_other_errors_are_left_alone() -> None:
    def step(engine: Engine[Any, Any], batch: Any) -> None:
        raise ValueError("shapes differ")

    engine: Engine[Any, Any] = Engine(step)
    OutOfMemoryReport().attach(engine)
    with pytest.raises(ValueError, match="shapes differ") as failed:
        engine.run([1])
    assert getattr(failed.value, "__notes__", []) == []


@with_notes
def test_an_error_in_a_handler_is_reported_too() -> None:
    engine: Engine[Any, Any] = Engine(lambda engine, batch: None)
    engine.add_event_handler(Events.ITERATION_COMPLETED, lambda e: fail(e, None))
    assert "iteration 1" in report_of(torch.zeros(2), OutOfMemoryReport(), engine)


class Broken:
    """A batch that cannot be looked at."""

    @property
    def shape(self) -> Any:
        raise KeyError("no shape")


def test_a_report_that_fails_hides_nothing(caplog: pytest.LogCaptureFixture) -> None:
    engine: Engine[Any, Any] = Engine(fail)
    OutOfMemoryReport().attach(engine)
    with pytest.raises(RuntimeError, match="allocate"):
        engine.run([Broken()])
    assert "no report of the memory could be made" in caplog.text


@pytest.mark.parametrize(
    ("error", "is_one"),
    [
        (MemoryError(), True),
        (torch.cuda.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB"), True),
        (RuntimeError("CUDA error: out of memory"), True),
        (RuntimeError("cuDNN error: CUDNN_STATUS_ALLOC_FAILED"), True),
        (RuntimeError("MPS backend out of memory (MPS allocated: 1 GB)"), True),
        (RuntimeError("DataLoader worker (pid 7) is killed by signal: Killed. "), True),
        (RuntimeError("mat1 and mat2 shapes cannot be multiplied"), False),
        (ValueError("out of memory"), False),
        (KeyboardInterrupt(), False),
    ],
)
def test_errors_of_memory_are_known(error: BaseException, is_one: bool) -> None:
    assert is_out_of_memory(error) is is_one


@dataclass
class Sample:
    """A batch as a class."""

    x: Any
    y: Any


Pair = namedtuple("Pair", ["left", "right"])


@pytest.mark.parametrize(
    ("batch", "lines"),
    [
        (None, ["NoneType"]),
        (3, ["int"]),
        (np.zeros((2, 3), "float32"), ["float32 (2, 3), 24 B"]),
        (Sample(torch.zeros(1), "a"), ["x: float32 (1,) on cpu, 4 B", "y: str"]),
        (Pair(1, {"deep": torch.zeros(1)}), ["left: int", "right.deep: float32 (1,) on cpu, 4 B"]),
        ([], ["list, empty"]),
        (list("abcdefghij"), [*(f"[{place}]: str" for place in range(8)), "10 in all"]),
    ],
)
def test_a_batch_of_any_kind_is_described(batch: Any, lines: list[str]) -> None:
    assert [line.replace(" on cpu, 24 B", ", 24 B") for line in described(batch)] == lines


@given(
    st.recursive(st.integers(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner))
)
def test_a_description_is_never_long(batch: Any) -> None:
    assert 1 <= len(described(batch)) <= 31


@given(st.integers(0, 2**70))
def test_sizes_are_short(size: int) -> None:
    assert len(in_units(size)) <= 17


def test_it_is_attached_once_and_comes_off() -> None:
    engine: Engine[Any, Any] = Engine(fail)
    report = OutOfMemoryReport()
    report.attach(engine)
    with pytest.raises(InvalidArgument, match="attached to the engine already"):
        report.attach(engine)
    report.detach(engine)
    assert not engine.listens(Events.EXCEPTION_RAISED)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"model": "resnet"}, "model must be a torch.nn.Module, got 'resnet' of type str"),
        ({"optimizer": 3}, "optimizer must be a torch optimizer, got 3 of type int"),
    ],
)
def test_what_is_no_model_or_optimizer_is_refused(arguments: Any, said: str) -> None:
    with pytest.raises(InvalidType, match=said):
        OutOfMemoryReport(**arguments)


@pytest.mark.skipif(sys.version_info >= (3, 11), reason="exceptions have notes")
def test_without_notes_the_report_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    engine: Engine[Any, Any] = Engine(fail)
    OutOfMemoryReport().attach(engine)
    with caplog.at_level(logging.ERROR), pytest.raises(RuntimeError, match="allocate"):
        engine.run([torch.zeros(4)])
    assert "float32 (4,) on cpu, 16 B" in caplog.text
