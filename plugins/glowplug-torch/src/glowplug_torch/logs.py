"""Loggers that say a thing once, whatever the number of processes.

Owns: how a logger is set up: its handlers, level and format.
Must not know: what is logged.
"""

from __future__ import annotations

import logging
import os
from typing import TextIO

from glowplug_torch.ranks import get_rank

FORMAT = "%(asctime)s %(name)s %(levelname)s: %(message)s"


def setup_logger(
    name: str | None = "glowplug",
    level: int = logging.INFO,
    stream: TextIO | None = None,
    format: str = FORMAT,
    filepath: str | os.PathLike[str] | None = None,
    distributed_rank: int | None = None,
    reset: bool = False,
    encoding: str | None = "utf-8",
) -> logging.Logger:
    r"""Let a logger write to a stream, and to a file if you like, on the first rank alone.

    A logger that has handlers already is returned as it is, unless ``reset`` is set. The logger's
    records go to its own handlers and no further.

    Args:
        name: the logger's name; None is the root logger.
        level: the lowest level that is written.
        stream: where to; None is the standard error.
        format: the form of a record.
        filepath: a file that is appended to as well.
        distributed_rank: this process's rank; None asks for it. Ranks above 0 write nothing.
        reset: replace the handlers, level and format that the logger has.
        encoding: of the file.

    Returns:
        The logger.

    Raises:
        OSError: when the file cannot be opened. The logger is left as it was.

    Example:
        >>> import io
        >>> stream = io.StringIO()
        >>> logger = setup_logger("train", stream=stream, format="%(levelname)s %(message)s")
        >>> logger.info("epoch %s", 1)
        >>> stream.getvalue()
        'INFO epoch 1\n'
    """
    logger = logging.getLogger(name)
    if logger.handlers and not reset:
        return logger
    rank = get_rank() if distributed_rank is None else distributed_rank
    handlers = [logging.NullHandler()] if rank > 0 else _writers(stream, filepath, encoding)
    for present in logger.handlers[:]:
        logger.removeHandler(present)
        present.close()
    formatter = logging.Formatter(format)
    for handler in handlers:
        handler.setFormatter(formatter)
        handler.setLevel(level)
        logger.addHandler(handler)
    logger.setLevel(level)
    logger.propagate = False
    return logger


def _writers(
    stream: TextIO | None, filepath: str | os.PathLike[str] | None, encoding: str | None
) -> list[logging.Handler]:
    handlers: list[logging.Handler] = [logging.StreamHandler(stream)]
    if filepath is not None:
        handlers.append(logging.FileHandler(filepath, encoding=encoding))
    return handlers
