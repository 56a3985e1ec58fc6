"""The HTML page: self-contained, escaped, deterministic, quick to open."""

from __future__ import annotations

import base64
import hashlib
import os
import re
import shutil
import signal
import subprocess
import time
from html.parser import HTMLParser
from pathlib import Path

import pytest

from reports.html import CHUNK, SHOWN_CARDS, html
from reports.journal import Journal
from reports.matrix import build
from tests.reports import sample_journal as sample

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
VOID = {"meta", "link", "input", "br", "img", "hr", "col"}


class Page(HTMLParser):
    """Collects tags with their attributes, ids and the text of scripts and styles; checks that tags are balanced."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.raw: dict[str, str] = {}
        self.open: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] in ("script", "style"):
            self.raw[self.open[-1]] = self.raw.get(self.open[-1], "") + data


@pytest.mark.parametrize("build_sample", [sample.passing, sample.failing, sample.hostile])
def test_it_stands_by_itself(tmp_path: Path, build_sample: sample.Builder) -> None:
    page = Page(html(build_sample(tmp_path / "j"), lambda request: "curl"))
    assert page.open == []
    names = [tag for tag, _ in page.tags]
    assert names.count("script") == names.count("style") == 1
    assert not {"link", "img", "iframe", "object", "base", "form"} & set(names)
    for _, attributes in page.tags:
        assert not {"src", "style", "srcset", "action"} & set(attributes)
        assert not any(name.startswith("on") for name in attributes)
        assert (attributes.get("href") or "#").startswith("#")
    ids = [attributes["id"] for _, attributes in page.tags if "id" in attributes]
    assert len(ids) == len(set(ids))
    assert {str(a["href"])[1:] for t, a in page.tags if t == "a"} <= set(ids)


def test_the_policy_lets_only_its_own_script_and_style_run(tmp_path: Path) -> None:
    page = Page(html(sample.failing(tmp_path / "j")))
    policy = next(str(a["content"]) for t, a in page.tags if a.get("http-equiv") == "Content-Security-Policy")
    assert policy.startswith("default-src 'none';") and "unsafe" not in policy
    for kind in ("script", "style"):
        digest = base64.b64encode(hashlib.sha256(page.raw[kind].encode()).digest()).decode()
        assert f"{kind}-src 'sha256-{digest}'" in policy


def test_text_of_the_endpoint_is_escaped(tmp_path: Path) -> None:
    text = html(sample.hostile(tmp_path / "j"), lambda request: "curl '<script>'\x00")
    assert "<script>alert" not in text and "<img" not in text and "<b>test" not in text
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202e\ud800-\udfff]", text)
    assert "{{ 7 * 7 }}" in text


def test_it_shows_what_broke(tmp_path: Path) -> None:
    text = html(sample.failing(tmp_path / "j"), lambda request: f"curl '{request.target}'")
    for words in (
        "5 of 58 exercised requirements do not hold.", "200 and a new job", "/request/body/targetClusterName",
        "--requirement T-TARGET --profile quick --seed 7", "502 Bad Gateway, text/html",
        "the target file names no credential from outside the access list",
        "C-MEDIA on tenant-create at /response/headers/content-type (1)", "K-TIMESTAMP",
    ):
        assert words in text
    assert text.count('<article class="card"') == 3


def test_a_broken_cell_links_to_the_finding_that_explains_it(tmp_path: Path) -> None:
    text = html(sample.failing(tmp_path / "j"))
    cards = dict(re.findall(r'id="(finding-\d+)" data-operation="[\w-]+" data-requirement="([\w-]+)"', text))
    by_cell = {cell: cards[anchor] for anchor, cell in re.findall(r'href="#(finding-\d+)" aria-label="([^:]+):', text)}
    assert by_cell["C-SCHEMA on cluster-create"] == "T-TARGET"
    assert by_cell["C-MEDIA on tenant-create"] == "C-5XX" and by_cell["E-STATUS on flex-get"] == "E-STATUS"


def test_the_same_journal_gives_the_same_page(tmp_path: Path) -> None:
    assert html(sample.hostile(tmp_path / "j")) == html(build(Journal(tmp_path / "j")))


def test_many_findings_wait_in_templates(tmp_path: Path) -> None:
    count = SHOWN_CARDS + CHUNK + 3
    text = html(sample.huge(tmp_path / "j", count))
    assert text.count('<article class="card"') == count
    assert text.count('<template class="more">') == 2
    assert text.index('<template class="more">') > text.index(f'id="finding-{SHOWN_CARDS}"')


def browse(page: Path, *options: str, fragment: str = "") -> tuple[str, str]:
    """Return the page's document after it ran in headless Chromium, and what Chromium logged."""
    command = [
        str(CHROMIUM), "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
        "--disable-background-networking", "--disable-component-update", "--disable-sync", "--enable-logging=stderr",
        f"--user-data-dir={page.parent / 'browser'}", *options, page.as_uri() + fragment,
    ]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True)
    try:
        out, log = process.communicate(timeout=60)
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
    return out.decode("utf-8", "replace"), log.decode("utf-8", "replace")


@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium is installed")
@pytest.mark.parametrize("build_sample", [sample.failing, sample.hostile])
def test_a_browser_runs_the_page_without_complaint(tmp_path: Path, build_sample: sample.Builder) -> None:
    page = tmp_path / "report.html"
    page.write_text(html(build_sample(tmp_path / "j"), lambda request: "curl"), encoding="utf-8")
    document, log = browse(page, "--dump-dom")
    assert "CONSOLE" not in log
    assert not re.search(r"needs-script[^>]* hidden", document), "the page's own script ran"
    assert "<script>alert" not in document


@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium is installed")
def test_a_link_to_a_waiting_finding_brings_it_out(tmp_path: Path) -> None:
    page = tmp_path / "report.html"
    page.write_text(html(sample.huge(tmp_path / "j", 300)), encoding="utf-8")
    last = re.compile(r'<article class="card" id="finding-300".*?<details open', re.DOTALL)
    document, _ = browse(page, "--dump-dom", fragment="#finding-300")
    assert last.search(document) and "<template" not in document
    document, _ = browse(page, "--dump-dom")
    assert document.count("<template") == 2 and not last.search(document)


@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium is installed")
def test_filters_show_what_they_say(tmp_path: Path) -> None:
    text = html(sample.failing(tmp_path / "j"))
    driver = """<script>
      document.querySelector('.chip[data-status="failed"]').click();
      const find = document.getElementById("find");
      find.value = "AUTOMATED cluster-create";
      find.dispatchEvent(new Event("input"));
    </script>"""
    page = tmp_path / "report.html"
    page.write_text(re.sub("<meta http-equiv[^>]*>", "", text).replace("</body>", driver + "</body>"), encoding="utf-8")
    document, _ = browse(page, "--dump-dom", "--virtual-time-budget=2000")
    rows = re.findall(r'<tr class="row" data-statuses="([^"]*)"( hidden="")?>', document)
    assert len(rows) == 59
    assert all(("failed" in statuses) is not bool(hidden) for statuses, hidden in rows)
    assert "5 of 59 requirements" in document and "1 of 3 findings" in document
    cards = re.findall(r'data-requirement="([\w-]+)"( hidden="")?>', document)
    assert [id for id, hidden in cards if not hidden] == ["T-TARGET"]


@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium is installed")
def test_ten_thousand_findings_open_quickly(tmp_path: Path) -> None:
    pages = {}
    for name, count in (("few", 3), ("many", 10_000)):
        pages[name] = tmp_path / f"{name}.html"
        pages[name].write_text(html(sample.huge(tmp_path / name, count)), encoding="utf-8")
    seconds = {}
    for name in ("few", "many"):
        started = time.monotonic()
        browse(pages[name], f"--screenshot={tmp_path / name}.png", "--window-size=1280,1600")
        seconds[name] = time.monotonic() - started
        assert (tmp_path / f"{name}.png").stat().st_size > 10_000
    assert seconds["many"] - seconds["few"] < 2.0, seconds
