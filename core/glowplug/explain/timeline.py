"""A run's timeline as a page that needs no network and no other file.

Owns: putting the page together, and that nothing of what it shows can be taken for markup.
Must not know: what the timeline is about.
"""

from __future__ import annotations

import json
from html import escape
from importlib import resources
from string import Template
from typing import Any

_MARKUP = str.maketrans({"<": r"\u003c", ">": r"\u003e", "&": r"\u0026"})


def page(shown: dict[str, Any], title: str) -> str:
    """Return the page.

    Args:
        shown: what ``Explanation.to_dict()`` returned.
        title: one line on it.
    """
    parts = resources.files("glowplug.explain") / "page"
    texts = {name: (parts / f"page.{name}").read_text("utf-8") for name in ("html", "css", "js")}
    return Template(texts["html"]).substitute(
        title=escape(title),
        style=texts["css"],
        script=texts["js"],
        # Inside a script element nothing is unescaped, and "</script>" would end it.
        shown=json.dumps(shown, ensure_ascii=True).translate(_MARKUP),
    )
