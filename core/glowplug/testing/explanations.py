"""How pytest shows a recording that is not what a test expected.

Owns: the explanation of a failed comparison.
Must not know: how a recording came about.
"""

from __future__ import annotations

import difflib

from glowplug.testing.records import Recording, as_table


def pytest_assertrepr_compare(op: str, left: object, right: object) -> list[str] | None:
    """Show two recordings, or a recording and a list, as tables with the lines that differ marked.

    Args:
        op: the comparison.
        left: what stands before it.
        right: what stands behind it.

    Returns:
        The lines, or None where pytest shall explain.

    Example:
        >>> from glowplug.testing import Fired
        >>> recording = Recording([Fired("STARTED", 0, 0, 0)])
        >>> for line in pytest_assertrepr_compare("==", recording, [("COMPLETED", 1, 2, 1)]):
        ...     print(line)
        Recording == list (- left, + right)
          event      epoch  iteration  number
        - STARTED        0          0       0
        + COMPLETED      1          2       1
    """
    if op != "==" or not isinstance(left, list) or not isinstance(right, list):
        return None
    if not isinstance(left, Recording) and not isinstance(right, Recording):
        return None
    titles, *rows = as_table([*left, *right]) or [""]
    lines = difflib.ndiff(rows[: len(left)], rows[len(left) :])
    marked = [line for line in lines if not line.startswith("?")]
    kinds = type(left).__name__, type(right).__name__
    return [f"{kinds[0]} == {kinds[1]} (- left, + right)", f"  {titles}", *marked]
