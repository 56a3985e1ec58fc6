"""The HTML page: one self-contained file that answers whether it is good, what broke, and how to repeat it.

All text of an endpoint goes through the template's escaping, and the page's own policy lets only its own script and
style run and nothing be loaded.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from html import escape
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template
from markupsafe import Markup

from atlas_conformance.contracts.contract import Contract
from atlas_conformance.contracts.requirement import BASIS_WORDS, Citation
from atlas_conformance.reports.contrasts import contrast_words
from atlas_conformance.reports.examples import examples
from atlas_conformance.reports.excerpt import Line, difference
from atlas_conformance.reports.headlines import waived
from atlas_conformance.reports.model import (
    ADVICE,
    DEPARTURE,
    ERROR,
    EXCLUDED,
    FAILED,
    LADDER,
    NOT_EXERCISED,
    PASSED,
    WITHHELD,
    Cell,
    Defect,
    FindingGroup,
    Report,
)
from atlas_conformance.reports.pictures import effort_rows, job_pictures, latency_picture
from atlas_conformance.reports.sentences import named, reach
from atlas_conformance.reports.signs import SYMBOLS
from atlas_conformance.reports.standing import Standing, comparison_sentence, lost_words
from atlas_conformance.reports.wording import (
    FAMILIES,
    MEANINGS,
    Curl,
    columns,
    curl_command,
    duration,
    families,
    jobs_by_state,
    jobs_in_order,
    listed,
    number,
    one_line,
    plural,
    readable,
    rerun,
    status_line,
    verdict_sentence,
    visible,
    why_unexercised,
)

SHOWN_CARDS = 50
"""How many findings are laid out when the page opens; the others wait as text."""

CHUNK = 200
"""How many findings wait in each block of text."""

_ALSO_SHOWN = 500
_TEMPLATES = Path(__file__).with_name("templates")
_SLUGS = {status: status.replace(" ", "-") for status in LADDER}
_BAR = (FAILED, ERROR, ADVICE, DEPARTURE, PASSED, WITHHELD, NOT_EXERCISED, "not offered", EXCLUDED)


@dataclass(frozen=True, slots=True)
class Again:
    """The second answer to the same request: what to call it, and its body."""

    title: str
    response: str


@dataclass(frozen=True, slots=True)
class Card:
    """A defect as the page shows it; every member is plain text for the template to escape."""

    anchor: str
    requirement: str
    operation: str
    extent: str
    sentence: str
    place: str
    pointer: str
    count: str
    single: bool
    since: str
    statement: str
    cited: Citation | None
    basis: str
    expected: str
    seen: str
    request: str
    credential: str
    curl: str | None
    rerun: str
    status: str
    response: str
    headers: str
    exchange: str
    test: str
    same: tuple[str, ...]
    also: tuple[str, ...]
    tags: tuple[str, ...]
    waiver: str | None
    difference: tuple[Line, ...]
    again: Again | None
    full: bool
    contrast: str | None


@dataclass(frozen=True, slots=True)
class Segment:
    """A part of the bar of verdicts: its status, its number of requirements, its place in per cent."""

    slug: str
    status: str
    count: int
    x: str
    width: str


def html(report: Report, curl: Curl | None = None, standing: Standing | None = None) -> str:
    """Return the page as text, to be stored in UTF-8."""
    failing = report.failing_defects
    counsel = [defect for defect in report.defects if defect.advice]
    anchors = {g.key: f"finding-{n}" for n, d in enumerate(failing, 1) for g in reversed(d.groups) if not g.advice}
    cards = [_card(defect, f"finding-{n}", report, curl, n - 1, standing) for n, defect in enumerate(failing, 1)]
    advice = [_card(defect, f"advice-{n}", report, curl, n, standing) for n, defect in enumerate(counsel, 1)]
    comparison = standing.comparison if standing is not None else None
    style, script = asset("report.css"), asset("report.js")
    return template("report.html.j2").render(
        report=report,
        header=report.header,
        style=Markup(style),
        script=Markup(script),
        policy=policy(style, script),
        sentence=verdict_sentence(report),
        rerun=rerun(report.header),
        cards=cards[:SHOWN_CARDS],
        chunks=[cards[start : start + CHUNK] for start in range(SHOWN_CARDS, len(cards), CHUNK)],
        card_count=len(cards),
        advice=advice[:SHOWN_CARDS],
        advice_left=max(0, len(advice) - SHOWN_CARDS),
        known=Contract.load().requirements,
        examples=examples(),
        bases=BASIS_WORDS,
        segments=_segments(report),
        columns=columns(report),
        families={family: (FAMILIES.get(family, family), rows) for family, rows in families(report).items()},
        links=_links(report, anchors),
        statuses=[(status, _SLUGS[status], SYMBOLS[status], report.count(status)) for status in LADDER],
        facts=_facts(report),
        standing=standing,
        anchors=anchors,
        comparison_words=comparison_sentence(comparison) if comparison is not None else "",
        lost=lost_words(comparison) if comparison is not None else [],
        jobs=job_pictures(report),
        left=jobs_in_order(report),
        latency=latency_picture(report),
        effort=effort_rows(report),
    )


def _card(
    defect: Defect, anchor: str, report: Report, curl: Curl | None, index: int, standing: Standing | None
) -> Card:
    group = defect.headline
    exchange = group.sample.exchange
    row = report.rows[group.requirement]
    full = index < SHOWN_CARDS
    lines, characters = (60, 6000) if full else (8, 400)
    command = curl_command(curl, exchange.request, group.sample.n, 8000 if full else 1200)
    target = one_line(exchange.request.target, 600)
    return Card(
        anchor=anchor,
        requirement=group.requirement,
        operation=group.operation,
        extent=named(defect.operations),
        sentence=one_line(defect.sentence, 600),
        place=one_line(group.place),
        pointer=one_line(group.finding.pointer),
        count=reach(defect.count, defect.exercised),
        single=defect.count == 1,
        since=_since(defect),
        statement=row.statement,
        cited=row.cited_on(group.operation),
        basis=row.basis,
        expected=one_line(group.finding.expected, 800),
        seen=one_line(group.finding.seen, 800),
        request=f"{exchange.request.method} {target}",
        credential=exchange.request.credential,
        curl=command,
        rerun=rerun(report.header, group.requirement),
        status=status_line(exchange.response),
        response=readable(exchange.response.body, lines=lines, characters=characters),
        headers="\n".join(one_line(f"{name}: {value}", 400) for name, value in exchange.response.headers[: 60 * full]),
        exchange=number(group.sample.n),
        test=one_line(group.sample.test),
        same=_also(defect.same),
        also=_also(defect.explains),
        tags=_tags(defect, standing),
        waiver=standing.waived.get(group.key) if standing is not None else None,
        difference=difference(group.sample, group.finding, 5 if full else 1),
        again=_again(group, lines, characters),
        full=full,
        contrast=contrast_words(report.contrasts, group.key),
    )


def _since(defect: Defect) -> str:
    """Return since when in the run it shows."""
    seconds = "" if defect.since is None else f", {duration(defect.since)} into the run"
    return f"since exchange {number(defect.first)}{seconds}"


def _also(groups: Sequence[FindingGroup]) -> tuple[str, ...]:
    """Return findings in words; of very many the first ones, and how many more there are."""
    words = [
        f"{other.requirement} on {other.operation} at {one_line(other.place, 120)} ({number(other.count)}): expected"
        f" {one_line(other.finding.expected, 160)}, seen {one_line(other.finding.seen, 120)}, exchange"
        f" {number(other.sample.n)}"
        for other in groups[:_ALSO_SHOWN]
    ]
    left = len(groups) - _ALSO_SHOWN
    return (*words, *([f"and {number(left)} more, in summary.json"] if left > 0 else ()))


def _tags(defect: Defect, standing: Standing | None) -> tuple[str, ...]:
    """Return what is special of a defect in single words: new, waived, unstable."""
    comparison = standing.comparison if standing is not None else None
    keys = {group.key for group in defect.groups}
    new = comparison is not None and any(failure.key in keys for failure in comparison.new)
    tags = (
        ("advice", defect.advice),
        ("new", new),
        ("waived", waived(defect, standing) is not None),
        ("unstable", defect.unstable),
    )
    return tuple(tag for tag, holds in tags if holds)


def _again(group: FindingGroup, lines: int, characters: int) -> Again | None:
    """Return the second answer of a finding that did not repeat."""
    if not group.unstable or group.repeat is None or group.repeat.again is None:
        return None
    again = group.repeat.again
    title = f"The same request again, where the requirement held (exchange {number(again.n)})"
    response = again.exchange.response
    return Again(f"{title}: {status_line(response)}", readable(response.body, lines=lines, characters=characters))


def _segments(report: Report) -> list[Segment]:
    """Return the bar of verdicts over the selected requirements."""
    counts = {status: sum(row.selected for row in report.requirements(status)) for status in _BAR}
    total = sum(counts.values()) or 1
    segments, x = [], 0.0
    for status, count in counts.items():
        if count:
            width = 100 * count / total
            segments.append(Segment(_SLUGS[status], status, count, f"{x:.3f}%", f"{width:.3f}%"))
            x += width
    return segments


def _links(report: Report, anchors: Mapping[tuple[str, str, str], str]) -> dict[tuple[str, str], str]:
    """Return, for each failed cell, the card that shows or explains it."""
    links: dict[tuple[str, str], str] = {}
    for defect in report.failing_defects:
        for group in defect.groups:
            if group.key in anchors:
                links.setdefault((group.requirement, group.operation), anchors[group.key])
    counsel = [defect for defect in report.defects if defect.advice]
    for index, defect in enumerate(counsel[:SHOWN_CARDS], 1):
        for group in defect.groups:
            links.setdefault((group.requirement, group.operation), f"advice-{index}")
    return links


def _facts(report: Report) -> list[tuple[str, str]]:
    """Return what the run was as names and values."""
    header = report.header
    facts = [
        ("Endpoint", str(header.target.get("base_url") or "")),
        ("Target", str(header.target.get("source") or "")),
        ("Level", str(header.target.get("level") or "as found")),
        ("Profile", header.profile),
        ("Seed", str(header.seed)),
        ("Mode", header.mode),
        ("Workers", str(header.workers)),
        ("Requirements", "all" if header.requirements is None else ", ".join(header.requirements)),
        ("Excluded", ", ".join(header.excluded)),
        ("Shard", header.shard or ""),
        ("Started", header.started),
        ("Ended", report.ended or "without a closing line"),
        ("Took", duration(report.seconds)),
        ("Exchanges", number(report.exchanges)),
        ("Lost connections", number(report.lost_connections) if report.lost_connections else ""),
        ("Contract", header.contract),
        ("Suite", header.suite),
        *((name, version) for name, version in sorted(header.versions.items())),
    ]
    return [(name, visible(value)) for name, value in facts if value]


def _cell_words(cell: Cell) -> str:
    """Return what a cell says, in words."""
    parts = [cell.status]
    counts = (cell.failed, cell.advised, cell.departed, cell.passed)
    for count, words in zip(counts, ("failed", "advised", "departed", "passed"), strict=True):
        if count:
            parts.append(f"{number(count)} {words}")
    if cell.reason:
        parts.append(one_line(cell.reason))
    return ", ".join(parts)


def _cell_count(cell: Cell) -> str:
    return number(cell.shown_count) if cell.shown_count else ""


def _content(text: str) -> Markup:
    """Return text as the content of an element, where quotes need no escape: JSON has many."""
    return Markup(escape(text, quote=False))


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "number": number,
        "one_line": one_line,
        "listed": listed,
        "slug": _SLUGS.__getitem__,
        "sign": SYMBOLS.__getitem__,
        "meaning": MEANINGS.__getitem__,
        "content": _content,
        "cell_words": _cell_words,
        "cell_count": _cell_count,
        "plural": plural,
        "by_state": jobs_by_state,
    }
    signs = {"expected": "− ", "seen": "+ ", "place": "▸ "}
    environment.globals |= {"why": why_unexercised, "operations": Contract.load().operations, "signs": signs}
    return environment


def template(name: str) -> Template:
    """Return a template of this package."""
    return _environment().get_template(name)


@cache
def asset(name: str) -> str:
    """Return the text of a file beside the templates."""
    return (_TEMPLATES / name).read_text(encoding="utf-8")


def policy(style: str, script: str) -> str:
    """Return the content security policy of a page that has these two and loads nothing; an empty script never runs."""
    scripts = f"script-src '{_hash(script)}'; " if script else ""
    return f"default-src 'none'; {scripts}style-src '{_hash(style)}'; base-uri 'none'; form-action 'none'"


def _hash(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode("utf-8")).digest()).decode("ascii")
