"""`summary.json`: the report for programs. `summary.schema.json`, beside this module, is its published schema."""

from __future__ import annotations

from typing import Any

import orjson

from atlas_conformance.contracts.exchange import Request, Response
from atlas_conformance.reports.comparison import Key
from atlas_conformance.reports.contrasts import contrast_json
from atlas_conformance.reports.model import LADDER, Cell, Defect, FindingGroup, Report, Row
from atlas_conformance.reports.records import Header
from atlas_conformance.reports.standing import Standing
from atlas_conformance.reports.stored import encoded_body
from atlas_conformance.reports.wording import Curl, curl_command, rerun, verdict_sentence

VERSION = 1
"""The version of the summary's form."""

_BODY_LIMIT = 8 * 1024


def summary(report: Report, curl: Curl | None = None, standing: Standing | None = None) -> dict[str, Any]:
    """Return the summary as a JSON document."""
    header = report.header
    return {
        "summary": VERSION,
        "verdict": report.verdict,
        "exit_code": report.exit_code,
        "sentence": verdict_sentence(report),
        "gate": None if standing is None else _gate(standing),
        "partial": report.partial is not None,
        "partial_reason": report.partial,
        "seed": header.seed,
        "profile": header.profile,
        "mode": header.mode,
        "level": header.target.get("level"),
        "contract": header.contract,
        "suite": header.suite,
        "target": _target(header),
        "selected": None if header.requirements is None else list(header.requirements),
        "excluded": list(header.excluded),
        "strict": header.strict,
        "shard": header.shard,
        "started": header.started,
        "ended": report.ended,
        "seconds": round(report.seconds, 3),
        "exchanges": report.exchanges - report.passing,
        "findings": report.findings,
        "lost_connections": report.lost_connections,
        "counts": {
            "requirements": {status: len(report.requirements(status)) for status in LADDER},
            "cells": {status: report.count(status) for status in LADDER},
        },
        "defects": [_defect(defect) for defect in report.defects],
        "requirements": {row.id: _requirement(row, report, curl) for row in report.rows.values()},
        "known_departures": {
            use.id: {
                "requirement": use.requirement,
                "statement": use.statement,
                "operations": dict(use.operations),
                "place": use.place,
                "expected": use.expected,
                "seen": use.seen,
            }
            for use in report.departures
        },
        "not_exercised": [
            {
                "status": reason.status,
                "reason": reason.reason,
                "cells": {id: list(operations) for id, operations in reason.cells.items()},
            }
            for reason in report.unexercised
        ],
        "errors": [
            {
                "where": error.where,
                "message": error.message,
                "requirement": error.requirement,
                "operation": error.operation,
            }
            for error in report.errors
        ],
        "conclusion": report.header.conclusion,
        "jobs": [
            {"id": job.id, "family": job.family, "project": job.project, "cluster": job.cluster, "state": job.state}
            for job in report.jobs
        ],
    }


def summary_bytes(report: Report, curl: Curl | None = None, standing: Standing | None = None) -> bytes:
    """Return the summary as indented JSON text in UTF-8, ending in a newline."""
    document = summary(report, curl, standing)
    options = orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE
    return orjson.dumps(document, option=options)


def _target(header: Header) -> dict[str, Any]:
    """Return the target; of an endpoint that the run started itself the address went with it."""
    gone = header.target.get("source") == "reference"
    return {**header.target, "base_url": None} if gone else dict(header.target)


def _gate(standing: Standing) -> dict[str, Any]:
    """Return what the gate decided, and on what; failures as requirement, operation and place."""
    comparison = standing.comparison
    return {
        "gate": standing.gate,
        "exit_code": standing.exit_code,
        "sentence": standing.sentence,
        "waived": [_key(key) for key in standing.waived],
        "complaints": list(standing.complaints),
        "basis": list(standing.bases),
        "uncounted": [_key(key) for key in standing.uncounted],
        "baseline": None
        if comparison is None
        else {
            "started": comparison.old.started,
            "new": [_key(failure.key) for failure in comparison.new],
            "explained": [_key(failure.key) for failure in comparison.explained],
            "fixed": [_key(failure.key) for failure in comparison.fixed],
            "vanished": [_key(failure.key) for failure in comparison.vanished],
            "still": [_key(failure.key) for failure in comparison.still],
            "advice": [_key(failure.key) for failure in comparison.advice],
            "lost": {lost.requirement: list(lost.operations) for lost in comparison.lost},
            "notes": list(comparison.notes),
        },
    }


def _key(key: Key) -> dict[str, str]:
    return dict(zip(("requirement", "operation", "place"), key, strict=True))


def _defect(defect: Defect) -> dict[str, Any]:
    head = defect.headline
    return {
        "requirement": defect.requirement,
        "sentence": defect.sentence,
        "operations": list(defect.operations),
        "count": defect.count,
        "exercised": defect.exercised,
        "exchange": head.sample.n,
        "first_exchange": defect.first,
        "since_seconds": None if defect.since is None else round(defect.since, 3),
        "advice": defect.advice,
        "unstable": defect.unstable,
        "headline": _key(head.key),
        "same": [_key(group.key) for group in defect.same],
        "explains": [_key(group.key) for group in defect.explains],
    }


def _requirement(row: Row, report: Report, curl: Curl | None) -> dict[str, Any]:
    return {
        "verdict": row.verdict,
        "statement": row.statement,
        "basis": row.basis or None,
        "force": row.force or None,
        "source": row.source,
        "sources": [
            {"title": cited.page.title, "place": cited.place, "address": cited.page.address} for cited in row.sources
        ],
        "exercised": row.exercised,
        "operations": {operation: _cell(cell) for operation, cell in row.cells.items()},
        "findings": [
            _finding(group, report, curl) for group in (*report.groups, *report.advice) if group.requirement == row.id
        ],
    }


def _cell(cell: Cell) -> dict[str, Any]:
    return {
        "status": cell.status,
        "passed": cell.passed,
        "failed": cell.failed,
        "advice": cell.advised,
        "known_departures": cell.departed,
        "reason": cell.reason,
    }


def _finding(group: FindingGroup, report: Report, curl: Curl | None) -> dict[str, Any]:
    exchange = group.sample.exchange
    return {
        "operation": group.operation,
        "message": f"expected {group.finding.expected}, seen {group.finding.seen}",
        "expected": group.finding.expected,
        "seen": group.finding.seen,
        "pointer": group.finding.pointer,
        "place": group.place,
        "count": group.count,
        "exchange": group.sample.n,
        "first_exchange": group.first,
        "test": group.sample.test,
        "led_by": dict(zip(("requirement", "operation", "place"), group.lead, strict=True)) if group.lead else None,
        "request": _request(exchange.request),
        "response": _response(exchange.response),
        "advice": group.advice,
        "unstable": group.unstable,
        "repeat": _repeat(group),
        "contrast": contrast_json(report.contrasts, group.key),
        "curl": curl_command(curl, exchange.request, group.sample.n),
        "rerun": rerun(report.header, group.requirement),
    }


def _repeat(group: FindingGroup) -> dict[str, Any] | None:
    """Return what came of repeating the same request."""
    if group.repeat is None:
        return None
    again = group.repeat.again
    return {
        "outcome": group.repeat.outcome,
        "exchange": None if again is None else again.n,
        "response": None if again is None else _response(again.exchange.response),
    }


def _request(request: Request) -> dict[str, Any]:
    headers = None if request.headers is None else [list(pair) for pair in request.headers]
    return {
        "method": request.method,
        "target": request.target,
        "credential": request.credential,
        "scheme": request.scheme,
        "headers": headers,
        **_body(request.body),
    }


def _response(response: Response) -> dict[str, Any]:
    return {
        "status": response.status,
        "headers": [list(pair) for pair in response.headers],
        **_body(response.body),
    }


def _body(body: bytes | None) -> dict[str, Any]:
    """Return a body as in a journal, or the beginning of a long one with the number of its bytes."""
    if body is None or len(body) <= _BODY_LIMIT:
        return encoded_body(body)
    return {"body_begins": body[:_BODY_LIMIT].decode("utf-8", "backslashreplace"), "body_bytes": len(body)}
