"""What a checkpoint fires.

Owns: the set of events of this distribution.
Must not know: who fires them, or when.
"""

from __future__ import annotations

from glowplug import EventEnum


class CheckpointEvents(EventEnum):
    """What happens to checkpoints; fired on the engine that a ``Checkpoint`` is attached to.

    ``Checkpoint.attach`` registers them with the engine, and otherwise the first call of the
    ``Checkpoint`` does. ``Engine(step, events=["checkpoint"])`` has them from its birth.

    Example:
        >>> from glowplug import Engine
        >>> engine = Engine(lambda engine, batch: batch, events=[CheckpointEvents])
        >>> engine.has_registered_events(CheckpointEvents.SAVED_CHECKPOINT)
        True
    """

    SAVED_CHECKPOINT = "saved_checkpoint"
    """A checkpoint is complete, and what it outranks is gone; a filter counts its firings."""
