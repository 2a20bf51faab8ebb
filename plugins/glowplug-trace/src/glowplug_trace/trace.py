"""The component.

Owns: what users ask of a trace.
Must not know: what is recorded of an engine, or the format.
"""

from __future__ import annotations

from itertools import count, islice
from os import PathLike
from pathlib import Path
from typing import Any
from weakref import WeakKeyDictionary, finalize

from glowplug import Engine
from glowplug.errors import InvalidArgument, InvalidType
from glowplug_trace import chrome
from glowplug_trace.clocks import Clock
from glowplug_trace.files import TraceFile
from glowplug_trace.moments import cannot_be_copied
from glowplug_trace.papers import Paper
from glowplug_trace.profiles import exported, moved
from glowplug_trace.tracks import EngineTracks

FIRST_PROCESS = 2**22 + 1
"""The number of the first engine's tracks: above those of real processes, which profilers use."""
AT_A_TIME = 1000


class Trace:
    """Records what engines do in a file that ui.perfetto.dev and chrome://tracing open.

    Each engine is a group of tracks: its run with epochs, iterations and the fetching of data; its
    step; the functions of your own that are attached to it; and each plugin's. The file is valid
    JSON after each write, about once a second and at the end of a run, however the run ended.
    Without ``first`` or ``last`` it grows with the run, by some hundred bytes a call; what waits in
    memory is bounded.

    An engine pays for it while it is attached, and nothing before or after.

    Args:
        path: the file; with the suffix ``.gz`` it is packed.
        first: record the first iterations of each engine, as many, then let go of it.
        last: record the last iterations of each engine, as many; they wait in memory until the
            outermost run ends. With ``first``, both ends are recorded.
        overwrite: whether a file that exists is replaced.

    Raises:
        CannotWrite: when the file exists, or cannot be written.
        InvalidType: when ``path`` is no path, ``first`` or ``last`` no whole number.
        InvalidArgument: when ``first`` or ``last`` is below 1.

    Example:
        >>> import json
        >>> from glowplug import Engine
        >>> path = getfixture("tmp_path") / "run.json"
        >>> engine = Engine(lambda engine, batch: batch)
        >>> Trace(path).attach(engine, "trainer")
        >>> state = engine.run([1, 2, 3], max_epochs=2)
        >>> spans = [event for event in json.loads(path.read_text()) if event["ph"] == "X"]
        >>> sum(span["name"] == "iteration" for span in spans)
        6
    """

    def __init__(
        self,
        path: str | PathLike[str] = "trace.json",
        first: int | None = None,
        last: int | None = None,
        overwrite: bool = False,
    ) -> None:
        for name, number in (("first", first), ("last", last)):
            _check_number(name, number)
        self._first, self._last = first, last
        self._clock = Clock()
        self._file = TraceFile(path, overwrite)
        self._paper = Paper(self._file)
        self._processes = count(FIRST_PROCESS)
        self._names: set[str] = set()
        self._tracks: WeakKeyDictionary[Engine[Any, Any], EngineTracks] = WeakKeyDictionary()

    @property
    def path(self) -> Path:
        """The file."""
        return self._file.path

    def attach(self, engine: Engine[Any, Any], name: str | None = None) -> None:
        """Record what an engine does, beside the engines that are recorded already.

        Args:
            engine: the engine.
            name: what its group of tracks is called; the name of its step unless given.

        Raises:
            InvalidType: when it is no engine, or the name no text.
            InvalidArgument: when this trace records the engine already.
        """
        if not isinstance(engine, Engine):
            raise InvalidType(f"expected an Engine, got {engine!r} of type {type(engine).__name__}")
        if name is not None and not isinstance(name, str):
            raise InvalidType(f"name must be a text, got {name!r} of type {type(name).__name__}")
        if engine in self._tracks:
            raise InvalidArgument("this trace records the engine already; detach(engine) before")
        name = self._unique(engine.describe().step) if name is None else name
        self._names.add(name)
        process = next(self._processes)
        for record in chrome.named_process(process, name):
            self._paper.put(record)
        window = self._paper.window(self._first, self._last)
        self._tracks[engine] = EngineTracks(engine, process, self._paper, window, self._clock)
        finalize(engine, self._paper.close, window)
        self._paper.rest()

    def detach(self, engine: Engine[Any, Any]) -> None:
        """Record no more of an engine; what was recorded stays.

        Raises:
            InvalidArgument: when this trace does not record the engine.
        """
        tracks = self._tracks.pop(engine, None) if isinstance(engine, Engine) else None
        if tracks is None:
            raise InvalidArgument(f"this trace does not record {engine!r}; attach(engine) before")
        tracks.leave()

    def include(self, profile: Any) -> None:
        """Put the spans of ``torch.profiler`` beside those of the engines, on the same clock.

        As in ``torch.profiler.profile(on_trace_ready=trace.include)``, or afterwards. A profile is
        read into memory as a whole.

        Args:
            profile: a ``torch.profiler.profile`` that has ended a recording, or the path of a trace
                that one has exported, packed by gzip or not.

        Raises:
            InvalidType: when it is neither.
            InvalidArgument: when the profile was exported already or has recorded nothing, or the
                file is no trace of torch.profiler.
        """
        events = moved(exported(profile), self._clock)
        while chunk := [chrome.text(chrome.foreign(event)) for event in islice(events, AT_A_TIME)]:
            self._file.append(chunk)

    def _unique(self, name: str) -> str:
        """Return the name, with a number where another engine has it."""
        numbered = (name if number == 1 else f"{name} {number}" for number in count(1))
        return next(made for made in numbered if made not in self._names)

    def __reduce__(self) -> Any:
        raise cannot_be_copied()


def _check_number(name: str, number: int | None) -> None:
    if number is None:
        return
    if not isinstance(number, int) or isinstance(number, bool):
        raise InvalidType(
            f"{name} must be a number of iterations, got {number!r} of type {type(number).__name__}"
        )
    if number < 1:
        raise InvalidArgument(f"{name} must be at least 1 iteration, got {number}")
