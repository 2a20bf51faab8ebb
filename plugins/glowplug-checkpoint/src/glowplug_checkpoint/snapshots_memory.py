"""Where the tensors of a snapshot are copied to.

Owns: memory that is used again, how a tensor's storage gets there, and when that is done.
Must not know: what a content is, files, or threads.
"""

from __future__ import annotations

import weakref
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch

_PLAIN = (torch.Tensor, torch.nn.Parameter)


class Block:
    """Memory for one storage.

    Args:
        nbytes: how much.
        pinned: whether a GPU can write to it while the CPU does something else.
    """

    def __init__(self, nbytes: int, pinned: bool) -> None:
        self.bytes = torch.empty(nbytes, dtype=torch.uint8, device="cpu", pin_memory=pinned)
        self.pinned = pinned
        self._users: list[weakref.ref[torch.Tensor]] = []

    @property
    def kind(self) -> tuple[int, bool]:
        """What two blocks have in common that can stand for each other."""
        return self.bytes.numel(), self.pinned

    def is_free(self) -> bool:
        """Return whether no tensor that lies in it is alive."""
        return all(user() is None for user in self._users)

    def emptied(self) -> Block:
        """Return this, without users."""
        self._users.clear()
        return self

    def used_by(self, tensor: torch.Tensor) -> torch.Tensor:
        """Return a tensor that lies in it, for as long as which lives it is not free."""
        self._users.append(weakref.ref(tensor))
        return tensor


class Readiness:
    """What tells when all copies are made that a GPU makes."""

    def __init__(self) -> None:
        self._sources: dict[torch.device, list[torch.Tensor]] = defaultdict(list)
        self._events: list[Any] = []

    def expect(self, source: torch.Tensor) -> None:
        """Note a copy that is made later, and keep alive what it is made of."""
        self._sources[source.device].append(source)

    def mark(self) -> None:
        """Let each GPU tell when it has come to here."""
        for device in self._sources:
            event = torch.cuda.Event()
            event.record(torch.cuda.current_stream(device))
            self._events.append(event)

    def wait(self) -> None:
        """Wait until all copies are made."""
        for event in self._events:
            event.synchronize()
        self._sources.clear()
        self._events.clear()


class Memory:
    """Blocks of the last snapshot, which those of the next are taken from if they are free."""

    def __init__(self) -> None:
        self._used: list[Block] = []
        self._free: dict[tuple[int, bool], list[Block]] = {}
        self._of_storages: dict[object, Block] = {}
        self._readiness = Readiness()

    @contextmanager
    def filling(self) -> Iterator[Readiness]:
        """Copy what is copied within into the blocks that there are; let go of the others."""
        free = defaultdict(list)
        for block in reversed(self._used):
            if block.is_free():
                free[block.kind].append(block.emptied())
        self._used, self._free, self._readiness = [], free, Readiness()
        try:
            yield self._readiness
        finally:
            self._readiness.mark()
            self._free, self._of_storages = {}, {}
            self._readiness = Readiness()

    def copied(self, tensor: torch.Tensor) -> torch.Tensor | None:
        """Return a copy on the CPU; None for a tensor that is no view of plain memory.

        Args:
            tensor: any; tensors that share memory get copies that share theirs.
        """
        if not _is_plain(tensor):
            return None
        block = self._block_of(tensor)
        layout = tensor.storage_offset(), tensor.size(), tensor.stride()
        copied = torch.empty(0, dtype=tensor.dtype, device="cpu")
        copied.set_(block.bytes.untyped_storage(), *layout)
        copied.requires_grad_(tensor.requires_grad)
        if type(tensor) is torch.nn.Parameter:
            copied = torch.nn.Parameter(copied, tensor.requires_grad)
        return block.used_by(copied)

    def _block_of(self, tensor: torch.Tensor) -> Block:
        storage = tensor.untyped_storage()
        nbytes = storage.nbytes()
        # Storages without memory share none, though they all begin at 0.
        key = (tensor.device, storage.data_ptr(), nbytes) if nbytes else object()
        known = self._of_storages.get(key)
        if known is not None:
            return known
        block = self._new_block(nbytes, pinned=tensor.is_cuda and nbytes > 0)
        source = torch.empty(0, dtype=torch.uint8, device=tensor.device).set_(storage)
        block.bytes.copy_(source, non_blocking=block.pinned)
        if block.pinned:
            self._readiness.expect(source)
        self._of_storages[key] = block
        self._used.append(block)
        return block

    def _new_block(self, nbytes: int, pinned: bool) -> Block:
        free = self._free.get((nbytes, pinned))
        return free.pop() if free else Block(nbytes, pinned)


def _is_plain(tensor: torch.Tensor) -> bool:
    return (
        type(tensor) in _PLAIN
        and tensor.layout is torch.strided
        and not (tensor.is_meta or tensor.is_quantized or tensor.is_conj() or tensor.is_neg())
    )
