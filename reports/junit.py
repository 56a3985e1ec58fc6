"""JUnit XML: a test suite of the defects; one for each family of requirements, with a case for each requirement and
operation.
"""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections import defaultdict
from collections.abc import Iterable

import regex

from atlas_conformance.reports import headlines
from atlas_conformance.reports.model import (
    ADVICE,
    DEPARTURE,
    ERROR,
    EXCLUDED,
    FAILED,
    NOT_EXERCISED,
    NOT_OFFERED,
    WITHHELD,
    Cell,
    Defect,
    FindingGroup,
    Report,
    Row,
)
from atlas_conformance.reports.standing import Standing
from atlas_conformance.reports.wording import (
    FAMILIES,
    Curl,
    curl_command,
    one_line,
    plural,
    readable,
    rerun,
    status_line,
    verdict_sentence,
    visible,
)

_ILLEGAL = regex.compile("[^\t\n\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_LISTED_PLACES = 20


def junit(report: Report, curl: Curl | None = None, standing: Standing | None = None) -> bytes:
    """Return the JUnit XML document in UTF-8.

    The defects come first, each a failure. A failed cell is a failure, an error of the suite an error, a cell without
    exchanges is skipped with its reason, a known departure and advice pass with a word in their output, a waived
    failure is skipped with its waiver. What belongs to no cell stands in a suite of its own.
    """
    groups: defaultdict[tuple[str, str], list[FindingGroup]] = defaultdict(list)
    for group in (*report.groups, *report.advice):
        groups[group.requirement, group.operation].append(group)
    root = ET.Element("testsuites", {"name": "atlas-conformance", "time": f"{report.seconds:.3f}"})
    if report.failing_defects:
        _suite(root, "Defects", [_defect_case(d, report, curl, standing) for d in report.failing_defects], report)
    by_family: defaultdict[str, list[ET.Element]] = defaultdict(list)
    for row in report.rows.values():
        for cell in row.cells.values():
            case = _case(f"{row.id} on {cell.operation}", f"atlas.{row.family}.{row.id}")
            found = groups[cell.requirement, cell.operation]
            failing = [group for group in found if not group.advice]
            waivers = [standing.waived[g.key] for g in failing if g.key in standing.waived] if standing else []
            if failing and len(waivers) == len(failing):
                _outcome(case, "skipped", f"waived: {'; '.join(dict.fromkeys(waivers))}")
            else:
                _fill(case, cell, row, found, report, curl)
            by_family[row.family].append(case)
    for family, cases in by_family.items():
        _suite(root, f"{family}: {FAMILIES.get(family, family)}", cases, report)
    _suite(root, "The run", _run_cases(report), report)
    for name in ("tests", "failures", "errors"):
        root.set(name, str(sum(int(suite.get(name, "0")) for suite in root)))
    ET.indent(root)
    text = ET.tostring(root, encoding="unicode")
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{text}\n'.encode()


def legal(text: str) -> str:
    """Return `text` with every character that XML 1.0 cannot hold written as an escape."""
    return _ILLEGAL.sub(lambda match: f"\\u{ord(match.group()):04x}", visible(text))


def _suite(root: ET.Element, name: str, cases: Iterable[ET.Element], report: Report) -> None:
    suite = ET.SubElement(root, "testsuite", {"name": legal(name)})
    suite.extend(cases)
    suite.set("tests", str(len(suite)))
    for attribute, tag in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
        suite.set(attribute, str(sum(case.find(tag) is not None for case in suite)))
    suite.set("timestamp", legal(report.header.started))


def _case(name: str, classname: str) -> ET.Element:
    return ET.Element("testcase", {"name": legal(name), "classname": legal(classname)})


def _outcome(case: ET.Element, tag: str, message: str, text: str = "", type: str = "") -> None:
    outcome = ET.SubElement(case, tag, {"message": legal(one_line(message, 1000))})
    if type:
        outcome.set("type", legal(type))
    outcome.text = legal(text) or None


def _fill(
    case: ET.Element, cell: Cell, row: Row, groups: list[FindingGroup], report: Report, curl: Curl | None
) -> None:
    said = ""
    if cell.status == FAILED:
        shown = groups[0]
        message = f"{row.statement} Expected {shown.finding.expected}; seen {shown.finding.seen}."
        _outcome(case, "failure", message, _failure_text(groups, report, curl), cell.requirement)
    elif cell.status == ERROR:
        _outcome(case, "error", cell.reason or "The suite itself failed.", type="suite error")
    elif cell.status in (NOT_EXERCISED, NOT_OFFERED, WITHHELD, EXCLUDED):
        _outcome(case, "skipped", f"{cell.status}: {cell.reason}")
    elif cell.status == ADVICE and groups:
        said = f"Advice, which fails nothing.\n{_failure_text(groups, report, curl)}"
    elif cell.status == DEPARTURE:
        uses = [use for use in report.departures if cell.operation in use.operations]
        own = [f"{use.id}: {one_line(use.statement)}" for use in uses if use.requirement == cell.requirement]
        words = f"{plural(cell.departed, 'exchange')} with known departures of the real service.\n"
        said = words + "\n".join(own)
    if cell.status not in (FAILED, ADVICE):
        said = f"Requirement: {row.statement}\nSource: {row.source_on(cell.operation)}\n{said}"
    if said:
        ET.SubElement(case, "system-out").text = legal(said)


def _defect_case(defect: Defect, report: Report, curl: Curl | None, standing: Standing | None) -> ET.Element:
    """Return the case of a defect: its message says what is wrong, its text what proves it."""
    case = _case(headlines.title(defect), "atlas.defects")
    waivers = headlines.waived(defect, standing)
    if waivers is not None:
        _outcome(case, "skipped", f"waived: {waivers}")
        return case
    shown = [defect.headline, *defect.same]
    text = "\n".join([*headlines.in_full(defect, report), "", _failure_text(shown, report, curl)])
    _outcome(case, "failure", headlines.in_short(defect, report), text, defect.requirement)
    return case


def _failure_text(groups: list[FindingGroup], report: Report, curl: Curl | None) -> str:
    shown = groups[0]
    exchange = shown.sample.exchange
    lines = [
        f"Requirement: {report.rows[shown.requirement].statement}",
        f"Source: {report.rows[shown.requirement].source_on(shown.operation)}",
        f"Expected: {one_line(shown.finding.expected, 1000)}",
        f"Seen: {one_line(shown.finding.seen, 1000)}",
        *(["Unstable: the requirement held when the request was repeated"] if shown.unstable else []),
        f"Where: {one_line(shown.finding.pointer)}",
        f"Exchanges: {shown.count}, the smallest request is exchange {shown.sample.n}, {one_line(shown.sample.test)}",
        "",
        curl_command(curl, exchange.request, shown.sample.n) or f"{exchange.request.method} {exchange.request.target}",
        "",
        f"Response: {status_line(exchange.response)}",
        readable(exchange.response.body),
        "",
        f"Run again: {rerun(report.header, shown.requirement)}",
    ]
    if shown.lead is not None:
        lines.append(f"Explained by: {shown.lead[0]} on {shown.lead[1]}")
    lines += [f"Also at: {one_line(group.place)} ({group.count})" for group in groups[1 : _LISTED_PLACES + 1]]
    if len(groups) > _LISTED_PLACES + 1:
        lines.append(f"And at {len(groups) - _LISTED_PLACES - 1} more places.")
    return "\n".join(lines)


def _run_cases(report: Report) -> list[ET.Element]:
    """Return a case for the run as a whole, and one for each error of the suite that belongs to no cell."""
    whole = _case("the run is whole", "atlas.run")
    if report.partial:
        _outcome(whole, "error", f"The run is partial: {report.partial}.", type="partial run")
    elif report.verdict == NOT_EXERCISED:
        _outcome(whole, "error", verdict_sentence(report), type="nothing exercised")
    if advice := report.count(ADVICE):
        words = f"Advice on {plural(advice, 'cell')}: what should hold and does not fails nothing."
        ET.SubElement(whole, "system-out").text = words
    cases = [whole]
    for index, error in enumerate((e for e in report.errors if not (e.requirement and e.operation)), 1):
        case = _case(f"error {index} of the suite: {one_line(error.where, 100)}", "atlas.run")
        _outcome(case, "error", error.message, error.message, "suite error")
        cases.append(case)
    return cases
