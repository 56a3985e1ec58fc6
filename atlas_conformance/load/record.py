"""The load record: one short line for every request of a run, written before the next one is judged.

`load.jsonl` stands beside the journal. The journal holds whole exchanges, of a run under load a sample and all that
findings rest on; the load record holds when each request was meant to be sent, was sent and was answered, by what
status, what held and what was found. Lines are handed to the operating system at once, so a process that is killed
loses none.

- first line: `{"load": 1, "epoch": ..., "name": ...}`; all times in other lines are seconds since `epoch`;
- `{"held": id, "pairs": [[requirement, operation], ...]}` and `{"found": id, "key": [...], "departure": ...}` give
  numbers to what later lines name;
- `[intended, started, ended, operation, status, held, [found, ...], cause]`: one request; status 0 had no answer, and
  `cause` (left out else) says why;
- `{"job": {...}}`: the summary of a job that was closed;
- last line: `{"closing": requests, "partial": reason or null}`; a record without it was cut off.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, BinaryIO, TypeAlias

import orjson

from atlas_conformance.contracts.finding import Finding, Judgement
from atlas_conformance.load.summary import Summary
from atlas_conformance.reports.journal import JournalError
from atlas_conformance.reports.stored import encodable

VERSION = 1
ADVICE = "advice"
"""Replaces a known departure if a finding is advice."""

FILE = "load.jsonl"
"""The name of a load record in a folder of reports."""

Pair: TypeAlias = tuple[str, str]
Key: TypeAlias = tuple[str, str, str]


@dataclass(frozen=True, slots=True)
class Start:
    """The first line: the epoch seconds that all times count from, and the name of the process that wrote it."""

    epoch: float
    name: str


@dataclass(frozen=True, slots=True)
class Sent:
    """One request. Times are epoch seconds; `status` 0 and a `cause` where no answer came."""

    intended: float
    started: float
    ended: float
    operation: str | None
    status: int
    held: tuple[Pair, ...]
    found: tuple[tuple[Key, str | None], ...]
    cause: str | None = None

    @property
    def latency(self) -> float:
        """Seconds from when the request was meant to be sent until its answer was there."""
        return max(0.0, self.ended - self.intended)


@dataclass(frozen=True, slots=True)
class End:
    """The last line: how many requests the record holds, and why the run was cut short, or None."""

    requests: int
    partial: str | None


Line: TypeAlias = Start | Sent | Summary | End


class RecordWriter:
    """Appends lines to a load record; nothing is kept back. Every method raises JournalError where that fails."""

    def __init__(self, path: Path, start: Start) -> None:
        """Create the file, replacing one that is there."""
        self.path = path
        self.requests = 0
        self._epoch = start.epoch
        self._held: dict[frozenset[Pair], int] = {}
        self._found: dict[tuple[Key, str | None], int] = {}
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file: BinaryIO = path.open("wb", buffering=0)
        except OSError as problem:
            raise self._unwritable(problem) from None
        self._write({"load": VERSION, "epoch": start.epoch, "name": start.name})

    def sent(
        self,
        intended: float,
        started: float,
        ended: float,
        operation: str | None,
        status: int,
        judgement: Judgement,
        cause: str | None = None,
    ) -> int:
        """Append one request, times in epoch seconds, and return the number of the set of pairs that held."""
        held = self._held_number(judgement.held)
        found = list(dict.fromkeys(self._found_number(finding) for finding in judgement.findings))
        epoch = self._epoch
        times = [round(moment - epoch, 5) for moment in (intended, started, ended)]
        line = [*times, operation, status, held, found]
        if cause is not None:
            line.append(cause)
        self.requests += 1
        self._write(line)
        return held

    def job(self, summary: Summary) -> None:
        """Append the summary of a closed job."""
        document = asdict(summary)
        for name in ("first_ended", "finished_ended"):
            value = document[name]
            document[name] = None if value == float("inf") else round(value - self._epoch, 5)
        self._write({"job": document})

    def close(self, partial: str | None = None) -> None:
        """Append the closing line and close the file; harmless when called again."""
        if not self._file.closed:
            self._write({"closing": self.requests, "partial": partial})
            self._file.close()

    def _held_number(self, pairs: frozenset[Pair]) -> int:
        number = self._held.get(pairs)
        if number is None:
            number = self._held[pairs] = len(self._held)
            self._write({"held": number, "pairs": sorted(pairs)})
        return number

    def _found_number(self, finding: Finding) -> int:
        name = (finding.key, finding.departure or (ADVICE if finding.advice else None))
        number = self._found.get(name)
        if number is None:
            number = self._found[name] = len(self._found)
            self._write({"found": number, "key": name[0], "departure": name[1]})
        return number

    def _write(self, document: Any) -> None:
        try:
            line = orjson.dumps(document, option=orjson.OPT_APPEND_NEWLINE)
        except orjson.JSONEncodeError:  # what an endpoint said may hold a lone surrogate, which UTF-8 cannot
            line = orjson.dumps(encodable(document), option=orjson.OPT_APPEND_NEWLINE)
        try:
            self._file.write(line)
        except (OSError, ValueError) as problem:
            raise self._unwritable(problem) from None

    def _unwritable(self, problem: Exception) -> JournalError:
        reason = (problem.strerror if isinstance(problem, OSError) else None) or str(problem)
        return JournalError(f"The load record {self.path} cannot be written: {reason}.")


def read_record(path: Path) -> Iterator[Line]:
    """Yield the lines of a load record as values, in order; memory does not grow with its length.

    A last line that was cut off is left out. Raises JournalError where `path` holds no load record.
    """
    epoch = 0.0
    held: dict[int, tuple[Pair, ...]] = {}
    found: dict[int, tuple[Key, str | None]] = {}
    try:
        with path.open("rb") as file:
            for number, line in enumerate(file, 1):
                if not line.endswith(b"\n"):
                    return
                document = orjson.loads(line)
                if number == 1:
                    if not isinstance(document, dict) or document.get("load") != VERSION:
                        raise JournalError(f"{path} is no load record of version {VERSION}.")
                    epoch = document["epoch"]
                    yield Start(epoch, document["name"])
                elif isinstance(document, list):
                    intended, started, ended, operation, status, pairs, findings, *cause = document
                    yield Sent(
                        epoch + intended, epoch + started, epoch + ended, operation, status, held[pairs],
                        tuple(found[one] for one in findings), cause[0] if cause else None,
                    )  # fmt: skip
                elif "held" in document:
                    held[document["held"]] = tuple((pair[0], pair[1]) for pair in document["pairs"])
                elif "found" in document:
                    first, second, third = document["key"]
                    found[document["found"]] = ((first, second, third), document["departure"])
                elif "job" in document:
                    yield _summary(document["job"], epoch)
                elif "closing" in document:
                    yield End(document["closing"], document["partial"])
    except OSError as problem:
        raise JournalError(f"The load record {path} cannot be read: {problem.strerror}.") from None
    except (orjson.JSONDecodeError, KeyError, ValueError, TypeError) as problem:
        raise JournalError(f"{path} is no load record: {type(problem).__name__}.") from None


def _summary(document: dict[str, Any], epoch: float) -> Summary:
    times = {
        name: float("inf") if document[name] is None else epoch + document[name]
        for name in ("first_ended", "finished_ended")
    }
    return Summary(**{**document, **times})
