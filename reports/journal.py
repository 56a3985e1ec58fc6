"""The journal: one append-only file of JSON lines that every report is rendered from.

The first line is the header, the last one the closing line; a journal without its closing line is a partial run.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import BinaryIO

import orjson

from atlas_conformance.contracts.exchange import Exchange
from atlas_conformance.contracts.finding import Finding, Judgement
from atlas_conformance.reports.record_forms import RecordError
from atlas_conformance.reports.records import (
    VERSION,
    Closing,
    ContrastRecord,
    ExchangeRecord,
    FindingRecord,
    Header,
    JobRecord,
    Record,
    RepeatRecord,
    StatusRecord,
    record_of_json,
    written,
)
from atlas_conformance.reports.stored import encodable_text

_BUFFER = 1 << 20
_LINE_LIMIT = 256 * 1024 * 1024
_HEADER_LIMIT = 16 * 1024 * 1024
"""How many bytes the first line may have: by it a journal is recognised."""


_EXCHANGE_START = b'{"kind":"exchange","n":'


def _written_number(line: bytes) -> int | None:
    """Return the number of the exchange on a line as the writer writes it, without decoding the line, else None."""
    if not line.startswith(_EXCHANGE_START):
        return None
    digits = line[len(_EXCHANGE_START) : line.find(b",", len(_EXCHANGE_START))]
    return int(digits) if digits.isdigit() else None


CUT_SHORT = "the run was cut short"
"""Why a run is partial that was ended by whoever started it."""


class JournalError(Exception):
    """A journal cannot be read or written; the message is one sentence."""


class JournalWriter:
    """Appends the lines of one run to a journal; safe to share among threads.

    Exchanges must be redacted before they come here. Findings are flushed to the file at once, exchanges when the
    buffer is full or the journal ends. Leaving the context without `close` leaves out the closing line, so that readers
    see a partial run. Every method raises JournalError where the file cannot be written.
    """

    def __init__(self, path: Path, header: Header, observer: Callable[[Record], None] | None = None) -> None:
        """Create the file, its folder if need be, and write `header`; an existing file is replaced.

        `observer` is called with each record after it was written, in the order of the journal, one call at a time.
        """
        self.path = path
        self.header = header
        self._observer = observer
        self.exchanges = 0
        self.findings = 0
        self.lost_connections = 0
        """How many connections the endpoint closed before an answer was complete, for the closing line."""
        self._lock = threading.Lock()
        self._leads: dict[int, str] = {}
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file: BinaryIO = path.open("wb", buffering=_BUFFER)
        except OSError as problem:
            raise self._unwritable(problem) from None
        self._write(header, flush=True)

    def __enter__(self) -> JournalWriter:
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, at: TracebackType | None) -> None:
        with self._lock:
            try:
                self._file.close()
            except OSError as problem:
                raise self._unwritable(problem) from None

    def exchange(
        self,
        exchange: Exchange,
        *,
        operation: str | None,
        test: str,
        judgement: Judgement | None = None,
        passing: bool = False,
    ) -> int:
        """Append an exchange with what was judged of it, and return its number; `passing` as in ExchangeRecord."""
        found = judgement or Judgement()
        held = tuple(sorted(found.held))
        with self._lock:
            self.exchanges += 1
            n = self.exchanges
            self._write(ExchangeRecord(n, test, operation, exchange, held, passing))
            if found.findings:
                self._append_findings(n, found.findings, ())
        return n

    def finding(self, n: int, *findings: Finding, related: Iterable[int] = ()) -> None:
        """Append findings, the most specific first, on the exchange number `n` that was written before."""
        with self._lock:
            self._append_findings(n, findings, tuple(related))

    def repeat(self, record: RepeatRecord) -> None:
        """Append what came of repeating a request because of a finding; see RepeatRecord."""
        with self._lock:
            self._write(replace(record, place=encodable_text(record.place)), flush=True)

    def contrast(self, record: ContrastRecord) -> None:
        """Append what tells a failing request from the nearest other one; see ContrastRecord."""
        with self._lock:
            plain = replace(record, place=encodable_text(record.place), sentence=encodable_text(record.sentence))
            self._write(plain, flush=True)

    def status(self, status: str, reason: str, *, requirement: str | None = None, operation: str | None = None) -> None:
        """Append why `requirement` has no exchanges on `operation` (None: on any): see StatusRecord."""
        with self._lock:
            self._write(StatusRecord(status, encodable_text(reason), requirement, operation))

    def error(self, where: str, message: str, *, requirement: str | None = None, operation: str | None = None) -> None:
        """Append an error of the suite itself, never of the endpoint."""
        with self._lock:
            where, message = encodable_text(where), encodable_text(message)
            self._write(StatusRecord("error", message, requirement, operation, where), flush=True)

    def job(self, job: JobRecord) -> None:
        """Append a job that the run leaves behind."""
        with self._lock:
            self._write(job)

    def flush(self) -> None:
        """Hand every line written so far to the operating system, so that the file can be read."""
        with self._lock:
            try:
                self._file.flush()
            except OSError as problem:
                raise self._unwritable(problem) from None

    def close(self, *, ended: str, verdict: str, exit: int, partial: bool = False, because: str | None = None) -> None:
        """Append the closing line and close the file."""
        with self._lock:
            counts = (self.exchanges, self.findings)
            closing = Closing(ended, *counts, verdict, exit, partial, because, self.lost_connections)
            self._write(closing, flush=True)
            self._file.close()

    def _append_findings(self, n: int, findings: Iterable[Finding], related: tuple[int, ...]) -> None:
        for given in findings:
            finding = replace(
                given,
                expected=encodable_text(given.expected),
                seen=encodable_text(given.seen),
                pointer=encodable_text(given.pointer),
            )
            led_by = None
            if finding.departure is None:
                # Advice explains no failure.
                lead = self._leads.setdefault(n, finding.requirement) if finding.fails else self._leads.get(n)
                led_by = None if lead == finding.requirement else lead
            self.findings += 1
            self._write(FindingRecord(n, finding, related, led_by), flush=True)

    def _write(self, record: Record, *, flush: bool = False) -> None:
        line, record = written(record)
        try:
            self._file.write(line)
            if flush:
                self._file.flush()
        except (OSError, ValueError) as problem:
            raise self._unwritable(problem) from None
        if self._observer is not None:
            self._observer(record)

    def _unwritable(self, problem: Exception) -> JournalError:
        reason = (problem.strerror if isinstance(problem, OSError) else None) or str(problem)
        return JournalError(f"The journal {self.path} cannot be written: {reason}.")


class Journal:
    """A journal on disk, read as a stream: memory does not grow with its length.

    `partial` tells, after an iteration that went to the end, why the journal is not a whole run, or is None.
    """

    def __init__(self, path: Path) -> None:
        """Open nothing yet, but read the header; raise JournalError where `path` holds no journal."""
        self.path = path
        self.partial: str | None = None
        first = next(self._records(), None)
        if not isinstance(first, Header):
            raise JournalError(f"{path} is no journal: its first line is no header.")
        self.header: Header = first

    def __iter__(self) -> Iterator[Record]:
        """Yield every record in order; raise JournalError on a line that is invalid or out of order.

        A last line that was cut off is left out and makes the journal partial, as does a missing or a contradictory
        closing line.
        """
        exchanges = findings = 0
        closing: Closing | None = None
        self.partial = None
        for record in self._records():
            if closing is not None:
                raise JournalError(f"{self.path} is no journal: it goes on after its closing line.")
            if isinstance(record, ExchangeRecord):
                exchanges += 1
                if record.n != exchanges:
                    raise JournalError(f"{self.path} is no journal: exchange {exchanges} has the number {record.n}.")
            elif isinstance(record, FindingRecord):
                findings += 1
                if not 1 <= record.n <= exchanges:
                    raise JournalError(f"{self.path} is no journal: a finding on exchange {record.n}, not yet written.")
            elif isinstance(record, RepeatRecord):
                if not (1 <= record.n <= exchanges and (record.again is None or 1 <= record.again <= exchanges)):
                    raise JournalError(f"{self.path} is no journal: an exchange is repeated that is not yet written.")
            elif isinstance(record, ContrastRecord):
                if not (1 <= record.n <= exchanges and 1 <= record.other <= exchanges):
                    raise JournalError(f"{self.path} is no journal: a contrast names an exchange not yet written.")
            elif isinstance(record, Closing):
                closing = record
            yield record
        if closing is None:
            self.partial = self.partial or "the journal ends without its closing line"
        elif (closing.exchanges, closing.findings) != (exchanges, findings):
            self.partial = (
                f"the closing line counts {closing.exchanges} exchanges and {closing.findings} findings, "
                f"the journal holds {exchanges} and {findings}"
            )
        elif closing.partial:
            self.partial = closing.because or CUT_SHORT

    def exchanges(self, numbers: Iterable[int]) -> dict[int, ExchangeRecord]:
        """Return the exchanges of the given numbers, those that the journal holds."""
        wanted = set(numbers)
        found: dict[int, ExchangeRecord] = {}
        if wanted:
            for number, line in self._lines():
                if (n := _written_number(line)) is not None and n not in wanted:
                    continue
                record = self._record(line, number)
                if isinstance(record, ExchangeRecord) and record.n in wanted:
                    found[record.n] = record
                    if len(found) == len(wanted):
                        break
        return found

    def _records(self) -> Iterator[Record]:
        for number, line in self._lines():
            yield self._record(line, number)

    def _lines(self) -> Iterator[tuple[int, bytes]]:
        try:
            with self.path.open("rb", buffering=_BUFFER) as file:
                number = 0
                while line := file.readline(_LINE_LIMIT if number else _HEADER_LIMIT):
                    number += 1
                    if not line.endswith(b"\n") and number > 1:
                        self.partial = "the last line of the journal is cut off"
                        return
                    yield number, line
        except OSError as problem:
            raise JournalError(f"The journal {self.path} cannot be read: {problem.strerror}.") from None

    def _record(self, line: bytes, number: int) -> Record:
        try:
            document = orjson.loads(line)
        except orjson.JSONDecodeError:
            raise JournalError(f"{self.path} is no journal: line {number} is no JSON.") from None
        if number == 1:
            if not isinstance(document, dict) or document.get("kind") != "header":
                raise JournalError(f"{self.path} is no journal: its first line is no header.")
            if document.get("journal") != VERSION:
                raise JournalError(
                    f"{self.path} is a journal of version {document.get('journal')!r}; version {VERSION} is wanted."
                )
        elif isinstance(document, dict) and document.get("kind") == "header":
            raise JournalError(f"{self.path} is no journal: line {number} is a second header.")
        try:
            return record_of_json(document)
        except RecordError as problem:
            raise JournalError(f"{self.path} is no journal: line {number} {problem}.") from None


def records_in(lines: bytes) -> Iterator[Record]:
    """Yield the records of whole lines out of a journal; a last line that was cut off is left out.

    Raises JournalError on an invalid line.
    """
    for line in lines.splitlines(keepends=True):
        if line.endswith(b"\n"):
            try:
                yield record_of_json(orjson.loads(line))
            except (orjson.JSONDecodeError, RecordError) as problem:
                raise JournalError(f"A line of a journal cannot be read: {problem}.") from None
