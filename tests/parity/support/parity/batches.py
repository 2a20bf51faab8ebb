"""Data made from its description: every batch says which pass over which data it is of.

Owns: the four kinds of data.
Must not know: engines.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from parity.programs import Data, Kind


class Unsized:
    """Data that can be iterated again and counts its passes, from the first batch of each.

    An iterator that is made and never asked for a batch is no pass: the reference makes some.
    """

    def __init__(self, data: Data) -> None:
        self.data = data
        self.passes = 0

    def __iter__(self) -> Iterator[str]:
        self.passes += 1
        number = self.passes
        for index in range(self.data.size):
            if self.data.fails_at == (number, index):
                raise OSError(f"no batch {index} in pass {number}")
            yield f"{self.data.label}/{number}.{index}"


class Sized(Unsized):
    """The same with a length."""

    def __len__(self) -> int:
        return self.data.size


def made(data: Data) -> Iterable[str]:
    """Return the data of a description."""
    if data.kind is Kind.SIZED:
        return Sized(data)
    if data.kind is Kind.LIST:
        return [f"{data.label}/{index}" for index in range(data.size)]
    again = Unsized(data)
    return iter(again) if data.kind is Kind.ONE_SHOT else again
