"""The code blocks of the README, of the documentation and of the plugins' READMEs.

Owns: that every one of them runs, in its page's order and as one program.
Must not know: what the pages are about.
"""

from __future__ import annotations

import re
from contextlib import suppress
from pathlib import Path
from unittest import SkipTest

import pytest
from sybil import Document

RUN = {"python", "console", "bash", "toml"}
ONLY_SHOWN = {"text", "diff"}


def test_every_code_block_of_the_page_runs(
    document: Document, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for example in document.examples():
        with suppress(SkipTest):
            example.evaluate()


def test_every_code_block_of_the_page_is_in_a_language_that_is_run_or_plain_text(
    page: Path,
) -> None:
    opening = re.compile(r"^( *)(`{3,}|~{3,}|:{3,})(.*?)\n.*?^\1\2 *$", re.MULTILINE | re.DOTALL)
    blocks = [match[3].strip() for match in opening.finditer(page.read_text("utf-8"))]
    languages = {block for block in blocks if not block.startswith("{")}
    assert languages <= RUN | ONLY_SHOWN


def test_a_block_that_is_skipped_says_why(page: Path) -> None:
    directives = re.findall(r"<!--+\s*skip:\s*(.*?)\s*--+>", page.read_text("utf-8"))
    assert [d for d in directives if not re.fullmatch(r'end|(next|start) ".+"', d)] == []
