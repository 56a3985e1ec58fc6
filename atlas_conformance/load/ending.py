"""From what the processes of a run left behind to its reports, its verdict and its exit code."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import orjson

from atlas_conformance.load.load import Load, load_of
from atlas_conformance.load.page import load_page
from atlas_conformance.load.plan import Limits
from atlas_conformance.load.station import Station
from atlas_conformance.load.verdict import broken_limits, load_document
from atlas_conformance.reports.comparison import outline
from atlas_conformance.reports.copying import copy_records
from atlas_conformance.reports.diagnosis import recounted
from atlas_conformance.reports.gates.gate import Policy
from atlas_conformance.reports.journal import Journal, JournalError, JournalWriter
from atlas_conformance.reports.matrix import Tally
from atlas_conformance.reports.model import FAILED, PASSED, Cell, Report, Row
from atlas_conformance.reports.records import Header
from atlas_conformance.reports.standing import Standing
from atlas_conformance.reports.watching import Latency
from atlas_conformance.reports.wording import Curl
from atlas_conformance.reports.writing import JOURNAL, ReportError, Written, end_journal, write_file, write_reports

PAGE = "load.html"
DATA = "load.json"


@dataclass(frozen=True)
class Ended:
    """A run that has ended: the report on the contract, the load, the limits that were broken, the files written.

    `standing` is where it stands by the policy, None where the verdict alone counts. `exit_code` is that of the
    standing or of the verdict; 1 where nothing is worse than a limit that was broken.
    """

    report: Report
    load: Load
    broken: tuple[str, ...]
    written: Written
    standing: Standing | None
    exit_code: int


def end_local(
    ready: Station, limits: Limits, policy: Policy, partial: str | None, curl: Curl | None, reports: Path | None
) -> Ended:
    """End a run in one process. Raises ReportError and JournalError."""
    why = partial or ready.crew.trouble
    ready.end(why)
    report = end_journal(
        ready.journal, ready.tally, ended=_now(), partial=why is not None, because=why, lost=ready.crew.lost
    )
    load = load_of([ready.folder])
    return _finish(report, load, limits, policy, ready.folder / JOURNAL, curl, reports)


def end_joined(
    folders: Sequence[Path],
    lost: Mapping[Path, str],
    header: Header,
    into: Path,
    limits: Limits,
    policy: Policy,
    partial: str | None,
    curl: Curl | None,
    reports: Path | None,
    *,
    gone: bool = False,
) -> Ended:
    """Join what several processes left behind; `lost` says of a folder why its process did not end by itself, `gone`
    that the endpoint no longer answers.

    Raises ReportError and JournalError.
    """
    load = load_of(folders, lost)
    whys = [reason for reason in (partial, load.partial) if reason]
    tally = Tally(header)
    with JournalWriter(into / JOURNAL, header, tally.add) as writer:
        for folder, part in zip(folders, load.parts, strict=True):
            copy_records(Journal(folder / JOURNAL), writer, part.name)
        report = end_journal(
            writer, tally, ended=_now(), partial=bool(whys), because="; ".join(whys) or None, lost=gone
        )
    return _finish(report, load, limits, policy, into / JOURNAL, curl, reports)


def _finish(
    report: Report, load: Load, limits: Limits, policy: Policy, journal: Path, curl: Curl | None, reports: Path | None
) -> Ended:
    report = completed(report, load)
    broken = broken_limits(load, limits)
    standing = None if policy.silent else policy.decide(outline(report), errors=bool(report.errors))
    own = report.exit_code if standing is None else standing.exit_code
    exit_code = 1 if own == 0 and broken else own
    written = Written()
    if reports is not None:
        written = write_reports(reports, report, journal, curl=curl, standing=standing)
        pages: Mapping[str, Callable[[], bytes]] = {
            PAGE: lambda: load_page(report, load, limits).encode("utf-8"),
            DATA: lambda: _as_json(load_document(report, load, limits, exit_code)),
        }
        for name, made in pages.items():
            try:
                write_file(reports / name, made())
                written = replace(written, paths=(*written.paths, reports / name))
            except Exception as problem:  # one page that fails must not keep the others from being written
                said = str(problem) if isinstance(problem, ReportError) else f"{type(problem).__name__}: {problem}"
                written = replace(written, failures=(*written.failures, f"{reports / name}: {said}"))
    return Ended(report, load, broken, written, standing, exit_code)


def _as_json(document: dict[str, Any]) -> bytes:
    return orjson.dumps(document, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)


def completed(report: Report, load: Load) -> Report:
    """Return the report with the counts of the load record in place of those of the journal, which is a sample."""
    rows = {name: _completed_row(row, load) for name, row in report.rows.items()}
    counts = {key: sum(row.values()) for key, row in load.findings.items()}
    if report.header.strict:
        counts = {key: counts.get(key, 0) + load.advice[key] for key in counts.keys() | load.advice.keys()}
    groups = tuple(replace(group, count=max(group.count, counts.get(group.key, 0))) for group in report.groups)
    advice = tuple(replace(group, count=max(group.count, load.advice[group.key])) for group in report.advice)
    by_key = {group.key: group for group in groups}
    anew = {(group.advice, group.key): group for group in (*groups, *advice)}
    headlines = tuple(
        replace(by_key[group.key], also=tuple(by_key[other.key] for other in group.also)) for group in report.headlines
    )
    return replace(
        report,
        exchanges=load.requests,
        findings=sum(counts.values()),
        rows=rows,
        groups=groups,
        headlines=headlines,
        advice=advice,
        defects=recounted(report.defects, anew),
        latencies=_latencies(report, load),
    )


def _completed_row(row: Row, load: Load) -> Row:
    cells = {operation: _completed_cell(cell, load) for operation, cell in row.cells.items()}
    return replace(row, cells=cells)


def _completed_cell(cell: Cell, load: Load) -> Cell:
    pair = (cell.requirement, cell.operation)
    if cell.status not in (PASSED, FAILED):
        return cell
    return replace(cell, passed=max(cell.passed, load.held[pair]), failed=max(cell.failed, load.failed[pair]))


def _latencies(report: Report, load: Load) -> tuple[Latency, ...]:
    found = []
    for operation in report.operations:
        whole = load.answered(operation)
        if whole.total:
            least, lower, median, upper, p95 = (whole.quantile(share) for share in (0.0, 0.25, 0.5, 0.75, 0.95))
            found.append(Latency(operation, whole.total, least, lower, median, upper, p95, whole.most))
    return tuple(found)


def _now() -> str:
    return datetime.datetime.now(datetime.UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


__all__ = ["Ended", "JournalError", "ReportError", "completed", "end_joined", "end_local"]
