"""The global generators of random numbers.

Owns: which there are in this process, and whether one was used.
Must not know: who uses them; numpy and torch are looked at where somebody has imported them.
"""

from __future__ import annotations

import random
import secrets
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Generator:
    """One global generator.

    Args:
        name: what its users call it.
        get: returns its state.
        set: takes a state that was got.
        seed: takes a seed.
    """

    name: str
    get: Callable[[], Any]
    set: Callable[[Any], Any]
    seed: Callable[[int], Any]


def present() -> list[Generator]:
    """Return the global generators of this process.

    Example:
        >>> present()[0].name
        'random'
    """
    found = [Generator("random", random.getstate, random.setstate, random.seed)]
    numpy: Any = sys.modules.get("numpy")
    if numpy is not None:
        shared = numpy.random
        found.append(Generator("numpy.random", shared.get_state, shared.set_state, shared.seed))
    torch: Any = sys.modules.get("torch")
    if torch is not None:
        generator = torch.default_generator
        found.append(
            Generator("torch", generator.get_state, generator.set_state, generator.manual_seed)
        )
        if torch.cuda.is_available() and torch.cuda.is_initialized():
            cuda = torch.cuda
            found.append(
                Generator(
                    "torch.cuda",
                    cuda.get_rng_state_all,
                    cuda.set_rng_state_all,
                    cuda.manual_seed_all,
                )
            )
    return found


@contextmanager
def watched() -> Iterator[Callable[[], list[str]]]:
    """Seed all generators anew, watch them, and put them back.

    The seed is another each time, so that one who seeds them for himself is seen too.

    Yields:
        A function that returns the names of those that were used since.

    Example:
        >>> with watched() as used:
        ...     _ = random.random()
        ...     used()
        ['random']
    """
    generators = present()
    before = [generator.get() for generator in generators]
    try:
        for generator in generators:
            generator.seed(secrets.randbits(32))
        seeded = [_frozen(generator.get()) for generator in generators]
        yield lambda: [
            generator.name
            for generator, state in zip(generators, seeded, strict=True)
            if _frozen(generator.get()) != state
        ]
    finally:
        for generator, state in zip(generators, before, strict=True):
            generator.set(state)


def _frozen(state: Any) -> Any:
    """Return a state as plain values: those of numpy and torch hold arrays."""
    if isinstance(state, (list, tuple)):
        return [_frozen(part) for part in state]
    return state.tolist() if hasattr(state, "tolist") else state
