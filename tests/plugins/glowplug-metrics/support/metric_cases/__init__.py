"""Every metric, as the laws of metrics need it.

Owns: the table of cases.
Must not know: the laws.
"""

from __future__ import annotations

from metric_cases import basic, of_classes, of_groups, of_images, of_numbers, of_runs, of_texts
from metric_cases.case import Case, Examples, mapped, split, updated

CASES: dict[str, Case] = {
    **basic.CASES,
    **of_classes.CASES,
    **of_groups.CASES,
    **of_images.CASES,
    **of_numbers.CASES,
    **of_runs.CASES,
    **of_texts.CASES,
}

__all__ = ["CASES", "Case", "Examples", "mapped", "split", "updated"]
