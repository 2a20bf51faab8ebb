"""What the files of checkpoints are called.

Owns: the pattern of their names, how it is filled in, and how a file is found by a part of it.
Must not know: which checkpoints are kept, or where they are.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from string import Formatter
from typing import Any

from glowplug.errors import InvalidArgument, InvalidType, did_you_mean
from glowplug_checkpoint import filenames
from glowplug_checkpoint.scores import shown

FIELDS = ("filename_prefix", "name", "global_step", "score_name", "score", "ext")
"""What a pattern can name."""


def setup_filename_pattern(
    with_prefix: bool = True,
    with_score: bool = True,
    with_score_name: bool = True,
    with_global_step: bool = True,
) -> str:
    """Return the pattern of names that has the parts asked for.

    Args:
        with_prefix: whether it begins with the prefix.
        with_score: whether it has the score.
        with_score_name: whether the score's name is before it.
        with_global_step: whether it has the step.

    Raises:
        InvalidArgument: when it has neither a score nor a step, or a score's name and no score.

    Example:
        >>> setup_filename_pattern(with_prefix=False, with_global_step=False)
        '{name}_{score_name}={score}.{ext}'
    """
    if with_score_name and not with_score:
        raise InvalidArgument(
            "with_score_name=True needs with_score=True: there is nothing to name; pass "
            "with_score_name=False"
        )
    if not (with_score or with_global_step):
        raise InvalidArgument(
            "a name needs with_score=True or with_global_step=True, or every checkpoint would have "
            "the same"
        )
    score = "{score_name}={score}" if with_score_name else "{score}"
    parts = {
        "{filename_prefix}": with_prefix,
        "{name}": True,
        "{global_step}": with_global_step,
        score: with_score,
    }
    return "_".join(part for part, is_in in parts.items() if is_in) + ".{ext}"


@dataclass(frozen=True)
class FileNames:
    """The names of the files of one ``Checkpoint``.

    Args:
        pattern: a format string with some of ``FIELDS``.
        prefix: what ``{filename_prefix}`` stands for.
        score_name: what ``{score_name}`` stands for.
        ext: what ``{ext}`` stands for.

    Raises:
        InvalidType: when one of them is no string.
        InvalidArgument: when the pattern is no format string, or names something else.

    Example:
        >>> names = FileNames("{name}_{global_step}.{ext}", ext="pt")
        >>> names.of("model", 3)
        'model_3.pt'
    """

    pattern: str
    prefix: str = ""
    score_name: str | None = None
    ext: str = "pt"

    def __post_init__(self) -> None:
        named = {
            "filename_pattern": self.pattern,
            "filename_prefix": self.prefix,
            "score_name": self.score_name or "",
        }
        for argument, value in named.items():
            if not isinstance(value, str):
                raise InvalidType(
                    f"{argument} must be a string, got {value!r} of type {type(value).__name__}"
                )
        try:
            found = [
                field for _, field, _, _ in Formatter().parse(self.pattern) if field is not None
            ]
        except ValueError as error:
            raise InvalidArgument(
                f"filename_pattern must be a format string, got {self.pattern!r}: {error}"
            ) from None
        unknown = [field for field in found if re.split(r"[.\[]", field)[0] not in FIELDS]
        if unknown:
            raise InvalidArgument(
                f"filename_pattern={self.pattern!r} names {', '.join(map(repr, unknown))}"
                f"{did_you_mean(unknown[0], FIELDS)} (known: {', '.join(FIELDS)})"
            )
        if "score_name" in found and self.score_name is None:
            raise InvalidArgument(
                f"filename_pattern={self.pattern!r} has {{score_name}}; give a score_name"
            )

    def has(self, field: str) -> bool:
        """Return whether the pattern names a field."""
        return field in _fields(self.pattern)

    def with_ext(self, ext: str) -> FileNames:
        """Return the same with another ``{ext}``."""
        return replace(self, ext=ext)

    def of(self, name: str, step: int, score: str = "") -> str:
        """Return the name of a file.

        Args:
            name: what is in it.
            step: the step that it is of.
            score: its score, as it is shown.

        Raises:
            InvalidArgument: when what comes out is no name of a file.
        """
        values = self._values(name=name, global_step=step, score=score)
        try:
            made = self.pattern.format(**values)
        except (ValueError, LookupError, AttributeError) as error:
            raise InvalidArgument(
                f"filename_pattern={self.pattern!r} cannot be filled in with {values!r}: {error}"
            ) from error
        return filenames.checkpoint_name(made)

    def finder(self, components: Mapping[str, Any]) -> re.Pattern[str]:
        """Return what matches the names of the files that have some components.

        Args:
            components: values of fields; what is left out may be anything, but for those that are
                always the same here.

        Raises:
            InvalidArgument: when the pattern does not name such a field.
        """
        strange = [field for field in components if not self.has(field)]
        if strange:
            known = [field for field in FIELDS if self.has(field)]
            raise InvalidArgument(
                f"the names of these files have no {', '.join(map(repr, strange))}"
                f"{did_you_mean(strange[0], known)} (the pattern is {self.pattern!r})"
            )
        values = {**self._values(), **components}
        parts = []
        for literal, field, spec, _ in Formatter().parse(self.pattern):
            parts.append(re.escape(literal))
            if field is not None:
                parts.append(_matching(values.get(field), spec or "") if field in values else ".+?")
        return re.compile("".join(parts))

    def _values(self, **others: Any) -> dict[str, Any]:
        constant = {"filename_prefix": self.prefix, "ext": self.ext}
        if self.score_name is not None:
            constant["score_name"] = self.score_name
        return {**constant, **others}


def _fields(pattern: str) -> list[str]:
    return [field for _, field, _, _ in Formatter().parse(pattern) if field is not None]


def _matching(value: Any, spec: str) -> str:
    forms = {str(value)}
    if isinstance(value, (int, float)):
        forms |= {shown(value), repr(value)}
    if spec:
        forms = {format(value, spec)}
    return "(?:" + "|".join(sorted(map(re.escape, forms))) + ")"
