"""What a run takes that can be repeated: random numbers kept, a saved state checked, cuDNN.

Owns: keeping the random numbers of a run from a function, and what a saved state must hold.
Must not know: engines, or the place in the data.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, ParamSpec, TypeVar

import torch

from glowplug.errors import InvalidArgument
from glowplug_torch import capture_random_state, restore_random_state
from glowplug_torch.seeds import SEEDS

P = ParamSpec("P")
R = TypeVar("R")


def keep_random_state(func: Callable[P, R]) -> Callable[P, R]:
    """Let a function, a handler say, draw random numbers without changing those of the run.

    Args:
        func: any function.

    Returns:
        The function, after which Python's, NumPy's and torch's random numbers go on as if it had
        not been called.

    Example:
        >>> @keep_random_state
        ... def show_samples(engine=None):
        ...     return torch.rand(3)
        >>> torch.equal(show_samples(), show_samples())
        True
    """

    @functools.wraps(func)
    def kept(*args: P.args, **kwargs: P.kwargs) -> R:
        before = capture_random_state()
        try:
            return func(*args, **kwargs)
        finally:
            restore_random_state(before)

    return kept


def check_saved(state_dict: Mapping[str, Any]) -> None:
    """Raise InvalidArgument for what a deterministic engine cannot go on from."""
    problems = []
    seed = state_dict.get("seed", "missing")
    if seed is not None and (not isinstance(seed, int) or not 0 <= seed < SEEDS):
        problems.append(f"'seed' must be None or an integer from 0 to 2**32 - 1, got {seed!r}")
    position = state_dict.get("data_position")
    if not isinstance(position, Mapping) or not all(
        isinstance(position.get(key), int) for key in ("pass", "began")
    ):
        problems.append(f"'data_position' must hold integers 'pass' and 'began', got {position!r}")
    try:
        keep_random_state(restore_random_state)(state_dict.get("rng_states") or {})
    except InvalidArgument as error:
        problems.append(f"'rng_states': {error}")
    if problems:
        raise InvalidArgument(
            "this is no state of a DeterministicEngine, which it takes to resume one: "
            + "; ".join(problems)
        )


@contextmanager
def deterministic_cudnn() -> Iterator[None]:
    """Let cuDNN choose deterministic algorithms within."""
    cudnn: Any = torch.backends.cudnn
    before = cudnn.deterministic, cudnn.benchmark
    cudnn.deterministic, cudnn.benchmark = True, False
    try:
        yield
    finally:
        cudnn.deterministic, cudnn.benchmark = before
