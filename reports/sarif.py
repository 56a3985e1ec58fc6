"""SARIF 2.1.0: one rule for each requirement, one result for each group of findings, those of a defect together, for
code-scanning readers.
"""

from __future__ import annotations

import hashlib
from typing import Any

import orjson

from atlas_conformance.contracts.exchange import Headers
from atlas_conformance.reports import headlines
from atlas_conformance.reports.contrasts import contrast_json
from atlas_conformance.reports.markdown import escaped
from atlas_conformance.reports.model import FAILED, Defect, FindingGroup, Report, Row
from atlas_conformance.reports.standing import Standing
from atlas_conformance.reports.wording import PROGRAM, Curl, curl_command, one_line, readable, rerun, visible

_SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
_BODY = 4000


def sarif(report: Report, curl: Curl | None = None, standing: Standing | None = None) -> bytes:
    """Return the SARIF log as indented JSON text in UTF-8.

    The results come defect by defect, and the first of each says what is wrong. A finding is an error, one that did not
    repeat a warning, advice and a known departure of the real service a note. Waived findings are suppressed. With an
    earlier run to compare with, each result says whether it is new.
    """
    rules = list(report.rows.values())
    index = {row.id: place for place, row in enumerate(rules)}
    results = [_result(group, defect, index, report, curl, standing) for group, defect in headlines.by_group(report)]
    results += [
        {
            "ruleId": use.requirement,
            "ruleIndex": index[use.requirement],
            "level": "note",
            "message": {"text": one_line(f"{use.id}, a known departure of the real service: {use.statement}", 1000)},
            "locations": [_location(report, operation, use.place)],
            "partialFingerprints": {"departure/v1": _digest(use.id, operation)},
            "occurrenceCount": count,
        }
        for use in report.departures
        for operation, count in use.operations.items()
    ]
    document = {
        "$schema": _SCHEMA,
        "version": "2.1.0",
        "runs": [
            {
                "tool": {
                    "driver": {
                        "name": PROGRAM,
                        "version": report.header.suite,
                        "rules": [
                            {
                                "id": row.id,
                                "shortDescription": {"text": row.statement},
                                "help": _help(row),
                                **({"helpUri": row.address} if row.address else {}),
                                "defaultConfiguration": {"level": "note" if row.force == "should" else "error"},
                                "properties": {
                                    "verdict": row.verdict,
                                    "exercised": row.exercised,
                                    "basis": row.basis,
                                    "force": row.force,
                                },
                            }
                            for row in rules
                        ],
                    }
                },
                "automationDetails": {"id": f"{PROGRAM}/{report.header.profile}/"},
                "invocations": [_invocation(report)],
                "results": results,
                "columnKind": "unicodeCodePoints",
                "properties": {
                    "verdict": report.verdict,
                    "seed": report.header.seed,
                    "contract": report.header.contract,
                    "gate": None if standing is None else standing.sentence,
                },
            }
        ],
    }
    return orjson.dumps(document, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)


def _result(
    group: FindingGroup,
    defect: Defect,
    index: dict[str, int],
    report: Report,
    curl: Curl | None,
    standing: Standing | None,
) -> dict[str, Any]:
    exchange = group.sample.exchange
    request, response = exchange.request, exchange.response
    expected, seen = one_line(group.finding.expected, 800), one_line(group.finding.seen, 800)
    leads = group is defect.headline
    first = f"{headlines.in_short(defect, report)} " if leads else f"A case of {headlines.title(defect)}. "
    unstable = " The requirement held when the request was repeated." if group.unstable else ""
    result: dict[str, Any] = {
        "ruleId": group.requirement,
        "ruleIndex": index[group.requirement],
        "level": "note" if group.advice else "warning" if group.unstable else "error",
        "kind": "fail",
        "message": {
            "text": f"{first}{report.rows[group.requirement].statement} Expected {expected}; seen {seen}.{unstable}"
        },
        "locations": [_location(report, group.operation, group.place)],
        "partialFingerprints": {"requirementOperationPlace/v1": _digest(*group.key)},
        "occurrenceCount": group.count,
        "webRequest": {
            "method": visible(request.method),
            "target": one_line(request.target, 2000),
            "headers": _headers(request.headers or ()),
            "body": {"text": readable(request.body, characters=_BODY)},
        },
        "webResponse": {
            "statusCode": response.status,
            "headers": _headers(response.headers),
            "body": {"text": readable(response.body, characters=_BODY)},
            "noResponseReceived": response.status == 0,
        },
        "properties": {
            "advice": group.advice,
            "unstable": group.unstable,
            "exchange": group.sample.n,
            "defect": headlines.title(defect),
            "leads": leads,
            "contrast": contrast_json(report.contrasts, group.key),
            "pointer": one_line(group.finding.pointer),
            "curl": curl_command(curl, request, group.sample.n),
            "rerun": rerun(report.header, group.requirement),
        },
    }
    if standing is not None:
        if standing.comparison is not None:
            known = {failure.key for failure in standing.comparison.still}
            result["baselineState"] = "unchanged" if group.key in known else "new"
        waiver = standing.waived.get(group.key)
        result["suppressions"] = [{"kind": "external", "justification": waiver}] if waiver else []
    return result


def _help(row: Row) -> dict[str, str]:
    """Return what a requirement asks for and where it can be looked up, as text and as Markdown."""
    basis = f"Basis: {row.basis or 'not known'}."
    places = [f"{cited.page.title}, {cited.place}" for cited in row.sources]
    plain = "".join(f"\n- {cited}" for cited in row.sources) or " none"
    links = "".join(
        f"\n- [{place}]({cited.page.address})" if cited.page.address else f"\n- {place}, {cited.page.kind}"
        for place, cited in zip(places, row.sources, strict=True)
    )
    return {
        "text": f"{row.statement} {basis} Sources:{plain}",
        "markdown": f"{escaped(row.statement)}\n\n{basis} Sources:\n{links or ' none'}",
    }


def _location(report: Report, operation: str, place: str) -> dict[str, Any]:
    source = str(report.header.target.get("source") or "reference")
    return {
        "physicalLocation": {
            "artifactLocation": {"uri": _uri(source)},
            "region": {"startLine": 1},
        },
        "logicalLocations": [{"fullyQualifiedName": one_line(operation + place, 600), "kind": "member"}],
    }


def _uri(source: str) -> str:
    """Return a target file's path, or the endpoint's address, as a URI reference."""
    return "".join(c if c.isascii() and (c.isalnum() or c in "-._~/:@!$&'()*+,;=") else "_" for c in visible(source))


def _headers(headers: Headers) -> dict[str, str]:
    return {one_line(name, 200): one_line(value, 400) for name, value in headers}


def _invocation(report: Report) -> dict[str, Any]:
    invocation: dict[str, Any] = {
        "executionSuccessful": not report.errors and report.partial is None,
        "commandLine": rerun(report.header),
        "startTimeUtc": report.header.started,
        "exitCode": report.exit_code,
        "toolExecutionNotifications": [
            {"level": "error", "message": {"text": one_line(f"{error.where}: {error.message}", 1000)}}
            for error in report.errors[:200]
        ],
    }
    if report.ended is not None:
        invocation["endTimeUtc"] = report.ended
    if report.partial:
        notes = invocation["toolExecutionNotifications"]
        notes.append({"level": "error", "message": {"text": f"The run is partial: {visible(report.partial)}."}})
    if report.verdict == FAILED:
        invocation["exitCodeDescription"] = "a requirement does not hold"
    return invocation


def _digest(*parts: str) -> str:
    return hashlib.sha256("\x1f".join(parts).encode("utf-8", "backslashreplace")).hexdigest()[:32]
