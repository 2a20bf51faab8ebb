"""What is known of the processes, for people to read.

Owns: the words in which the configuration is shown.
Must not know: how it came about.
"""

from __future__ import annotations

import logging
from collections.abc import Callable

from glowplug_torch.logs import setup_logger
from glowplug_torch.ranks import (
    PlacementUnknown,
    backend,
    device,
    get_local_rank,
    get_nnodes,
    get_node_rank,
    get_nproc_per_node,
    get_rank,
    get_world_size,
    hostname,
    model_name,
)

FACTS: dict[str, Callable[[], object]] = {
    "distributed configuration": model_name,
    "backend": backend,
    "device": device,
    "hostname": hostname,
    "world size": get_world_size,
    "rank": get_rank,
    "local rank": get_local_rank,
    "num processes per_node": get_nproc_per_node,
    "num nodes": get_nnodes,
    "node rank": get_node_rank,
}


def show_config() -> None:
    """Log the backend, the device, and the place of this process, on the first rank.

    The lines go to the logger ``glowplug_torch.configuration``. Where logging is not set up, they
    go to the standard error.

    Example:
        >>> import logging, sys
        >>> logger = logging.getLogger("glowplug_torch.configuration")
        >>> handler = logging.StreamHandler(sys.stdout)
        >>> logger.addHandler(handler)
        >>> show_config()  # doctest: +ELLIPSIS
        distributed configuration: serial
        backend: None
        ...
        >>> logger.removeHandler(handler)
    """
    logger = logging.getLogger(__name__)
    if not logger.hasHandlers():
        logger = setup_logger(__name__)
    elif logger.level == logging.NOTSET:
        logger.setLevel(logging.INFO)  # who asks for them wants to see them
    if get_rank() == 0:
        for name, fact in FACTS.items():
            logger.info("%s: %s", name, _value(fact))


def _value(fact: Callable[[], object]) -> object:
    try:
        return fact()
    except PlacementUnknown:
        return "unknown until glowplug_torch.sync() is called in every process"
