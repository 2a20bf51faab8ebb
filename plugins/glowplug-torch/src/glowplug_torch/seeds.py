"""Random numbers: seed every source, and capture and restore them as plain values.

Owns: which sources of random numbers there are (Python, NumPy, torch on CPU and CUDA).
Must not know: engines, epochs or data.
"""

from __future__ import annotations

import logging
import operator
import random
from collections.abc import Mapping
from typing import Any

import torch

from glowplug.errors import InvalidArgument, InvalidType

logger = logging.getLogger(__name__)

SEEDS = 2**32
"""The number of seeds: NumPy takes no larger one, so none is taken, with NumPy or without."""


def manual_seed(seed: int) -> None:
    """Seed Python's, NumPy's and torch's random numbers, on every device.

    NumPy is seeded where it is installed.

    Args:
        seed: an integer from 0 to 2**32 - 1.

    Raises:
        InvalidType: when ``seed`` is no integer.
        InvalidArgument: when it is out of range. Nothing is seeded then.

    Example:
        >>> manual_seed(7)
        >>> first = torch.rand(2), random.random()
        >>> manual_seed(7)
        >>> torch.equal(first[0], torch.rand(2)), first[1] == random.random()
        (True, True)
    """
    try:
        number = operator.index(seed)
    except TypeError:
        raise InvalidType(
            f"a seed is an integer, got {seed!r} of type {type(seed).__name__}"
        ) from None
    if not 0 <= number < SEEDS:
        raise InvalidArgument(f"a seed lies in 0 to 2**32 - 1, got {number}")
    random.seed(number)
    torch.manual_seed(number)
    numpy = _numpy()
    if numpy is not None:
        numpy.random.seed(number)


def capture_random_state() -> dict[str, Any]:
    """Return the state of every source of random numbers, as plain values.

    The values are tensors, numbers and lists, so ``torch.load`` reads them back with
    ``weights_only=True``. CUDA is included once it is in use; until then it has drawn nothing.

    Returns:
        A mapping to be handed to `restore_random_state`.

    Example:
        >>> state = capture_random_state()
        >>> first = torch.rand(3)
        >>> restore_random_state(state)
        >>> torch.equal(first, torch.rand(3))
        True
    """
    version, words, gauss_next = random.getstate()
    state: dict[str, Any] = {
        "python": [version, torch.tensor(words, dtype=torch.int64), gauss_next],
        "torch": torch.get_rng_state(),
    }
    numpy = _numpy()
    if numpy is not None:
        name, keys, position, has_gauss, gauss = numpy.random.get_state(legacy=True)
        numbers = torch.tensor(keys.tolist(), dtype=torch.int64)
        state["numpy"] = [str(name), numbers, int(position), int(has_gauss), float(gauss)]
    if torch.cuda.is_initialized():
        state["cuda"] = torch.cuda.get_rng_state_all()
    return state


def restore_random_state(state: Mapping[str, Any]) -> None:
    """Put every source of random numbers back to a captured state.

    A source that the state lacks is left alone. So are the GPUs that this machine lacks, which is
    logged.

    Args:
        state: what `capture_random_state` returned, also after it was saved and loaded to any
            device.

    Raises:
        InvalidArgument: when ``state`` has not the form of a captured one. Nothing is restored
            then.

    Example:
        >>> restore_random_state(capture_random_state())
    """
    numpy = _numpy() if "numpy" in state else None
    try:
        # Each is tried on a generator of its own first, so that a bad state changes nothing.
        version, words, gauss_next = state["python"]
        python = (version, tuple(words.tolist()), gauss_next)
        random.Random().setstate(python)
        # A checkpoint may have been loaded to a GPU; generators take their state from the CPU.
        cpu = state["torch"].cpu()
        torch.Generator().set_state(cpu)
        if numpy is not None:
            name, keys, *rest = state["numpy"]
            legacy = (name, numpy.array(keys.tolist(), dtype=numpy.uint32), *rest)
            numpy.random.RandomState().set_state(legacy)
        cuda = [generator.cpu() for generator in state.get("cuda", ())]
    except (KeyError, TypeError, ValueError, AttributeError, RuntimeError) as error:
        raise InvalidArgument(
            "a random state is a mapping as capture_random_state() returns it; "
            f"this one cannot be used: {error!r}"
        ) from error
    random.setstate(python)
    torch.set_rng_state(cpu)
    if numpy is not None:
        numpy.random.set_state(legacy)
    _restore_cuda(cuda)


def _restore_cuda(states: list[torch.Tensor]) -> None:
    present = torch.cuda.device_count() if states else 0
    if present != len(states):
        logger.warning(
            "the random state is of %s GPUs and this machine has %s; the common ones are restored",
            len(states),
            present,
        )
    for index, generator in enumerate(states[:present]):
        torch.cuda.set_rng_state(generator, index)


def _numpy() -> Any:
    """Return the module NumPy, or None where it is not installed."""
    try:
        import numpy
    except ImportError:
        return None
    return numpy
