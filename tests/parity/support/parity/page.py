"""The table of departures as Markdown, for docs/explanation/what-differs.md.

Owns: the form of the table, and writing it between its two marks in the page.
Must not know: what the departures are about.

``python -m parity.page`` in this package's parent folder writes it anew.
"""

from __future__ import annotations

from pathlib import Path

from parity.departures import Departure, Handling

PAGE = Path(__file__).resolve().parents[4] / "docs" / "explanation" / "what-differs.md"
BEGIN, END = "<!-- departures: begin -->", "<!-- departures: end -->"
TESTED = {
    Handling.MENDED: "compared, once it is evened out",
    Handling.CUT: "compared up to there",
    Handling.AVOIDED: "by its example",
}


def table() -> str:
    """Return the departures as a table."""
    rows = ["| name | what glowplug does | tested |", "|---|---|---|"]
    rows += [
        f"| `{known.name}` | {known.sentence} | {TESTED[known.handling]} |" for known in Departure
    ]
    return "\n".join(rows)


def with_table(page: str) -> str:
    """Return a page with the table between its marks."""
    before, rest = page.split(BEGIN)
    after = rest.split(END)[1]
    return f"{before}{BEGIN}\n\n{table()}\n\n{END}{after}"


if __name__ == "__main__":
    PAGE.write_text(with_table(PAGE.read_text("utf-8")), "utf-8")
