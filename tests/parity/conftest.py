"""These tests run beside pytorch-ignite and Lightning; without them there is nothing to compare.

``tox -e parity`` installs both, and pytest fails there when no test is found.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from importlib.util import find_spec

import pytest

collect_ignore_glob = [] if find_spec("ignite") else ["test_*.py"]
if not find_spec("lightning"):
    collect_ignore_glob.append("test_lightning.py")


@pytest.fixture(autouse=True, scope="session")
def _quiet() -> Iterator[None]:
    """Keep both libraries from logging every error that a program asks for."""
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)
