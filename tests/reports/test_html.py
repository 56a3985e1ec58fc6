"""The HTML page: self-contained, escaped, deterministic, quick to open."""

from __future__ import annotations

import base64
import hashlib
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from atlas_conformance.contracts.contract import Contract
from atlas_conformance.reports.comparison import outline
from atlas_conformance.reports.gates.gate import Policy
from atlas_conformance.reports.html import CHUNK, SHOWN_CARDS, html
from atlas_conformance.reports.journal import Journal
from atlas_conformance.reports.matrix import build
from atlas_conformance.reports.model import Report
from atlas_conformance.reports.standing import Standing
from tests.reports import sample_journal as sample
from tests.reports.browser import CHROMIUM, NO_CHROMIUM, axe_script, browse, violations

ADDRESSES = {source.address for source in Contract.load().sources.values() if source.address}
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


EVERY = [sample.passing, sample.failing, sample.hostile, sample.unstable, sample.followed]


def worse(folder: Path, earlier: sample.Builder = sample.passing) -> tuple[Report, Standing]:
    """Return a failing run and where it stands against an earlier one."""
    old, now = earlier(folder / "old"), sample.failing(folder / "new")
    return now, Policy(baseline=outline(old)).decide(outline(now))


@pytest.mark.parametrize("build_sample", EVERY)
def test_it_stands_by_itself(tmp_path: Path, build_sample: sample.Builder) -> None:
    page = Page(html(build_sample(tmp_path / "j"), lambda request: "curl"))
    assert page.open == []
    names = [tag for tag, _ in page.tags]
    assert names.count("script") == names.count("style") == 1
    assert not {"link", "img", "iframe", "object", "base", "form"} & set(names)
    for _, attributes in page.tags:
        assert not {"src", "style", "srcset", "action"} & set(attributes)
        assert not any(name.startswith("on") for name in attributes)
        href = attributes.get("href") or "#"
        assert href.startswith("#") or (href in ADDRESSES and attributes.get("rel") == "noreferrer")
    ids = [attributes["id"] for _, attributes in page.tags if "id" in attributes]
    assert len(ids) == len(set(ids))
    assert {str(a["href"]) for t, a in page.tags if t == "a"} - ADDRESSES <= {f"#{id}" for id in ids}


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
        f"5 of {sample.COUNT - 1} exercised requirements do not hold.",
        "200 and a new job",
        "/request/body/targetClusterName",
        "--requirement T-TARGET --profile quick --seed 7",
        "502 Bad Gateway, text/html",
        "the target file names no credential from outside the access list",
        "C-MEDIA on tenant-create at /response/headers/content-type (1)",
        "K-TIMESTAMP",
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


def test_many_findings_wait_as_text(tmp_path: Path) -> None:
    count = SHOWN_CARDS + CHUNK + 3
    text = html(sample.huge(tmp_path / "j", count))
    assert text.count('<article class="card"') == count
    assert text.count('<script type="text/html" class="more">') == 2
    waiting = text[text.index('class="more"') :].partition("</script>")[0]
    assert waiting.count("<article") == CHUNK and "<!--" not in waiting
    assert text.index('<script type="text/html" class="more">') > text.index(f'id="finding-{SHOWN_CARDS}"')


def many_hostile(path: Path) -> Report:
    """Write more findings than are laid out at once, each on an answer that would end a block of text."""
    made = sample.Sample(path)
    for n in range(SHOWN_CARDS + 5):
        sent = sample.exchange("flex-create", answer=b'{"a":"</script><script>alert(1)</script><!-- <article"}')
        made.add(sample.finding("C-SCHEMA", pointer=f"/response/body/a{n}</script>", seen=sample.HOSTILE), sent=sent)
    return made.end()


def test_what_waits_cannot_end_its_block(tmp_path: Path) -> None:
    text = html(many_hostile(tmp_path / "j"), lambda request: "curl </script>")
    assert text.count("</script>") == 2 and text.count("<article") == SHOWN_CARDS + 5 and "<!--" not in text


@pytest.mark.skipif(CHROMIUM is None, reason=NO_CHROMIUM)
def test_what_waits_runs_nothing_when_it_comes_out(tmp_path: Path) -> None:
    page = tmp_path / "report.html"
    page.write_text(html(many_hostile(tmp_path / "j"), lambda request: "curl </script>"), encoding="utf-8")
    document, log = browse(page, "--dump-dom", fragment=f"#finding-{SHOWN_CARDS + 5}")
    assert document.count('<article class="card"') == SHOWN_CARDS + 5 and "CONSOLE" not in log
    assert document.count("<script") == 1


@pytest.mark.skipif(CHROMIUM is None, reason=NO_CHROMIUM)
@pytest.mark.parametrize("build_sample", [sample.failing, sample.hostile])
def test_a_browser_runs_the_page_without_complaint(tmp_path: Path, build_sample: sample.Builder) -> None:
    page = tmp_path / "report.html"
    page.write_text(html(build_sample(tmp_path / "j"), lambda request: "curl"), encoding="utf-8")
    document, log = browse(page, "--dump-dom")
    assert "CONSOLE" not in log
    assert not re.search(r"needs-script[^>]* hidden", document), "the page's own script ran"
    assert "<script>alert" not in document


@pytest.mark.skipif(CHROMIUM is None, reason=NO_CHROMIUM)
def test_a_link_to_a_waiting_finding_brings_it_out(tmp_path: Path) -> None:
    page = tmp_path / "report.html"
    page.write_text(html(sample.huge(tmp_path / "j", 300)), encoding="utf-8")
    last = re.compile(r'<article class="card" id="finding-300".*?<details open', re.DOTALL)
    document, _ = browse(page, "--dump-dom", fragment="#finding-300")
    assert last.search(document) and 'class="more"' not in document
    document, _ = browse(page, "--dump-dom")
    assert document.count('class="more"') == 2 and not last.search(document)


@pytest.mark.skipif(CHROMIUM is None, reason=NO_CHROMIUM)
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
    assert len(rows) == sample.COUNT
    assert all(("failed" in statuses) is not bool(hidden) for statuses, hidden in rows)
    assert f"5 of {sample.COUNT} requirements" in document and "1 of 3 findings" in document
    cards = re.findall(r'data-requirement="([\w-]+)"( hidden="")?>', document)
    assert [id for id, hidden in cards if not hidden] == ["T-TARGET"]


@pytest.mark.skipif(CHROMIUM is None, reason=NO_CHROMIUM)
@pytest.mark.parametrize("width", [800, 1280, 1800])
def test_each_row_of_the_matrix_shows_its_requirement(tmp_path: Path, width: int) -> None:
    driver = """<script>
      const rows = [...document.querySelectorAll("#matrix .row th")];
      const shown = rows.filter((th) => th.clientWidth >= th.querySelector(".row-id").offsetWidth);
      const frame = document.querySelector("#matrix .table-frame");
      const fits = frame.scrollWidth <= frame.clientWidth;
      document.body.dataset.told = `${shown.length} of ${rows.length}, ${fits ? "within" : "beyond"} its frame`;
    </script>"""
    page = tmp_path / "report.html"
    text = re.sub("<meta http-equiv[^>]*>", "", html(sample.passing(tmp_path / "j")))
    page.write_text(text.replace("</body>", driver + "</body>"), encoding="utf-8")
    document, _ = browse(page, "--dump-dom", f"--window-size={width},900")
    told = re.search(r'data-told="([^"]*)"', document)
    assert told is not None
    assert told[1] == f"{sample.COUNT} of {sample.COUNT}, within its frame"


@pytest.mark.unmeasured
@pytest.mark.skipif(CHROMIUM is None, reason=NO_CHROMIUM)
def test_ten_thousand_findings_open(tmp_path: Path) -> None:
    page = tmp_path / "many.html"
    page.write_text(html(sample.huge(tmp_path / "many", 10_000)), encoding="utf-8")
    browse(page, f"--screenshot={tmp_path / 'many.png'}", "--window-size=1280,1600")
    assert (tmp_path / "many.png").stat().st_size > 10_000


def test_it_says_whether_it_is_worse_than_before(tmp_path: Path) -> None:
    now, standing = worse(tmp_path)
    text = html(now, None, standing)
    page = Page(text)
    ids = [attributes["id"] for _, attributes in page.tags if "id" in attributes]
    assert len(ids) == len(set(ids)) and len(ids) > 50
    assert {str(a["href"]) for t, a in page.tags if t == "a"} - ADDRESSES <= {f"#{id}" for id in ids}
    assert "The gate “new” is closed: 3 new failures; lost coverage of 1 requirement." in text
    section = text[text.index('id="standing"') : text.index('id="broke"')]
    assert section.count('<a href="#finding-') == 5, "three that are new, and two that they explain"
    assert "A-LIST is no longer exercised anywhere" in section
    assert text.count('<span class="tag tag-new">new</span>') == 3
    assert 'id="standing"' not in html(now)


def test_it_shows_both_exchanges_of_what_did_not_repeat(tmp_path: Path) -> None:
    text = html(sample.unstable(tmp_path / "j"))
    card = text[text.index('data-requirement="C-5XX"') :].partition("</article>")[0]
    assert '<span class="tag tag-unstable">unstable</span>' in card
    assert "503 Service Unavailable" in card and "200 OK" in card and "&#34;RUNNING&#34;" in card
    assert text.count('tag-unstable">') == 1


def test_it_draws_jobs_latencies_and_effort(tmp_path: Path) -> None:
    text = html(sample.followed(tmp_path / "j"))
    assert text.count('<svg class="timeline"') == 2 and text.count('<tr><th scope="row">flex-') == 2
    assert "0.50" not in text.partition("Jobs over time")[0]
    assert text.count('<span class="effort-id">') == sample.COUNT
    assert "status &#34;RUNNING&#34; → &#34;COMPLETED&#34;" in text


@pytest.mark.skipif(CHROMIUM is None, reason=NO_CHROMIUM)
@pytest.mark.skipif(axe_script() is None, reason="axe-core-python is not installed")
@pytest.mark.parametrize("size", ["1280,1600", "360,800"])
def test_axe_core_has_nothing_to_say(tmp_path: Path, size: str) -> None:
    now, standing = worse(tmp_path, sample.unstable)
    text = html(now, lambda request: "curl", standing)
    assert violations(text, tmp_path, f"--window-size={size}") == []


@pytest.mark.skipif(CHROMIUM is None, reason=NO_CHROMIUM)
@pytest.mark.skipif(axe_script() is None, reason="axe-core-python is not installed")
@pytest.mark.parametrize("build_sample", [sample.passing, sample.hostile, sample.unstable, sample.followed])
def test_axe_core_has_nothing_to_say_in_the_dark(tmp_path: Path, build_sample: sample.Builder) -> None:
    text = html(build_sample(tmp_path / "j"), lambda request: "curl")
    dark = "--blink-settings=preferredColorScheme=0"
    assert violations(text, tmp_path, "--window-size=1280,1600", dark) == []


@pytest.mark.skipif(CHROMIUM is None or axe_script() is None, reason=NO_CHROMIUM + ", or no axe-core")
def test_axe_core_would_find_something(tmp_path: Path) -> None:
    text = html(sample.failing(tmp_path / "j")).replace(' aria-label="Matrix of requirement and operation"', "")
    text = text.replace('<html lang="en">', "<html>").replace("<main", "<div").replace("</main>", "</div>")
    assert {"html-has-lang", "landmark-one-main"} <= {found["rule"] for found in violations(text, tmp_path)}
