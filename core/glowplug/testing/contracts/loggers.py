"""The contract of loggers.

Owns: what closing a logger must come to.
Must not know: where a logger writes.
"""

from __future__ import annotations

from typing import Any, ClassVar, Literal

import pytest

from glowplug.components import Kind
from glowplug.testing.contracts.components import ComponentContract
from glowplug.testing.contracts.contract import fail
from glowplug.testing.snapshots import Snapshot


class LoggerContract(ComponentContract):
    """The contract of a logger: that of a component, and that it can be closed.

    Where ``attach`` takes more than the engine, override ``attach`` to say what. What was logged
    belongs into ``outcome``.

    Attributes:
        closes: True, or why there is nothing to close.

    Example:
        >>> class Lines:
        ...     def __init__(self):
        ...         self.lines, self.closed = [], False
        ...     def attach(self, engine):
        ...         if self.closed:
        ...             raise RuntimeError("this logger is closed")
        ...         return engine.add_event_handler("EPOCH_COMPLETED", self.write)
        ...     def write(self, engine):
        ...         self.lines.append(engine.state.output)
        ...     def close(self):
        ...         self.closed = True
        >>> class TestLines(LoggerContract):
        ...     saves = "what is logged is logged"
        ...     def make(self):
        ...         return Lines()
        ...     def outcome(self, engine, logger):
        ...         return {"lines": logger.lines}
        >>> TestLines().use(Lines())
        {'lines': [4.0, 4.0, 4.0]}
    """

    kind = Kind.LOGGER
    closes: ClassVar[Literal[True] | str] = True

    def test_closing_twice_is_harmless(self) -> None:
        """As when a with statement closes what its body has closed already."""
        logger = self._to_be_closed()
        self.use(logger)
        logger.close()
        logger.close()

    def test_attaching_after_closing_is_an_error_that_says_so(self) -> None:
        """It would log nothing; and the engine stays as it was."""
        logger, engine = self._to_be_closed(), self.make_engine()
        logger.close()
        before = Snapshot(engine)
        try:
            self.attach(logger, engine)
        except Exception as error:
            if "close" not in str(error):
                fail(f"the error does not say that it is closed: {type(error).__name__}: {error}")
        else:
            fail("a closed logger was attached without an error, and would log nothing")
        changes = before.changes(engine)
        if changes:
            fail("\n  ".join(["the refused attachment changed the engine:", *changes]))

    def _to_be_closed(self) -> Any:
        logger = self.make()
        has_close = callable(getattr(logger, "close", None))
        if self.closes is True and not has_close:
            fail("it has no close(); declare why there is nothing to close: closes = '...'")
        if self.closes is not True:
            if has_close:
                fail(f"it has close(), although closes = {self.closes!r} says that it has none")
            pytest.skip(f"declared: {self.closes}")
        return logger
