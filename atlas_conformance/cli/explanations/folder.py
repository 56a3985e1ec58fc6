"""The folder of all pages: one Markdown file a requirement, an index, and the examples as reports carry them."""

from __future__ import annotations

import json
from pathlib import Path

from atlas_conformance.cli.explanations.page import as_markdown, markdown_text, page_of, shown_example
from atlas_conformance.contracts.contract import Contract
from atlas_conformance.contracts.requirement import FAMILIES

INDEX = "index.md"
EXAMPLES = "examples.json"
"""The file of the examples alone; `reports` has a link to it."""


def pages() -> dict[str, str]:
    """Return every page by the name of its file, the index among them. The same contract gives the same pages."""
    made = {f"{requirement}.md": as_markdown(page_of(requirement)) for requirement in Contract.load().requirements}
    return {INDEX: _index(), **made}


def examples() -> str:
    """Return the text of `EXAMPLES`: the example of each requirement, by its id."""
    shown = {requirement: shown_example(requirement) for requirement in Contract.load().requirements}
    return json.dumps({key: value for key, value in shown.items() if value}, indent=1, ensure_ascii=False) + "\n"


def write_pages(folder: Path) -> tuple[int, int]:
    """Write every page and the examples into a folder, and take away pages of requirements that are gone; return how
    many pages of each.

    Raises OSError where that cannot be done.
    """
    folder.mkdir(parents=True, exist_ok=True)
    made = pages()
    for name, text in made.items():
        (folder / name).write_text(text, "utf-8")
    (folder / EXAMPLES).write_text(examples(), "utf-8")
    gone = [file for file in folder.glob("[A-Z]*-*.md") if file.name not in made]
    for file in gone:
        file.unlink()
    return len(made), len(gone)


def _index() -> str:
    lines = [
        "# Requirements",
        "",
        "What a conforming endpoint does. `atlas-conformance explain ID` prints the same pages.",
    ]
    for letter, heading in FAMILIES.items():
        members = [known for known in Contract.load().requirements.values() if known.id.partition("-")[0] == letter]
        if members:
            lines += ["", f"## {heading}", "", "| | | basis | force |", "| --- | --- | --- | --- |"]
        for known in members:
            cells = (f"[{known.id}]({known.id}.md)", markdown_text(known.statement), known.basis, known.force)
            lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"
