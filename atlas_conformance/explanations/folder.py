"""The folder of all pages: one Markdown file a requirement, and an index."""

from __future__ import annotations

from pathlib import Path

from atlas_conformance.contracts.contract import Contract
from atlas_conformance.explanations.page import as_markdown, markdown_text, page_of
from atlas_conformance.reports.wording import FAMILIES

INDEX = "index.md"


def pages() -> dict[str, str]:
    """Return every page by the name of its file, the index among them. The same contract gives the same pages."""
    made = {f"{requirement}.md": as_markdown(page_of(requirement)) for requirement in Contract.load().requirements}
    return {INDEX: _index(), **made}


def write_pages(folder: Path) -> tuple[int, int]:
    """Write every page into a folder and take away those of requirements that are gone; return how many of each.

    Raises OSError where that cannot be done.
    """
    folder.mkdir(parents=True, exist_ok=True)
    made = pages()
    for name, text in made.items():
        (folder / name).write_text(text, "utf-8")
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
