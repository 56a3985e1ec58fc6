"""Copying what the journal of a part of a run holds into the journal of the whole."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from atlas_conformance.contracts.finding import Judgement
from atlas_conformance.reports.journal import Journal, JournalWriter
from atlas_conformance.reports.records import (
    Closing,
    ContrastRecord,
    ExchangeRecord,
    FindingRecord,
    JobRecord,
    Record,
    RepeatRecord,
    StatusRecord,
)


def copy_records(journal: Journal, writer: JournalWriter, part: str) -> str:
    """Append the records of a part to the joined journal, exchanges numbered again; return when the part ended.

    `part` names it in an error of the suite. Raises JournalError; a part that breaks off is copied up to
    there.
    """
    closing = copy_part(journal, writer, part)
    return journal.header.started if closing is None else closing.ended


def copy_part(records: Iterable[Record], writer: JournalWriter, part: str) -> Closing | None:
    """Append records out of a journal to another, exchanges numbered again; return the closing line, if it is there.

    The records may be from its middle, as long as none refers to an exchange before the first of them. `part` names
    where they are from, for errors of the suite.
    """
    before: int | None = None
    closing: Closing | None = None
    for record in records:
        if isinstance(record, ExchangeRecord):
            if before is None:
                before = writer.exchanges - record.n + 1
            judgement = Judgement(frozenset(record.held))
            writer.exchange(
                record.exchange,
                operation=record.operation,
                test=record.test,
                judgement=judgement,
                passing=record.passing,
            )
        elif isinstance(record, FindingRecord):
            by = before or 0
            writer.finding(record.n + by, record.finding, related=[n + by for n in record.related])
        elif isinstance(record, RepeatRecord):
            by = before or 0
            again = None if record.again is None else record.again + by
            writer.repeat(replace(record, n=record.n + by, again=again))
        elif isinstance(record, ContrastRecord):
            by = before or 0
            writer.contrast(replace(record, n=record.n + by, other=record.other + by))
        elif isinstance(record, StatusRecord) and record.status == "error":
            where = f"{part}, {record.where or 'the suite'}"
            writer.error(where, record.reason, requirement=record.requirement, operation=record.operation)
        elif isinstance(record, StatusRecord):
            writer.status(record.status, record.reason, requirement=record.requirement, operation=record.operation)
        elif isinstance(record, JobRecord):
            writer.job(record)
        elif isinstance(record, Closing):
            closing = record
            writer.lost_connections += record.lost_connections
    return closing
