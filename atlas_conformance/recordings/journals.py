"""Our own journals as exchanges to be judged again."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from io import BufferedIOBase

import orjson

from atlas_conformance.contracts.finding import Finding
from atlas_conformance.contracts.knowledge import EVERY, Knowledge
from atlas_conformance.contracts.knowledge_form import knowledge_of_json
from atlas_conformance.contracts.operations import operations_at
from atlas_conformance.recordings.entries import Cut, NoRecording, Recorded, Unjudged
from atlas_conformance.recordings.masking import Masking
from atlas_conformance.reports.records import (
    VERSION,
    Closing,
    ExchangeRecord,
    FindingRecord,
    Header,
    Record,
    RecordError,
    record_of_json,
)

_PIECE = 1 << 18
_LINE_LIMIT = 256 * 1024 * 1024
_FOREIGN = "belong to no operation of the contract"


@dataclass
class JournalEntries:
    """The exchanges of a journal, masked by `masking`.

    `knowledge` is what the run that wrote it knew of its endpoint.
    """

    file: BufferedIOBase
    name: str
    masking: Masking = field(default_factory=Masking)
    header: Header = field(init=False)
    knowledge: Knowledge = field(init=False)
    _rest: bytearray = field(default_factory=bytearray, init=False)

    def __post_init__(self) -> None:
        """Read the header. Raises NoRecording where it is none of a journal that this version reads."""
        line = self._line()
        try:
            document = orjson.loads(line or b"")
            header = record_of_json(document)
        except (orjson.JSONDecodeError, RecordError):
            header = None
        if not isinstance(header, Header):
            raise NoRecording(f"{self.name} is no journal: its first line is no header")
        if document.get("journal") != VERSION:
            raise NoRecording(f"{self.name} is a journal of another version than {VERSION}")
        self.header = header
        self.knowledge = knowledge_of_json(header.knowledge, _offered(header))

    def __iter__(self) -> Iterator[Recorded | Unjudged | Cut]:
        """Yield each exchange with those of its findings that it does not show by itself; a cut journal ends in a Cut.

        Findings that rest on several exchanges may stand far behind the exchange they are told of; they come with the
        latest exchange before them.
        """
        waiting: ExchangeRecord | None = None
        findings: list[Finding] = []
        exchanges = 0
        ended = False
        while line := self._line():
            record = self._record(line)
            if record is None:
                break
            if isinstance(record, ExchangeRecord):
                if waiting is not None:
                    yield self._entry(waiting, findings)
                waiting, findings = record, []
                exchanges += 1
            elif isinstance(record, FindingRecord):
                unanswered = waiting is not None and waiting.exchange.response.status == 0
                if record.related or unanswered or (waiting is not None and record.n != waiting.n):
                    findings.append(record.finding)
            elif isinstance(record, Closing):
                ended = True
                break
        if waiting is not None:
            yield self._entry(waiting, findings)
        if not ended:
            yield Cut(f"breaks off after {exchanges:,} exchanges")

    def learn(self) -> None:
        """Let `masking` learn the credentials of the whole journal, up to where it breaks off."""
        while line := self._line():
            record = self._record(line)
            if isinstance(record, ExchangeRecord):
                self.masking.learn(record.exchange)

    def _line(self) -> bytes:
        """Return the next line; empty at the end, and where the last line is cut off."""
        while (end := self._rest.find(b"\n")) < 0:
            try:
                data = self.file.read1(_PIECE)
            except EOFError:
                return b""  # a compressed journal that was cut off
            if not data or len(self._rest) > _LINE_LIMIT:
                return b""
            self._rest += data
        line = bytes(self._rest[: end + 1])
        del self._rest[: end + 1]
        return line

    def _record(self, line: bytes) -> Record | None:
        try:
            return record_of_json(orjson.loads(line))
        except (orjson.JSONDecodeError, RecordError):
            return None

    def _entry(self, record: ExchangeRecord, findings: list[Finding]) -> Recorded | Unjudged:
        exchange = record.exchange
        self.masking.learn(exchange)
        if not operations_at(exchange.request.path):
            return Unjudged(_FOREIGN)
        return Recorded(self.masking.masked(exchange), record.test, tuple(findings))


def _offered(header: Header) -> frozenset[str]:
    return frozenset(id for id in EVERY if header.offered.get(id, True) is True)
