"""Our own journals as exchanges to be judged again."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import orjson

from atlas_conformance.contracts.contract import Contract
from atlas_conformance.contracts.finding import Finding
from atlas_conformance.contracts.knowledge import Knowledge
from atlas_conformance.contracts.knowledge_form import knowledge_of_json
from atlas_conformance.recordings.entries import OUTSIDE, Cut, NoRecording, Recorded, Unjudged
from atlas_conformance.recordings.masking import Masking
from atlas_conformance.recordings.spread import LEFT_OUT_BEFORE, is_judged_again, is_left_out, left_out_of
from atlas_conformance.recordings.streaming import LARGEST_VALUE, ByteSource
from atlas_conformance.reports.record_forms import RecordError
from atlas_conformance.reports.records import (
    VERSION,
    Closing,
    ExchangeRecord,
    FindingRecord,
    Header,
    Record,
    record_of_json,
)

_PIECE = 1 << 18


@dataclass
class JournalEntries:
    """The exchanges of a journal, masked by `masking`.

    `knowledge` is what the run that wrote it knew of its endpoint.
    """

    file: ByteSource
    name: str
    masking: Masking = field(default_factory=Masking)
    header: Header = field(init=False)
    knowledge: Knowledge = field(init=False)
    _rest: bytearray = field(default_factory=bytearray, init=False)
    _searched: int = field(default=0, init=False)
    _number: int = field(default=0, init=False)

    def __post_init__(self) -> None:
        """Read the header. Raises NoRecording if this version cannot read the journal."""
        line = self._line()
        try:
            document = orjson.loads(line.removeprefix(b"\xef\xbb\xbf"))
        except orjson.JSONDecodeError:
            document = None
        if not isinstance(document, dict) or document.get("kind") != "header":
            raise NoRecording(f"{self.name} is no journal: its first line is no header")
        if document.get("journal") != VERSION:
            raise NoRecording(f"{self.name} is a journal of another version than {VERSION}")
        try:
            header = record_of_json(document)
            assert isinstance(header, Header)
            self.header = header
            self.knowledge = knowledge_of_json(header.knowledge, _offered(header))
        except RecordError as problem:
            raise self._none(f"line 1 {problem}") from None
        except (AttributeError, KeyError, LookupError, TypeError, ValueError):
            raise self._none("line 1 is a header whose knowledge of the endpoint is malformed") from None

    def __iter__(self) -> Iterator[Recorded | Unjudged | Cut]:
        """Yield each exchange with those of its findings that it does not show by itself; a cut journal ends in a Cut.

        Findings that rest on several exchanges may follow long after the exchange that they concern; they come with the
        latest exchange before them. Raises NoRecording on a line that is invalid or out of place.
        """
        waiting: ExchangeRecord | None = None
        findings: list[Finding] = []
        exchanges = 0
        ended = False
        for record in self._records():
            if isinstance(record, ExchangeRecord):
                if waiting is not None:
                    yield self._entry(waiting, findings)
                waiting, findings = record, []
                exchanges += 1
            elif isinstance(record, FindingRecord):
                alone = waiting is not None and not is_judged_again(waiting.exchange)
                if record.related or alone or (waiting is not None and record.n != waiting.n):
                    findings.append(record.finding)
            elif isinstance(record, Closing):
                ended = True
        if waiting is not None:
            yield self._entry(waiting, findings)
        if not ended:
            yield Cut(f"breaks off after {exchanges:,} {'exchange' if exchanges == 1 else 'exchanges'}")

    def learn(self) -> None:
        """Let `masking` learn the credentials of the whole journal, up to where it breaks off. Raises NoRecording on a
        line that is invalid or out of place.
        """
        for record in self._records():
            if isinstance(record, ExchangeRecord):
                self.masking.learn(record.exchange)

    def _records(self) -> Iterator[Record]:
        """Yield every record after the header, each in its place; the numbers agree, or NoRecording is raised."""
        exchanges = findings = 0
        closing: Closing | None = None
        while line := self._line():
            record = self._record(line)
            where = f"line {self._number}"
            if isinstance(record, Header):
                raise self._none(f"{where} is a second header: give each journal as a file of its own")
            if closing is not None:
                raise self._none(f"{where} comes after its closing line")
            if isinstance(record, ExchangeRecord):
                exchanges += 1
                if record.n != exchanges:
                    raise self._none(f"{where} is exchange {record.n}, and exchange {exchanges} is wanted there")
            elif isinstance(record, FindingRecord):
                findings += 1
                if not 1 <= record.n <= exchanges:
                    raise self._none(f"{where} is a finding on exchange {record.n}, which does not stand before it")
            elif isinstance(record, Closing):
                closing = record
                if (record.exchanges, record.findings) != (exchanges, findings):
                    raise self._none(
                        f"its closing line counts {record.exchanges:,} exchanges and {record.findings:,} findings, and"
                        f" it holds {exchanges:,} and {findings:,}"
                    )
            yield record

    def _line(self) -> bytes:
        """Return the next line; empty at the end, and where the last one is cut off.

        Raises NoRecording where it is too long.
        """
        while (end := self._rest.find(b"\n", self._searched)) < 0:
            self._searched = len(self._rest)
            try:
                data = self.file.read1(_PIECE)
            except EOFError:
                return b""  # a compressed journal that was cut off
            if not data:
                return b""
            self._rest += data
            if len(self._rest) > LARGEST_VALUE:
                raise self._none(f"line {self._number + 1} is longer than {LARGEST_VALUE // 2**20} MB")
        line = bytes(self._rest[: end + 1])
        del self._rest[: end + 1]
        self._searched = 0
        self._number += 1
        return line

    def _record(self, line: bytes) -> Record:
        try:
            return record_of_json(orjson.loads(line))
        except orjson.JSONDecodeError:
            raise self._none(f"line {self._number} is no JSON") from None
        except RecordError as problem:
            raise self._none(f"line {self._number} {problem}") from None

    def _entry(self, record: ExchangeRecord, findings: list[Finding]) -> Recorded | Unjudged:
        exchange = record.exchange
        self.masking.learn(exchange)
        path = exchange.request.path
        if not Contract.load().operations_at(path) or Contract.load().is_outside(exchange.request.method, path):
            return Unjudged(OUTSIDE)
        if is_left_out(exchange.response.body):
            return Recorded(exchange, record.test, tuple(findings), (LEFT_OUT_BEFORE,))
        clean = self.masking.masked(exchange)
        return Recorded(clean, record.test, tuple(findings), left_out_of(exchange, clean))

    def _none(self, reason: str) -> NoRecording:
        return NoRecording(f"{self.name} is no journal: {reason}")


def _offered(header: Header) -> frozenset[str]:
    return frozenset(id for id in Contract.load().operations if header.offered.get(id, True) is True)
