"""What the formats are called.

Owns: the names.
Must not know: torch, so that a list of checkpoints need not wait for it.
"""

from __future__ import annotations

import enum


class Format(enum.Enum):
    """How a checkpoint's content becomes bytes.

    Example:
        >>> Format("safetensors")
        <Format.SAFETENSORS: 'safetensors'>
    """

    TORCH = "torch"
    """As ``torch.save`` writes it."""
    SAFETENSORS = "safetensors"
    """Tensors that any program can read which knows safetensors, and the rest as JSON beside them.
    """
