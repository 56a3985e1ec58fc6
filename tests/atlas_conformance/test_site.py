"""The documents as a site: they build without a warning, read as their sources do, and load nothing from elsewhere."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections import Counter
from html.parser import HTMLParser
from pathlib import Path

import pytest
import yaml

from tests.atlas_conformance.program import ROOT
from tests.atlas_conformance.test_links import MARKDOWN

pytest.importorskip("material", reason="the extra `docs` is not installed: `make docs` installs it")

from docs.making.pages import OUTSIDE, with_site_links

LOADED = re.compile(r"(?:<(?:script|img|iframe|source|video)[^>]*\ssrc|<link[^>]*\shref)=\"?((?:https?:)?//[^\s\">]+)")
STYLED = re.compile(r"(?:url\(|@import )[\"']?((?:https?:)?//[^\s\"')]+)")
BLOCKS = ("h2", "h3", "li", "pre", "table", "img")


class Article(HTMLParser):
    """Counts the blocks of a page's own part."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.counts: Counter[str] = Counter()
        start, end = page.index("<article"), page.index("</article>")
        self.feed(page[start:end])

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Count a block."""
        self.counts[tag] += tag in BLOCKS


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(folder)]
    environment = {**os.environ, "NO_MKDOCS_2_WARNING": "1"}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


def test_no_page_loads_anything_from_elsewhere(site: Path) -> None:
    pages = sorted(site.rglob("*.html"))
    assert len(pages) > 80
    for page in pages:
        assert LOADED.findall(page.read_text("utf-8")) == [], page.name
    for style in (*site.rglob("*.css"), *site.rglob("*.svg")):
        assert STYLED.findall(style.read_text("utf-8")) == [], style.name


def test_a_page_that_does_is_found() -> None:
    assert LOADED.findall('<script defer src="https://a.example/x.js"></script><link rel=x href=//b.example/y>') == [
        "https://a.example/x.js",
        "//b.example/y",
    ]
    assert STYLED.findall('@import "https://a.example/x"; y { background: url(//b.example/z) }') == [
        "https://a.example/x",
        "//b.example/z",
    ]


def test_each_page_has_the_blocks_of_its_source(site: Path) -> None:
    sources = {name: ROOT / source for source, name in OUTSIDE.items()}
    sources |= {path.name: path for path in (ROOT / "docs").glob("*.md")}
    for name, source in sources.items():
        text = source.read_text("utf-8")
        wanted = Counter(
            token.tag if token.tag != "code" else "pre" for token in MARKDOWN.parse(text) if token.nesting >= 0
        )
        wanted |= Counter("img" for token in MARKDOWN.parse(text) for part in token.children or () if part.tag == "img")
        counts = Article((site / name.replace(".md", ".html")).read_text("utf-8")).counts
        assert {tag: counts[tag] for tag in BLOCKS} == {tag: wanted[tag] for tag in BLOCKS}, name


def test_the_navigation_has_every_page() -> None:
    text = (ROOT / "mkdocs.yml").read_text("utf-8")
    nav = yaml.safe_load(text[text.index("nav:") : text.index("not_in_nav:")])["nav"]
    pages = [
        page for entry in nav for value in entry.values() for page in (value if isinstance(value, list) else [entry])
    ]
    titles = [title for page in pages for title in page]
    assert titles[:2] == ["Start here", "Verify your endpoint"]
    own = {path.name for path in (ROOT / "docs").glob("*.md")} | {"requirements/index.md", *OUTSIDE.values()}
    assert {place for page in pages for place in page.values()} == own


def test_links_lead_to_the_pages_of_the_site_or_are_words_alone() -> None:
    text = "[a](docs/mock.md#https) [b](contracts/CHANGES.md) [c](Makefile) [d](https://x.example) ![e](docs/p.svg)"
    assert with_site_links(text, "contributing.md") == (
        "[a](mock.md#https) [b](contract-revisions.md) c [d](https://x.example) ![e](docs/p.svg)"
    )
    below = with_site_links(
        "[a](../safety.md) [b](../../README.md)\n```sh\n[c](../gone)\n```\n", "requirements/index.md"
    )
    assert below == "[a](../safety.md) [b](../index.md)\n```sh\n[c](../gone)\n```\n"
