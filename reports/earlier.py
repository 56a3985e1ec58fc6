"""Reading back what an earlier run left: a folder of reports, a summary.json, or a journal."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import orjson

from atlas_conformance.contracts.written import small_file
from atlas_conformance.reports.comparison import Failure, Outline, outline
from atlas_conformance.reports.summary import VERSION
from atlas_conformance.reports.summary_form import misformed_summary
from atlas_conformance.reports.writing import JOURNAL, ReportError, report_of

SUMMARY = "summary.json"
_LARGEST = 32 * 1024 * 1024
"""Bytes of a summary, at most."""


def outline_at(path: Path) -> Outline:
    """Return the outline of the run whose folder of reports, summary or journal stands at `path`.

    Raises ReportError where there is none.
    """
    found = _found(path)
    if found.suffix == ".json":
        return _outline_of_summary(summary_at(found), found)
    return outline(report_of(found))


def summary_at(path: Path) -> dict[str, Any]:
    """Return the summary.json at `path`, or in the folder `path`; raise ReportError where there is none."""
    found = path / SUMMARY if path.is_dir() else path
    try:
        document = orjson.loads(small_file(found, _LARGEST))
    except OSError as problem:
        raise ReportError(f"{found} cannot be read: {(problem.strerror or str(problem)).lower()}.") from None
    except orjson.JSONDecodeError:
        raise ReportError(f"{found} is no summary of a run: it is no JSON.") from None
    if not isinstance(document, dict) or document.get("summary") != VERSION:
        raise ReportError(f'{found} is no summary of a run (a JSON object with "summary": {VERSION} is wanted).')
    if (wrong := misformed_summary(document)) is not None:
        raise ReportError(f"{found} is no whole summary of a run: {wrong!r} is missing, or not of the right form.")
    return document


def _found(path: Path) -> Path:
    if not path.is_dir():
        return path
    for name in (SUMMARY, JOURNAL):
        if (path / name).exists():
            return path / name
    raise ReportError(f"{path} holds no reports of a run: neither {SUMMARY} nor {JOURNAL} is there.")


def _outline_of_summary(document: dict[str, Any], path: Path) -> Outline:
    try:
        failures: dict[tuple[str, str, str], Failure] = {}
        cells: dict[tuple[str, str], tuple[str, int]] = {}
        reasons: dict[tuple[str, str], str] = {}
        for id, requirement in document["requirements"].items():
            for operation, cell in requirement["operations"].items():
                count = cell["passed"] + cell["failed"] + cell["known_departures"] + cell.get("advice", 0)
                cells[id, operation] = (cell["status"], count)
                if cell["reason"]:
                    reasons[id, operation] = cell["reason"]
            for found in requirement["findings"]:
                lead = found["led_by"]
                key = (id, found["operation"], found["place"])
                led_by = (lead["requirement"], lead["operation"], lead["place"]) if lead else None
                advice, unstable = found.get("advice", False), found.get("unstable", False)
                if not advice or key not in failures:
                    failures[key] = Failure(key, found["expected"], found["seen"], unstable, led_by, advice)
        selected = document["selected"]
        facts = {
            "contract": document["contract"],
            "suite": document["suite"],
            "level": document["level"] or "as found",
            "profile": document["profile"],
            "mode": document["mode"],
            "selected requirements": "all" if selected is None else ", ".join(selected),
            "excluded requirements": ", ".join(document.get("excluded") or ()) or "none",
            "shard": document["shard"] or "none",
            "advice": "failure" if document.get("strict") else "advice",
        }
        verdict, started, partial = document["verdict"], document["started"], document["partial_reason"]
        return Outline(failures, cells, reasons, verdict, started, partial, facts)
    except (KeyError, TypeError, AttributeError) as problem:
        raise ReportError(f"{path} is no whole summary of a run: {type(problem).__name__} at {problem}.") from None
