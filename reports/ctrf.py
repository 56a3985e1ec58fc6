"""CTRF, the common test report format: one test for each defect, and one for each requirement and operation."""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime
from typing import Any

import orjson

from atlas_conformance.reports import headlines
from atlas_conformance.reports.contrasts import contrast_json
from atlas_conformance.reports.model import (
    ADVICE,
    DEPARTURE,
    ERROR,
    EXCLUDED,
    FAILED,
    NOT_EXERCISED,
    NOT_OFFERED,
    PASSED,
    WITHHELD,
    Cell,
    Defect,
    FindingGroup,
    Report,
)
from atlas_conformance.reports.standing import Standing
from atlas_conformance.reports.wording import (
    FAMILIES,
    PROGRAM,
    Curl,
    curl_command,
    one_line,
    readable,
    rerun,
    status_line,
    visible,
)

_STATUS = {
    PASSED: "passed", ADVICE: "passed", DEPARTURE: "passed", FAILED: "failed", ERROR: "other",
    WITHHELD: "skipped", NOT_EXERCISED: "skipped", NOT_OFFERED: "skipped",
    EXCLUDED: "skipped",
}  # fmt: skip


def ctrf(report: Report, curl: Curl | None = None, standing: Standing | None = None) -> bytes:
    """Return the CTRF document as indented JSON text in UTF-8.

    The defects come first, each a failed test. A cell without exchanges is skipped with its reason, an error of the
    suite is `other`, never passed.
    """
    groups: defaultdict[tuple[str, str], list[FindingGroup]] = defaultdict(list)
    for group in (*report.groups, *report.advice):
        groups[group.requirement, group.operation].append(group)
    tests = [_of_defect(defect, report, curl, standing) for defect in report.failing_defects]
    tests += [
        _test(cell, groups[cell.requirement, cell.operation], report, curl, standing)
        for row in report.rows.values()
        for cell in row.cells.values()
    ]
    tests += _run_tests(report)
    counts = {status: sum(test["status"] == status for test in tests) for status in ("passed", "failed", "skipped")}
    start = _milliseconds(report.header.started)
    document: dict[str, Any] = {
        "reportFormat": "CTRF",
        "specVersion": "0.0.0",
        "generatedBy": f"{PROGRAM} {report.header.suite}",
        "results": {
            "tool": {"name": PROGRAM, "version": report.header.suite},
            "summary": {
                "tests": len(tests),
                **counts,
                "pending": 0,
                "other": len(tests) - sum(counts.values()),
                "suites": len({test["suite"][0] for test in tests}),
                "start": start,
                "stop": start + round(report.seconds * 1000),
                "extra": {"advice": report.count(ADVICE)},
            },
            "environment": {
                "appName": one_line(str(report.header.target.get("base_url") or "")),
                "testEnvironment": one_line(f"profile {report.header.profile}, mode {report.header.mode}"),
                "extra": {"seed": report.header.seed, "contract": report.header.contract},
            },
            "tests": tests,
        },
    }
    if standing is not None:
        document["extra"] = {"gate": standing.gate, "decision": standing.sentence}
    return orjson.dumps(document, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)


def _test(
    cell: Cell, groups: list[FindingGroup], report: Report, curl: Curl | None, standing: Standing | None
) -> dict[str, Any]:
    row = report.rows[cell.requirement]
    cited = row.cited_on(cell.operation)
    extra: dict[str, Any] = {
        "passed": cell.passed,
        "failed": cell.failed,
        "advice": cell.advised,
        "known_departures": cell.departed,
        "statement": row.statement,
        "basis": row.basis,
        "source": row.source_on(cell.operation),
        "link": cited.page.address if cited is not None else None,
    }
    test: dict[str, Any] = {
        "name": f"{cell.requirement} on {cell.operation}",
        "status": _STATUS[cell.status],
        "rawStatus": cell.status,
        "duration": 0,
        "suite": [f"{row.family}: {FAMILIES.get(row.family, row.family)}"],
        "type": "contract",
        "tags": [cell.requirement, cell.operation],
        "extra": extra,
    }
    if cell.status == FAILED and groups:
        shown = groups[0]
        expected, seen = one_line(shown.finding.expected, 800), one_line(shown.finding.seen, 800)
        test["message"] = f"{row.statement} Expected {expected}; seen {seen}. Source: {row.source_on(cell.operation)}."
        test["trace"] = _trace(shown, report, curl)
        extra["places"] = [one_line(group.place) for group in groups[:50]]
        extra["unstable"] = all(group.unstable for group in groups)
        if standing is not None:
            extra["waived"] = all(group.key in standing.waived for group in groups)
    elif cell.status == ADVICE and groups:
        shown = groups[0]
        expected, seen = one_line(shown.finding.expected, 800), one_line(shown.finding.seen, 800)
        source = row.source_on(cell.operation)
        test["message"] = f"Advice: {row.statement} Expected {expected}; seen {seen}. Source: {source}."
        extra["places"] = [one_line(group.place) for group in groups[:50]]
    elif cell.reason:
        test["message"] = one_line(f"{cell.status}: {cell.reason}", 1000)
    return test


def _of_defect(defect: Defect, report: Report, curl: Curl | None, standing: Standing | None) -> dict[str, Any]:
    """Return the test of a defect: its message says what is wrong, and the contrast where one was found."""
    head, waivers = defect.headline, headlines.waived(defect, standing)
    return {
        "name": headlines.title(defect),
        "status": "failed" if waivers is None else "skipped",
        "rawStatus": "defect" if waivers is None else "waived",
        "duration": 0,
        "suite": ["Defects"],
        "type": "contract",
        "tags": [defect.requirement, *defect.operations],
        "message": "\n".join(headlines.in_full(defect, report)) if waivers is None else f"waived: {waivers}",
        "trace": _trace(head, report, curl),
        "extra": {
            "sentence": one_line(defect.sentence, 800),
            "exchanges": defect.count,
            "contrast": contrast_json(report.contrasts, head.key),
            "explains": [f"{group.requirement} on {group.operation}" for group in defect.explains],
            "unstable": defect.unstable,
            "source": report.rows[defect.requirement].source_on(head.operation),
        },
    }


def _trace(group: FindingGroup, report: Report, curl: Curl | None) -> str:
    exchange = group.sample.exchange
    request = curl_command(curl, exchange.request, group.sample.n) or one_line(
        f"{exchange.request.method} {exchange.request.target}", 2000
    )
    lines = [f"Where: {one_line(group.finding.pointer)}", request, status_line(exchange.response)]
    lines += [readable(exchange.response.body), f"Run again: {rerun(report.header, group.requirement)}"]
    if group.repeat is not None and group.repeat.again is not None:
        again = group.repeat.again.exchange.response
        lines += [f"The same request again ({group.repeat.outcome}): {status_line(again)}", readable(again.body)]
    return "\n".join(lines)


def _run_tests(report: Report) -> list[dict[str, Any]]:
    """Return a test for the run as a whole, and one for each error of the suite that belongs to no cell."""
    whole: dict[str, Any] = {
        "name": "the run is whole", "status": "other" if report.partial else "passed", "duration": 0, "suite": ["run"],
    }  # fmt: skip
    if report.partial:
        whole["message"] = f"The run is partial: {visible(report.partial)}."
    errors = [error for error in report.errors if not (error.requirement and error.operation)]
    return [whole] + [
        {
            "name": f"error {index} of the suite: {one_line(error.where, 100)}",
            "status": "other",
            "duration": 0,
            "suite": ["run"],
            "message": one_line(error.message, 1000),
        }
        for index, error in enumerate(errors, 1)
    ]


def _milliseconds(moment: str) -> int:
    return round(datetime.fromisoformat(moment).timestamp() * 1000)
