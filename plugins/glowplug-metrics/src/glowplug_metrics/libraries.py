"""Libraries that only some metrics need.

Owns: importing them when a metric is made, and how an error about a missing one is worded.
Must not know: what a metric does with its library.
"""

from __future__ import annotations

import importlib
from typing import Any

from glowplug_metrics.errors import MissingLibrary


def library(module: str, install: str, purpose: str) -> Any:
    """Import a module that a metric cannot do without.

    Args:
        module: its name.
        install: what ``pip install`` is given to have it.
        purpose: who needs it, as the beginning of a sentence.

    Returns:
        The module.

    Raises:
        MissingLibrary: when it is not installed, or cannot be imported.

    Example:
        >>> library("json", "json", "This example").dumps([1])
        '[1]'
        >>> library("acme_pixels", "acme-pixels", "Sharpness")
        Traceback (most recent call last):
        glowplug_metrics.errors.MissingLibrary: Sharpness needs the module acme_pixels, which \
cannot be imported here (No module named 'acme_pixels'): pip install 'acme-pixels'
    """
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise MissingLibrary(
            f"{purpose} needs the module {module}, which cannot be imported here ({error}): "
            f"pip install '{install}'"
        ) from error
