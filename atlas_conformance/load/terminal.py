"""What a person reads at the end of a run under load: the figures, after the matrix of requirements."""

from __future__ import annotations

from rich.console import Console
from rich.table import Table
from rich.text import Text

from atlas_conformance.load.load import Load
from atlas_conformance.load.page import load_sentence, table_rows
from atlas_conformance.reports.wording import one_line, plural


def print_load(load: Load, broken: tuple[str, ...], console: Console) -> None:
    """Print the figures of each operation, when each requirement first failed, and the limits that were broken."""
    table = Table(box=None, pad_edge=False, header_style="dim")
    for name in ("operation", "requests", "a second", "median", "95%", "99%", "slowest", "statuses"):
        named = name in ("operation", "statuses")
        table.add_column(name, justify="left" if named else "right", no_wrap=name != "statuses", min_width=17 * named)
    for row in table_rows(load):
        cells = (row["operation"], row["requests"], row["rate"], *row["times"], row["statuses"])
        table.add_row(*(Text(cell) for cell in cells))
    console.print()
    console.print(table)
    for (requirement, operation), place in sorted(_first(load).items(), key=lambda item: (item[1], item[0])):
        words = f"{requirement} on {operation} first failed after {place * load.width:.0f} s"
        console.print(Text(words), soft_wrap=True)
    for part in load.parts:
        if part.partial is not None or len(load.parts) > 1:
            why = f": {one_line(part.partial)}" if part.partial else ""
            console.print(Text(f"{one_line(part.name)}: {plural(part.requests, 'request')}{why}"), soft_wrap=True)
    console.print(Text(load_sentence(load)), soft_wrap=True)
    for sentence in broken:
        console.print(Text(f"LIMIT BROKEN: {sentence}.", "bold red"), soft_wrap=True)


def _first(load: Load) -> dict[tuple[str, str], int]:
    first: dict[tuple[str, str], int] = {}
    for key, counts in load.findings.items():
        pair = (key[0], key[1])
        first[pair] = min(first.get(pair, min(counts)), min(counts))
    return first
