from __future__ import annotations

import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from glowplug import Engine, GlowplugWarning


@pytest.fixture
def engine(clock: Any) -> Engine[Any, Any]:
    """An engine whose step takes a millisecond, on a clock on which nothing else takes time."""
    return Engine(lambda engine, batch: time.sleep(0.001))


@pytest.fixture
def slow(clock: Any) -> Callable[[], None]:
    """A handler that takes four milliseconds."""

    def sleep_long() -> None:
        time.sleep(0.004)

    return sleep_long


@pytest.fixture
def complaints() -> Any:
    """A context that returns the warnings of glowplug that were given in it."""

    @contextmanager
    def catch() -> Iterator[list[Any]]:
        found: list[Any] = []
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            yield found
        found += [w.message for w in caught if isinstance(w.message, GlowplugWarning)]

    return catch
