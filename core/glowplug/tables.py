"""Tables in sections, as text that fits a terminal and as HTML.

Owns: widths, cutting what does not fit, and escaping.
Must not know: what a table is about.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from itertools import chain

GAP, INDENT, LEAST = 2, 2, 10
"""Spaces between columns and before rows; the width below which no column is cut."""


@dataclass(frozen=True)
class Column:
    """A column of a table.

    Args:
        title: its heading.
        number: whether it holds numbers: kept whole, and aligned at the right.
        keeps_end: whether a cell that must be cut loses its beginning.
        gives_way: whether it moves to a second line where the first would be too long.
    """

    title: str
    number: bool = False
    keeps_end: bool = False
    gives_way: bool = False

    def fit(self, cell: str, width: int) -> str:
        """Return ``cell`` in exactly ``width`` characters."""
        if len(cell) > width:
            cell = (
                f"…{cell[len(cell) - width + 1 :]}" if self.keeps_end else f"{cell[: width - 1]}…"
            )
        return cell.rjust(width) if self.number else cell.ljust(width)


@dataclass(frozen=True)
class Section:
    """Rows of a table that belong together.

    Args:
        title: what stands above them.
        rows: a cell for each column in each.
    """

    title: str
    rows: Sequence[Sequence[str]]


def as_text(columns: Sequence[Column], sections: Sequence[Section], width: int) -> str:
    """Return a table as lines of at most ``width`` characters, as far as its numbers allow.

    Columns that are empty throughout are left out.

    Example:
        >>> columns = [Column("handler"), Column("calls", number=True)]
        >>> print(as_text(columns, [Section("STARTED", [("log", "12")])], 40))
          handler  calls
        STARTED
          log         12
    """
    widths = _natural_widths(columns, sections)
    below: list[int] = []
    if _excess(widths, width) > 0:
        below = [i for i, column in enumerate(columns) if column.gives_way and widths[i]]
        widths = [0 if i in below else wide for i, wide in enumerate(widths)]
    _cut(widths, columns, width)
    shown = [index for index, wide in enumerate(widths) if wide]
    indent = INDENT + widths[shown[0]] + GAP

    def lines_of(cells: Sequence[str]) -> list[str]:
        fitted = (columns[index].fit(cells[index], widths[index]) for index in shown)
        first = " " * INDENT + (" " * GAP).join(fitted)
        rest = ", ".join(cells[index] for index in below if cells[index])
        second = " " * indent + Column("", keeps_end=True).fit(rest, width - indent)
        return [line.rstrip() for line in (first, second)[: 1 + bool(rest)]]

    lines = lines_of([column.title for column in columns])
    for section in sections:
        lines += [section.title, *chain.from_iterable(map(lines_of, section.rows))]
    return "\n".join(lines)


def _natural_widths(columns: Sequence[Column], sections: Sequence[Section]) -> list[int]:
    rows = list(chain.from_iterable(section.rows for section in sections))
    cells = [[row[index] for row in rows] for index in range(len(columns))]
    return [
        max(len(column.title), *map(len, column_cells)) if any(column_cells) else 0
        for column, column_cells in zip(columns, cells, strict=True)
    ]


def _excess(widths: Sequence[int], width: int) -> int:
    return INDENT + sum(w + GAP for w in widths if w) - GAP - width


def _cut(widths: list[int], columns: Sequence[Column], width: int) -> None:
    """Make columns narrower, the widest first, so that what is cut is cut evenly."""
    texts = [index for index, column in enumerate(columns) if not column.number]
    for _ in range(_excess(widths, width)):
        widest = max(texts, key=widths.__getitem__)
        widths[widest] -= widths[widest] > LEAST


def as_html(columns: Sequence[Column], sections: Sequence[Section], caption: str = "") -> str:
    """Return a table as HTML, which needs no style sheet.

    Example:
        >>> as_html([Column("handler")], [Section("STARTED", [("<lambda>",)])])[-48:]
        '<tr><td>&lt;lambda&gt;</td></tr></tbody></table>'
    """

    def row(cells: Sequence[str]) -> str:
        styled = (
            f'<td style="text-align:right">{escape(cell)}</td>'
            if column.number
            else f"<td>{escape(cell)}</td>"
            for column, cell in zip(columns, cells, strict=True)
        )
        return f"<tr>{''.join(styled)}</tr>"

    head = "".join(f'<th scope="col">{escape(column.title)}</th>' for column in columns)
    bodies = (
        f'<tbody><tr><th scope="rowgroup" colspan="{len(columns)}" style="text-align:left">'
        f"{escape(section.title)}</th></tr>{''.join(map(row, section.rows))}</tbody>"
        for section in sections
    )
    title = f"<caption>{escape(caption)}</caption>" if caption else ""
    return f"<table>{title}<thead><tr>{head}</tr></thead>{''.join(bodies)}</table>"
