"""Which checkpoints are kept.

Owns: the rules by which a new checkpoint is saved or not, and by which an old one goes.
Must not know: files, engines, or what is in a checkpoint.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from glowplug.errors import InvalidArgument, InvalidType
from glowplug_checkpoint.scores import Score, rank

_FOREIGN = "_saved"
"""Where pytorch-ignite keeps what ``saved`` holds here."""


class Entry(NamedTuple):
    """A checkpoint that is kept, or would be.

    Args:
        priority: its score; without scores, its step.
        name: the name of its file.
    """

    priority: Score
    name: str


class Rules(NamedTuple):
    """How many are kept, and which.

    Args:
        n_saved: how many; None for all.
        by_score: the best ones; else the latest.
        or_equal: whether a new one goes before an old one that is as good.
    """

    n_saved: int | None
    by_score: bool
    or_equal: bool

    def after(self, kept: tuple[Entry, ...], new: Entry) -> tuple[Entry, ...] | None:
        """Return what is kept when ``new`` comes, the worst first; None when it is not saved.

        A name stands for one file: who gets the name of one that is kept takes its place, if it
        goes before it.

        Args:
            kept: what is kept so far, the worst first.
            new: what comes.

        Example:
            >>> best_two = Rules(n_saved=2, by_score=True, or_equal=False)
            >>> best_two.after((Entry(0.1, "a"), Entry(0.3, "b")), Entry(0.2, "c"))
            (Entry(priority=0.2, name='c'), Entry(priority=0.3, name='b'))
        """
        others = tuple(entry for entry in kept if entry.name != new.name)
        if not self.by_score:
            return self._last((*others, new))
        others = _ordered(others)  # a list that was loaded may be in any order
        if any(not self._goes_before(new, entry) for entry in kept if entry.name == new.name):
            return None
        if self.n_saved is not None:
            if math.isnan(new.priority) and not all(math.isnan(e.priority) for e in kept):
                return None
            room = self.n_saved - len(others)
            if room <= 0 and not self._goes_before(new, others[-self.n_saved]):
                return None
        return self._last(_ordered((*others, new)))

    def _last(self, entries: tuple[Entry, ...]) -> tuple[Entry, ...]:
        return entries if self.n_saved is None else entries[-self.n_saved :]

    def _goes_before(self, new: Entry, old: Entry) -> bool:
        new_rank, old_rank = rank(new.priority), rank(old.priority)
        return new_rank >= old_rank if self.or_equal else new_rank > old_rank


def _ordered(entries: tuple[Entry, ...]) -> tuple[Entry, ...]:
    """Return entries with the worst first; of those as good as each other, the older."""
    return tuple(sorted(entries, key=lambda entry: rank(entry.priority)))


class Kept(NamedTuple):
    """What is kept, and what should be gone.

    Args:
        entries: what is kept, the worst first.
        outranked: names of files that are no longer kept, and may still be there.
    """

    entries: tuple[Entry, ...] = ()
    outranked: tuple[str, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """The names of all files that are known to be this one's own."""
        return (*(entry.name for entry in self.entries), *self.outranked)

    def named(self, name: str) -> Entry | None:
        """Return what is kept under a name."""
        return next((entry for entry in self.entries if entry.name == name), None)

    def followed_by(self, entries: tuple[Entry, ...]) -> Kept:
        """Return the same with other entries; those of before that are not among them are due."""
        stay = {entry.name for entry in entries}
        return Kept(entries, tuple(dict.fromkeys(n for n in self._all() if n not in stay)))

    def to_state(self) -> dict[str, Any]:
        """Return it as plain values."""
        saved = [[entry.priority, entry.name] for entry in self.entries]
        return {"saved": saved, "outranked": list(self.outranked)}

    def _all(self) -> Iterable[str]:
        return (*self.outranked, *(entry.name for entry in self.entries))


def kept_of_state(state: Any) -> Kept:
    """Return what a state holds that ``Kept.to_state`` made, or pytorch-ignite's ``Checkpoint``.

    Raises:
        InvalidType: when it is no mapping.
        InvalidArgument: when it lacks the list, or holds anything but scores and names.
    """
    if not isinstance(state, Mapping):
        raise InvalidType(
            "the state of a Checkpoint is a mapping such as state_dict() returns, got "
            f"{state!r} of type {type(state).__name__}"
        )
    key = "saved" if "saved" in state else _FOREIGN
    saved, outranked = state.get(key), state.get("outranked", [])
    if not isinstance(saved, (list, tuple)) or not isinstance(outranked, (list, tuple)):
        raise InvalidArgument(
            "the state of a Checkpoint has a list 'saved' of scores and names, and a list "
            f"'outranked' of names; got {dict(state)!r}"
        )
    wrong = [pair for pair in saved if not _is_entry(pair)]
    wrong += [name for name in outranked if not isinstance(name, str)]
    if wrong:
        raise InvalidArgument(
            "expected pairs of a score and a name in 'saved', and names in 'outranked'; got "
            f"{', '.join(map(repr, wrong))}"
        )
    return Kept(tuple(Entry(*pair) for pair in saved), tuple(outranked))


def _is_entry(pair: Any) -> bool:
    if not isinstance(pair, (list, tuple)) or len(pair) != 2:
        return False
    return isinstance(pair[0], (int, float)) and isinstance(pair[1], str)
