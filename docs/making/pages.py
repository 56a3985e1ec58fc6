"""What MkDocs is told about this project's pages: those that stand outside docs/, and links that lead there."""

from __future__ import annotations

import posixpath
import re
from pathlib import Path
from typing import Any

from mkdocs.structure.files import File, Files

ROOT = Path(__file__).resolve().parents[2]
OUTSIDE = {
    "CONTRIBUTING.md": "contributing.md",
    "CHANGELOG.md": "changelog.md",
    "SECURITY.md": "security.md",
    "contracts/CHANGES.md": "contract-revisions.md",
}
"""Documents outside docs/, and their pages on the site."""
PAGES = {**OUTSIDE, "README.md": "index.md"}
CODE = re.compile(r"^(`{3,})[^\n]*\n.*?^\1$", re.DOTALL | re.MULTILINE)
FENCE = re.compile(r"^(`{3,}\w+) .*$", re.MULTILINE)
"""A fence with words after its language, which MkDocs does not take for one."""
LINK = re.compile(r"(?<!!)\[((?:[^\[\]]|\[[^\[\]]*\])*)\]\(([^()\s]+)\)")


def on_files(files: Files, config: Any) -> Files:
    """Add the pages that stand outside docs/."""
    for source, page in OUTSIDE.items():
        files.append(File.generated(config, page, abs_src_path=str(ROOT / source)))
    return files


def on_page_markdown(markdown: str, page: Any, **_: Any) -> str:
    """Let the links of a page lead to pages of the site; what is no page of it keeps its words without a link."""
    return FENCE.sub(r"\1", with_site_links(markdown, page.file.src_uri))


def with_site_links(text: str, page: str) -> str:
    """Return a document with its links as the site needs them, code left alone.

    Args:
        text: The document, as it stands in the project.
        page: Where its page is on the site, such as `requirements/index.md`.
    """
    source = next((path for path, taken in OUTSIDE.items() if taken == page), f"docs/{page}")
    done, end = [], 0
    for code in CODE.finditer(text):
        done += [_linked(text[end : code.start()], source, page), code.group()]
        end = code.end()
    return "".join([*done, _linked(text[end:], source, page)])


def _linked(text: str, source: str, page: str) -> str:
    def link(found: re.Match[str]) -> str:
        words, target = found.groups()
        if re.match(r"[a-z][a-z0-9+.-]*:|#", target):
            return found.group()
        path, _, anchor = target.partition("#")
        place = posixpath.normpath(posixpath.join(posixpath.dirname(source), path))
        on_it = PAGES.get(place) or (place.removeprefix("docs/") if place.startswith("docs/") else None)
        if on_it is None:
            return words
        leads = posixpath.relpath(on_it, posixpath.dirname(page) or ".")
        return f"[{words}]({leads}{'#' * bool(anchor)}{anchor})"

    return LINK.sub(link, text)
