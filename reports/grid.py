"""The matrix of requirement and operation as lines of a terminal."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeAlias

from rich.text import Text

from atlas_conformance.reports.model import Cell, Report, Row
from atlas_conformance.reports.signs import STYLES, SYMBOLS
from atlas_conformance.reports.wording import FAMILIES, columns, families, shortened

_SHORT_HEADS = {
    "create": "POST",
    "get": "GET",
    "list": "LIST",
    "cancel": "DEL",
    "take": "TAKE",
    "download": "DOWN",
    "delete": "DEL",
    "cluster v1": "clust. v1",
    "sharded snapshots": "sharded",
}
_WIDE_HEADS = {"download": "downl."}
_WIDE = 112


def matrix_lines(report: Report, width: int, signs: Mapping[str, str] = SYMBOLS) -> list[Text]:
    """Return the matrix of requirement and operation for a terminal of `width` columns (80 or more fit all).

    What does not fit beside the restore jobs, first of all what is around a restore, stands in tables below them.
    """
    cell_width = 7 if width >= _WIDE else 4
    id_width = max((len(id) for id in report.rows), default=4) + 1
    lines: list[Text] = []
    for number, groups in enumerate(_tables(columns(report), width - id_width, cell_width)):
        operations = {operation for group in groups.values() for operation, _ in group}
        if number:
            lines.append(Text())
        lines.extend(_matrix_heads(groups, id_width, cell_width, signs))
        for family, rows in families(report).items():
            shown = [row for row in rows if operations & row.cells.keys() or not (number or row.cells)]
            if shown:
                lines.append(Text(FAMILIES.get(family, family), "dim italic"))
                lines.extend(_matrix_row(row, groups, id_width, cell_width, signs) for row in shown)
    for line in lines:
        line.rstrip()
        line.no_wrap = True
    return lines


_Groups: TypeAlias = Mapping[str, list[tuple[str, str]]]


def _tables(groups: _Groups, room: int, cell_width: int) -> list[_Groups]:
    """Return the groups of columns by the table in which they stand: one if `room` is enough for all."""
    widths = {name: _span(operations, cell_width) + 3 for name, operations in groups.items()}
    if sum(widths.values()) <= room:
        return [groups]
    tables: list[dict[str, list[tuple[str, str]]]] = []
    around, left = False, 0
    for name, operations in groups.items():
        turns = name.endswith(" snapshots") and not around
        around = around or turns
        if not tables or turns or widths[name] > left:
            tables.append({})
            left = room
        tables[-1][name] = operations
        left -= widths[name]
    return [*tables]


def _span(operations: list[tuple[str, str]], cell_width: int) -> int:
    return len(operations) * (cell_width + 1) - 1


def _matrix_heads(groups: _Groups, id_width: int, cell_width: int, signs: Mapping[str, str]) -> tuple[Text, Text]:
    heads = _WIDE_HEADS if cell_width > 4 else _SHORT_HEADS
    first, second = Text(" " * id_width), Text(" " * id_width)
    for name, operations in groups.items():
        first.append(" │ " if "✓" in signs.values() else " | ", "dim")
        second.append(" │ " if "✓" in signs.values() else " | ", "dim")
        span = _span(operations, cell_width)
        head = name if len(name) <= span else _SHORT_HEADS.get(name, name)
        first.append(shortened(head, span).ljust(span), "bold")
        kinds = [shortened(heads.get(kind, kind), cell_width) for _, kind in operations]
        second.append(" ".join(kind.ljust(cell_width) for kind in kinds))
    return first, second


def _matrix_row(
    row: Row,
    groups: _Groups,
    id_width: int,
    cell_width: int,
    signs: Mapping[str, str],
) -> Text:
    line = Text(row.id.ljust(id_width), STYLES[row.verdict])
    for operations in groups.values():
        line.append(" │ " if "✓" in signs.values() else " | ", "dim")
        texts = []
        for operation, _ in operations:
            cell = row.cells.get(operation)
            text = cell_text(cell, cell_width, signs) if cell else ""
            texts.append(Text(text.ljust(cell_width), STYLES[cell.status] if cell else ""))
        line.append_text(Text(" ").join(texts))
    return line


def cell_text(cell: Cell, width: int, signs: Mapping[str, str] = SYMBOLS) -> str:
    """Return the sign of a cell and the count that belongs to it in at most `width` characters."""
    count = cell.shown_count
    sign = signs[cell.status]
    if not count:
        return sign
    for text in (f"{count:,}", f"{count}", f"{count // 1000}k", f"{count // 1_000_000}M"):
        if len(text) < width:
            return sign + text
    return sign + "…"
