"""What two sequences have in common, and what it takes to make one of the other.

Owns: n-grams, common subsequences and edits, as functions of sequences.
Must not know: metrics, and what the items are.

Subsequences and edits are found for a whole row of the table of all pairs at once: a row is the
bits of one whole number, so that a step is a few operations on it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Sequence


def ngrams(items: Sequence[Hashable], n: int) -> Counter[tuple[Hashable, ...]]:
    """Return how often each run of ``n`` items occurs.

    Example:
        >>> ngrams("abab", 2)
        Counter({('a', 'b'): 2, ('b', 'a'): 1})
    """
    return Counter(zip(*(items[start:] for start in range(n)), strict=False))


def common_subsequence(one: Sequence[Hashable], other: Sequence[Hashable]) -> int:
    """Return the length of the longest subsequence that both have.

    Source:
        H. Hyyrö, "Bit-Parallel LCS-length Computation Revisited", 2004.

    Example:
        >>> common_subsequence("abcd", "axcyd")
        3
    """
    places = _places(one)
    everywhere = (1 << len(one)) - 1
    steps = everywhere  # a 0 stands where the length grows by one
    for item in other:
        here = steps & places.get(item, 0)
        steps = ((steps + here) | (steps - here)) & everywhere
    return len(one) - steps.bit_count()


def edits(one: Sequence[Hashable], other: Sequence[Hashable]) -> int:
    """Return the least number of substitutions, deletions and insertions from one to the other.

    Source:
        G. Myers, "A Fast Bit-Vector Algorithm for Approximate String Matching Based on Dynamic
        Programming", 1999, for whole sequences.

    Example:
        >>> edits("kitten", "sitting")
        3
    """
    if not one:
        return len(other)
    places = _places(one)
    everywhere, last = (1 << len(one)) - 1, 1 << (len(one) - 1)
    # Where a cell of the table is one more, or one less, than that before it in its column.
    more, less, distance = everywhere, 0, len(one)
    for item in other:
        here = places.get(item, 0)
        diagonal = (((here & more) + more) ^ more) | here | less
        row_more, row_less = less | ~(diagonal | more), more & diagonal
        distance += bool(row_more & last) - bool(row_less & last)
        row_more, row_less = row_more << 1 | 1, row_less << 1
        more = (row_less | ~(diagonal | row_more)) & everywhere
        less = row_more & diagonal & everywhere
    return distance


def _places(items: Sequence[Hashable]) -> dict[Hashable, int]:
    """Return where each item stands, as the bits of a number."""
    places: dict[Hashable, int] = {}
    for index, item in enumerate(items):
        places[item] = places.get(item, 0) | 1 << index
    return places
