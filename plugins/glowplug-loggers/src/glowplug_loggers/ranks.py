"""Which process of a distributed run writes.

Owns: the answer to "am I the first rank?", without torch.
Must not know: what is written, or how the ranks talk to each other.
"""

from __future__ import annotations

import os
import sys
from typing import Any


def is_first_rank() -> bool:
    """Return whether this process is the one that writes logs.

    An initialised process group of ``torch.distributed`` decides, if torch has been imported by
    somebody; else the environment variable ``RANK``, which torchrun sets; else there is but one
    process.

    Returns:
        True in the process of rank 0, and where there are no ranks.

    Example:
        >>> is_first_rank()
        True
    """
    distributed: Any = sys.modules.get("torch.distributed")
    if distributed is not None and distributed.is_available() and distributed.is_initialized():
        return bool(distributed.get_rank() == 0)
    rank = os.environ.get("RANK", "").strip()
    return not rank.isdigit() or int(rank) == 0
