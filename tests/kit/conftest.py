"""What the tests of the kit share: contracts that pytest really runs, on generated files.

Owns: running such a file, and what became of each test in it.
Must not know: any contract.
"""

from __future__ import annotations

import textwrap
from collections.abc import Callable

import pytest

from glowplug import manifest

OPTIONS = ("-W", "error", "-p", "no:hypothesispytest", "-p", "no:cacheprovider")
CONFTEST = 'pytest_plugins = ["glowplug.testing"]\n'


class Verdicts(dict[str, str]):
    """What became of each test by its name: ``passed``, ``failed`` or ``skipped``.

    Args:
        reports: pytest's reports of the tests.
    """

    def __init__(self, reports: list[pytest.TestReport]) -> None:
        super().__init__({_name(report): report.outcome for report in reports})
        self.said = {_name(report): report.longreprtext for report in reports}

    def of(self, outcome: str) -> list[str]:
        """Return the names of the tests that came to an outcome."""
        return [name for name, came in self.items() if came == outcome]


def _name(report: pytest.TestReport) -> str:
    return report.nodeid.rpartition("::")[2].removeprefix("test_")


@pytest.fixture
def judge(pytester: pytest.Pytester) -> Callable[..., Verdicts]:
    """A function that runs pytest on a file of tests, put together of pieces of source."""
    # Before Python 3.12 the first scan replaces the finder of metadata, which pytester would undo.
    manifest.scan([])

    def run(*sources: str) -> Verdicts:
        pytester.makeconftest(CONFTEST)
        pytester.makepyfile("\n\n".join(map(textwrap.dedent, sources)))
        passed, skipped, failed = pytester.inline_run(*OPTIONS).listoutcomes()
        return Verdicts([*passed, *skipped, *failed])  # type: ignore[list-item]  # no collection failed

    return run
