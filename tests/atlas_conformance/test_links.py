"""Links in the documents lead to files and headings that exist."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from urllib.parse import unquote

import pytest
from markdown_it import MarkdownIt
from markdown_it.token import Token

from tests.atlas_conformance.program import ROOT

FOLDERS = ("docs", "contracts", ".github")
DOCUMENTS = sorted({*ROOT.glob("*.md"), *(found for name in FOLDERS for found in (ROOT / name).rglob("*.md"))})
MARKDOWN = MarkdownIt("commonmark").enable("table")


def tokens(text: str) -> Iterator[Token]:
    """Return every token of a document, those within a line included."""
    for token in MARKDOWN.parse(text):
        yield token
        yield from token.children or ()


def links(text: str) -> list[str]:
    """Return where a document's links and pictures lead."""
    found = [token.attrGet("href") if token.type == "link_open" else token.attrGet("src") for token in tokens(text)]
    return [unquote(str(target)) for target in found if target]


def anchors(text: str) -> set[str]:
    """Return the anchors that GitHub gives a document's headings: small letters, hyphens for blanks, numbered if
    taken.
    """
    parsed, found = MARKDOWN.parse(text), set[str]()
    for heading, inline in pairwise(parsed):
        if heading.type == "heading_open":
            words = "".join(t.content for t in inline.children or () if t.type in ("text", "code_inline"))
            slug = re.sub(r"[^\w\- ]", "", words.lower()).replace(" ", "-")
            same = sum(re.fullmatch(rf"{re.escape(slug)}(-\d+)?", known) is not None for known in found)
            found.add(f"{slug}-{same}" if same else slug)
    return found


def lost(document: Path, text: str) -> list[str]:
    """Return the relative links of a document that lead nowhere, or out of the project."""
    wrong = []
    for link in links(text):
        if re.match(r"[a-z][a-z0-9+.-]*:", link):
            continue
        place, _, anchor = link.partition("#")
        file = (document.parent / place).resolve() if place else document
        if not file.is_relative_to(ROOT) or not file.exists():
            wrong.append(link)
        elif anchor and file.suffix == ".md":
            headings = anchors(text if file == document else file.read_text("utf-8"))
            wrong += [] if anchor in headings else [link]
    return wrong


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_lead_to_files_and_headings(document: Path) -> None:
    assert lost(document, document.read_text("utf-8")) == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_addresses_on_the_web_are_https(document: Path) -> None:
    assert [link for link in links(document.read_text("utf-8")) if link.startswith("http:")] == []


def test_what_leads_nowhere_is_found() -> None:
    text = """# One `two`, three!\n\n## Again\n\n## Again\n
[file](docs/safety.md) [self](#one-two-three) [again](#again-1) [there](docs/target-file.md#target-files)
[web](https://example.com/x#y) ![picture](gone.svg) [gone](docs/gone.md) [heading](#again-2)
[other](docs/safety.md#gone) [out](../outside.md)\n\n```sh\n[code](gone)\n```\n
| [cell](gone-too.md) |\n| --- |\n"""
    assert lost(ROOT / "README.md", text) == [
        "gone.svg",
        "docs/gone.md",
        "#again-2",
        "docs/safety.md#gone",
        "../outside.md",
        "gone-too.md",
    ]


def test_every_page_is_linked_from_a_page_above_it() -> None:
    reached, waiting = set[Path](), [ROOT / "README.md"]
    while waiting:
        document = waiting.pop()
        if document not in reached:
            reached.add(document)
            targets = (link.partition("#")[0] for link in links(document.read_text("utf-8")))
            files = {(document.parent / target).resolve() for target in targets if target and ":" not in target}
            waiting += [file for file in files if file.suffix == ".md" and file.is_file()]
    own = {document for document in DOCUMENTS if ".github" not in document.parts}
    assert own - reached == set()
