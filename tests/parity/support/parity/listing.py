"""The examples of departures as code that a reader can run on either library.

Owns: writing an example without the kit, by the names that both libraries have.
Must not know: what the examples are about, or the page that shows them.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable
from typing import Any

from parity import watching
from parity.examples import Example
from parity.kits import Kit

WITHOUT_KIT = (
    (r"\bkit: Kit, ", ""),
    (r"\bkit: Kit\b", ""),
    (r"\bkit\.event_enum\b", "EventEnum"),
    (r"\bkit\.events\b", "Events"),
    (r"\bkit\.event\(", "event_of("),
    (r"\bkit\.engine\b", "Engine"),
    (r"\bkit\.state\b", "State"),
    (r"\bkit\.custom\b", "Custom"),
    (r"\(kit, ", "("),
    (r"\(kit\)", "()"),
)
"""What stands in the place of the kit; the kit itself is for tests that hold both libraries."""

CUSTOM = '''\
class Custom(EventEnum):
    PLAIN = "plain"
    COUNTED = "counted"


def event_of(name):
    """Return the event of a name."""
    return Custom[name] if name in Custom.__members__ else Events[name]
'''


def without_kit(function: Callable[..., Any]) -> str:
    """Return the source of a function, its decorators and the kit left out."""
    source = inspect.getsource(function)
    source = source[source.index("def ") :]
    for pattern, instead in WITHOUT_KIT:
        source = re.sub(pattern, instead, source)
    return re.sub(r"(?m)^(def .*) -> Any:$", r"\1:", source)


def means() -> str:
    """Return the functions that the examples share."""
    shared: list[Callable[..., Any]] = [watching.watched, watching.watch, watching.at]
    shared += [watching.iterations_of, watching.outcome, watching.fail]
    return "\n\n".join([CUSTOM, *map(without_kit, shared)])


def program(example: Example) -> str:
    """Return the code of an example."""
    return without_kit(example.play)


def outcome_of(example: Example, kit: Kit) -> Any:
    """Run the code of an example as a page shows it, and return what it comes to.

    Args:
        example: the example.
        kit: the library whose names it is run with.
    """
    names = {**vars(watching), **example.play.__globals__}
    names |= {"Engine": kit.engine, "Events": kit.events, "EventEnum": kit.event_enum}
    names |= {"State": kit.state}
    code = "from __future__ import annotations\n" + means() + "\n\n" + program(example)
    exec(compile(code, example.play.__name__, "exec"), names)  # our own source
    return names[example.play.__name__]()
