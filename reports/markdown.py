"""The step summary: GitHub-flavoured Markdown that fits into a job's page."""

from __future__ import annotations

import regex

from atlas_conformance.reports.contrasts import LABEL, contrast_words
from atlas_conformance.reports.headlines import waived
from atlas_conformance.reports.model import ADVICE, DEPARTURE, ERROR, FAILED, LADDER, PASSED, Defect, Report, Row
from atlas_conformance.reports.sentences import named, reach
from atlas_conformance.reports.signs import SYMBOLS
from atlas_conformance.reports.standing import Standing, comparison_sentence, failure_words, lost_words
from atlas_conformance.reports.wording import (
    Curl,
    curl_command,
    duration,
    families,
    one_line,
    plural,
    readable,
    rerun,
    shortened,
    status_line,
    verdict_sentence,
    verdict_word,
    why_unexercised,
)

_SHOWN = 20
_LIMIT = 900 * 1024
"""GitHub refuses a step summary of more than a mebibyte."""

_SPECIAL = regex.compile(r"([\\`*_{}\[\]<>()#+!|~@:&-])")
_SIGN = {PASSED: "✅", FAILED: "❌", ADVICE: "💡", ERROR: "⚠️", DEPARTURE: "🟡"}


def markdown(report: Report, curl: Curl | None = None, standing: Standing | None = None) -> bytes:
    """Return the summary as Markdown text in UTF-8; nothing of an endpoint's text is read as Markdown or HTML."""
    sign = _SIGN.get(report.verdict, "⚠️")
    lines = [f"## {sign} Atlas conformance: {verdict_word(report).lower()}", "", escaped(verdict_sentence(report)), ""]
    lines += _standing(standing)
    lines += _defects(report, curl, standing)
    lines += _counts(report)
    lines += _advice(report)
    lines += _unexercised(report)
    lines += _requirements(report)
    header = report.header
    facts = (
        f"{plural(report.exchanges, 'exchange')} in {duration(report.seconds)}, profile {header.profile}, seed "
        f"{header.seed}, {header.target.get('base_url')}"
    )
    lines += ["", escaped(one_line(facts)), "", *_fenced(rerun(header), "sh")]
    text = "\n".join(lines) + "\n"
    if len(text.encode()) > _LIMIT:
        cut = text.encode()[:_LIMIT].decode("utf-8", "ignore")
        text = cut.rpartition("\n")[0] + "\n\nThe rest is in report.html.\n"
    return text.encode()


def escaped(text: str) -> str:
    """Return one line of text with everything that Markdown or HTML could read written so that it is shown."""
    plain = one_line(text, 2000)
    return _SPECIAL.sub(lambda match: f"&#{ord(match.group())};", plain)


def _fenced(text: str, language: str = "") -> list[str]:
    """Return a code block whose fence is longer than any run of backticks in the text."""
    longest = max((len(run) for run in regex.findall("`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    return [fence + language, text, fence]


def _standing(standing: Standing | None) -> list[str]:
    if standing is None:
        return []
    lines = [f"**{escaped(standing.sentence)}**", ""]
    comparison = standing.comparison
    if comparison is not None:
        lines += [escaped(comparison_sentence(comparison)), ""]
        for heading, failures in (
            ("New failures", comparison.new),
            ("Fixed", comparison.fixed),
            ("Still failing", comparison.still),
        ):
            if failures:
                lines += [f"**{heading}**", ""]
                lines += [f"- {escaped(failure_words(failure))}" for failure in failures[:_SHOWN]]
                lines += [f"- and {len(failures) - _SHOWN:,} more"] if len(failures) > _SHOWN else []
                lines.append("")
        if comparison.lost:
            lines += ["**Lost coverage**", ""]
            lines += [f"- {escaped(words)}" for words in lost_words(comparison)[:_SHOWN]]
            lines.append("")
        lines += [escaped(note) + "  " for note in comparison.notes]
    lines += [f"- {escaped(complaint)}" for complaint in standing.complaints]
    return [*lines, ""]


def _counts(report: Report) -> list[str]:
    used = [status for status in LADDER if report.count(status)]
    head = ["", *(f"{SYMBOLS[status]} {status}" for status in used)]
    lines = ["| " + " | ".join(head) + " |", "| --- |" + " ---: |" * len(used)]
    for letter, rows in families(report).items():
        cells = [cell for row in rows for cell in row.cells.values()]
        counts = [sum(cell.status == status for cell in cells) for status in used]
        lines.append(f"| {letter} | " + " | ".join(str(count or "") for count in counts) + " |")
    totals = [str(report.count(status)) for status in used]
    return [*lines, "| **all** | " + " | ".join(totals) + " |", ""]


def _defects(report: Report, curl: Curl | None, standing: Standing | None) -> list[str]:
    failing = report.failing_defects
    if not failing:
        return []
    lines = [f"### {plural(len(failing), 'defect')}", ""]
    for defect in failing[:_SHOWN]:
        lines += _defect(defect, report, curl, standing)
    left = len(failing) - _SHOWN
    return [*lines, f"And {left:,} more, in report.html.", ""] if left > 0 else lines


def _defect(defect: Defect, report: Report, curl: Curl | None, standing: Standing | None) -> list[str]:
    group = defect.headline
    exchange = group.sample.exchange
    tags = (" unstable" if defect.unstable else "") + (" waived" if waived(defect, standing) is not None else "")
    request = curl_command(curl, exchange.request, group.sample.n)
    contrast = contrast_words(report.contrasts, group.key)
    title = f"{defect.requirement} on {named(defect.operations)}, {reach(defect.count, defect.exercised)}{tags}"
    others = [f"{other.requirement} on {other.operation}" for other in defect.explains]
    lines = [
        f"<details><summary>{escaped(title)}: {escaped(one_line(defect.sentence, 500))}</summary>",
        "",
        f"{escaped(report.rows[group.requirement].statement)}  ",
        f"Expected {escaped(one_line(group.finding.expected, 500))}  ",
        f"Seen {escaped(one_line(group.finding.seen, 500))}  ",
        f"At {escaped(one_line(group.finding.pointer))}  ",
        *([f"{LABEL}: {escaped(contrast)}  "] if contrast is not None else []),
        f"Source: {_source(report.rows[group.requirement], group.operation)}  ",
        *([f"Explains {escaped(', '.join(dict.fromkeys(others)))}"] if others else []),
        "",
        *_fenced(request or one_line(f"{exchange.request.method} {exchange.request.target}", 2000), "sh"),
        "",
        f"Response: {escaped(status_line(exchange.response))}",
        "",
        *_fenced(readable(exchange.response.body, lines=30, characters=2000)),
        "",
    ]
    if group.unstable and group.repeat is not None and group.repeat.again is not None:
        again = group.repeat.again.exchange.response
        lines += [f"The same request again, where it held: {escaped(status_line(again))}", ""]
        lines += [*_fenced(readable(again.body, lines=30, characters=2000)), ""]
    return [*lines, *_fenced(rerun(report.header, group.requirement), "sh"), "", "</details>", ""]


def _source(row: Row, operation: str = "") -> str:
    """Return where a requirement can be looked up, for an operation if one is named, the place as a link."""
    cited = row.cited_on(operation)
    if cited is None:
        return "none"
    words = escaped(f"{cited.page.title}, {cited.place}")
    link = f"[{words}]({cited.page.address})" if cited.page.address else words
    return f"{link} ({row.basis})"


def _requirements(report: Report) -> list[str]:
    """Return what each requirement asks for, and where it can be looked up."""
    lines = ["<details><summary>Requirements and their sources</summary>", ""]
    for row in report.rows.values():
        if row.selected:
            lines.append(f"- **{escaped(row.id)}** {escaped(row.statement)} Source: {_source(row)}")
    return [*lines, "", "</details>", ""]


def _advice(report: Report) -> list[str]:
    """Return what should hold and does not, one line a requirement and operation."""
    if not report.advice:
        return []
    lines = ["### Advice", "", "What should hold and does not; it fails nothing.", ""]
    for group in report.advice[:_SHOWN]:
        row = report.rows[group.requirement]
        words = (
            f"{group.requirement} on {group.operation}, {plural(group.count, 'exchange')}: {row.statement} Expected "
            f"{one_line(group.finding.expected, 300)}; seen {one_line(group.finding.seen, 300)}."
        )
        lines.append(f"- {escaped(words)} Source: {_source(row, group.operation)}")
    left = len(report.advice) - _SHOWN
    return [*lines, *([f"- and {left:,} more"] if left > 0 else []), ""]


def _unexercised(report: Report) -> list[str]:
    reasons = [reason for reason in report.unexercised if any(report.rows[id].selected for id in reason.cells)]
    if not reasons:
        return []
    lines = ["<details><summary>Not exercised</summary>", ""]
    for reason in reasons:
        words = shortened(why_unexercised(reason, report), 600)
        lines.append(f"- {escaped(f'{reason.status}, because {reason.reason}')}: {escaped(words)}")
    return [*lines, "", "</details>", ""]
