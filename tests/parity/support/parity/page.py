"""The departures as Markdown: a table for one page, and the code of each for another.

Owns: the form of the table and of the listings, and writing them between their marks in the pages.
Must not know: what the departures are about.

``python -m parity.page`` in this package's parent folder writes them anew.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

from parity.departures import Departure, Handling
from parity.examples import Example
from parity.library import EXAMPLES
from parity.listing import means, program
from parity.metric_departures import METRIC_DEPARTURES

FOLDER = Path(__file__).resolve().parents[4] / "docs" / "explanation"
PAGE, CODE = FOLDER / "what-differs.md", FOLDER / "what-differs-in-code.md"
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


def metrics_table() -> str:
    """Return the departures of metrics as a table."""
    rows = ["| what glowplug does | for example | glowplug | pytorch-ignite |", "|---|---|---|---|"]
    rows += [
        f"| {known.sentence} | `{known.code}` | `{known.ours}` | `{known.theirs}` |"
        for known in METRIC_DEPARTURES
    ]
    return "\n".join(rows)


def listings() -> str:
    """Return the code of every example under its departure, with what each library makes of it."""
    return "\n\n".join(part for known in Departure for part in listing(known))


def listing(departure: Departure) -> Iterator[str]:
    """Yield what a page says of one departure."""
    yield f"## `{departure.name}`"
    yield departure.sentence
    for example in EXAMPLES:
        if example.departure is departure:
            yield code(program(example))
            yield outcomes(example)


def code(source: str) -> str:
    """Return source as a block that is coloured and not run, since it takes both libraries."""
    return f"```{{code-block}} python\n{source.strip()}\n```"


def outcomes(example: Example) -> str:
    """Return what both libraries make of an example, side by side."""
    ours, theirs = (cell(result) for result in (example.ours, example.theirs))
    return f"| glowplug | pytorch-ignite |\n|---|---|\n| {ours} | {theirs} |"


def cell(result: Any) -> str:
    """Return a value as a cell of a table."""
    return f"`{result!r}`".replace("|", r"\|")


def shared() -> str:
    """Return the code of the means that the examples share."""
    return code(means())


PARTS: Mapping[Path, Mapping[str, Callable[[], str]]] = MappingProxyType(
    {
        PAGE: {"metric departures": metrics_table, "departures": table},
        CODE: {"means": shared, "examples": listings},
    }
)
"""The pages, and what stands between which marks in each."""


def written(path: Path) -> str:
    """Return a page with every part between its marks."""
    page = path.read_text("utf-8")
    for mark, make in PARTS[path].items():
        begin, end = f"<!-- {mark}: begin -->", f"<!-- {mark}: end -->"
        before, rest = page.split(begin)
        page = f"{before}{begin}\n\n{make()}\n\n{end}{rest.split(end)[1]}"
    return page


if __name__ == "__main__":
    for path in PARTS:
        path.write_text(written(path), "utf-8")
