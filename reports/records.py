"""The lines of a journal as values, and their JSON form.

`journal.schema.json`, beside this module, is the published schema of the JSON form.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import lru_cache
from typing import Any, TypeAlias

import orjson

from atlas_conformance.contracts.exchange import Exchange, Headers, Request, Response
from atlas_conformance.contracts.finding import Finding
from atlas_conformance.reports.record_forms import RecordError, misformed
from atlas_conformance.reports.stored import decoded_body, encodable, encoded_body

VERSION = 1
"""The version of the journal's form; a reader refuses any other."""


@dataclass(frozen=True, slots=True)
class Header:
    """What the run was: the first line of a journal.

    `target` holds `base_url`, `level`, `source` (the target file's path, `reference`, or the base URL itself) and
    whatever else is fit to be published, never a secret. `offered` maps each operation id to True or to the reason why
    it is not offered. `requirements` are the selected ids, or None for all; of the `excluded` ones
    nothing is said; under `strict` advice is failure. `started` is RFC 3339 in UTC. `knowledge` is what was known of
    the endpoint, so that the exchanges can be judged again (`contracts.knowledge_form`).
    `conclusion` says in a few words what was found out about an endpoint of which only the URL was known.
    """

    contract: str
    suite: str
    target: Mapping[str, Any]
    profile: str
    seed: int
    mode: str
    workers: int
    started: str
    requirements: tuple[str, ...] | None = None
    offered: Mapping[str, bool | str] = field(default_factory=dict)
    shard: str | None = None
    versions: Mapping[str, str] = field(default_factory=dict)
    knowledge: Mapping[str, Any] = field(default_factory=dict)
    excluded: tuple[str, ...] = ()
    conclusion: str | None = None
    strict: bool = False

    @classmethod
    def of_json(cls, line: Mapping[str, Any]) -> Header:
        """Return the header that `line` holds."""
        known = {key: line[key] for key in cls.__dataclass_fields__ if key in line}
        if known.get("requirements") is not None:
            known["requirements"] = tuple(known["requirements"])
        known["excluded"] = tuple(known.get("excluded") or ())
        return cls(**known)

    def as_json(self) -> dict[str, Any]:
        """Return the JSON form of the line."""
        members = {key: getattr(self, key) for key in self.__dataclass_fields__}
        plain = {key: dict(value) if isinstance(value, Mapping) else value for key, value in members.items()}
        return {"kind": "header", "journal": VERSION, **plain}


@dataclass(frozen=True, slots=True)
class ExchangeRecord:
    """An exchange, numbered from 1 in the order of the journal, and the (requirement, operation) pairs that held in it.

    `test` names the test that caused it, `operation` is the operation's id or None where the request reaches none.
    `passing` marks one that prepares a test, waits, watches or repeats: it is judged like any other, but how many of
    them there are depends on time and on what ran before, so they are not counted and hold nothing.
    """

    n: int
    test: str
    operation: str | None
    exchange: Exchange
    held: tuple[tuple[str, str], ...] = ()
    passing: bool = False

    @classmethod
    def of_json(cls, line: Mapping[str, Any]) -> ExchangeRecord:
        """Return the record that `line` holds; raise RecordError where a stored body cannot be decoded."""
        sent, got = line["request"], line["response"]
        request = Request(
            method=sent["method"],
            target=sent["target"],
            headers=None if sent["headers"] is None else _headers(sent["headers"]),
            body=decoded_body(sent),
            credential=line["credential"],
            scheme=line["scheme"],
            body_recorded=sent["recorded"],
        )
        response = Response(got["status"], _headers(got["headers"]), decoded_body(got) or b"")
        exchange = Exchange(request, response, line["started"], line["ended"])
        held = tuple((r, o) for r, o in line["held"])
        return cls(line["n"], line["test"], line["operation"], exchange, held, line.get("passing", False))

    def as_json(self) -> dict[str, Any]:
        """Return the JSON form of the line (`held` is an `orjson.Fragment`, encoded once for each distinct set)."""
        request, response = self.exchange.request, self.exchange.response
        return {
            "kind": "exchange",
            "n": self.n,
            "test": self.test,
            "operation": self.operation,
            "credential": request.credential,
            "scheme": request.scheme,
            "started": self.exchange.started,
            "ended": self.exchange.ended,
            "request": {
                "method": request.method,
                "target": request.target,
                "headers": request.headers,
                **encoded_body(request.body),
                "recorded": request.body_recorded,
            },
            "response": {"status": response.status, "headers": response.headers, **encoded_body(response.body)},
            "held": self.held,
            **({"passing": True} if self.passing else {}),
        }


@dataclass(frozen=True, slots=True)
class FindingRecord:
    """A finding on the exchange number `n`.

    `related` are the numbers of other exchanges that the finding rests on; `led_by` is the requirement of the finding
    of the same exchange that explains this one, or None where this one leads.
    """

    n: int
    finding: Finding
    related: tuple[int, ...] = ()
    led_by: str | None = None

    @classmethod
    def of_json(cls, line: Mapping[str, Any]) -> FindingRecord:
        """Return the record that `line` holds."""
        finding = Finding(
            requirement=line["requirement"],
            operation=line["operation"],
            expected=line["expected"],
            seen=line["seen"],
            pointer=line["pointer"],
            departure=line["departure"],
            advice=line.get("advice", False),
        )
        return cls(line["exchange"], finding, tuple(line["related"]), line["led_by"])

    def as_json(self) -> dict[str, Any]:
        """Return the JSON form of the line."""
        found = self.finding
        return {
            "kind": "finding",
            "exchange": self.n,
            "requirement": found.requirement,
            "operation": found.operation,
            "pointer": found.pointer,
            "expected": found.expected,
            "seen": found.seen,
            "departure": found.departure,
            **({"advice": True} if found.advice else {}),
            "related": self.related,
            "led_by": self.led_by,
        }


@dataclass(frozen=True, slots=True)
class RepeatRecord:
    """What came of repeating the request of exchange `n`, as exchange `again`, to see a finding twice.

    `outcome` is `repeated` (the requirement did not hold again), `held` (it was exercised again and held), or
    `untold` (the answer does not tell, or there was none: then `again` may be None).
    """

    n: int
    again: int | None
    requirement: str
    operation: str
    place: str
    outcome: str

    @classmethod
    def of_json(cls, line: Mapping[str, Any]) -> RepeatRecord:
        """Return the record that `line` holds."""
        key = (line["requirement"], line["operation"], line["place"])
        return cls(line["exchange"], line["again"], *key, line["outcome"])

    def as_json(self) -> dict[str, Any]:
        """Return the JSON form of the line."""
        return {
            "kind": "repeat",
            "exchange": self.n,
            "again": self.again,
            "requirement": self.requirement,
            "operation": self.operation,
            "place": self.place,
            "outcome": self.outcome,
        }


@dataclass(frozen=True, slots=True)
class ContrastRecord:
    """The one difference between exchange `n`, which shows a finding, and `other`, the nearest with the other outcome.

    `sentence` says it in plain words.
    """

    n: int
    other: int
    requirement: str
    operation: str
    place: str
    sentence: str

    @property
    def key(self) -> tuple[str, str, str]:
        """The key of the finding: requirement, operation, place."""
        return (self.requirement, self.operation, self.place)

    @classmethod
    def of_json(cls, line: Mapping[str, Any]) -> ContrastRecord:
        """Return the record that `line` holds."""
        key = (line["requirement"], line["operation"], line["place"])
        return cls(line["exchange"], line["other"], *key, line["sentence"])

    def as_json(self) -> dict[str, Any]:
        """Return the JSON form of the line."""
        return {
            "kind": "contrast",
            "exchange": self.n,
            "other": self.other,
            "requirement": self.requirement,
            "operation": self.operation,
            "place": self.place,
            "sentence": self.sentence,
        }


@dataclass(frozen=True, slots=True)
class StatusRecord:
    """Why a requirement has no exchanges on an operation, or an error of the suite itself.

    `status` is `not exercised`, `not offered`, `withheld` or `error`. None for the requirement or the operation means
    all of them; an error's `where` names the test or the part of the suite, or is None.
    """

    status: str
    reason: str
    requirement: str | None = None
    operation: str | None = None
    where: str | None = None

    @classmethod
    def of_json(cls, line: Mapping[str, Any]) -> StatusRecord:
        """Return the record that `line` holds."""
        return cls(line["status"], line["reason"], line["requirement"], line["operation"], line.get("where"))

    def as_json(self) -> dict[str, Any]:
        """Return the JSON form of the line."""
        return {"kind": "status", **asdict(self)}


@dataclass(frozen=True, slots=True)
class JobRecord:
    """A restore job that the run created and left behind, and the state that it was last seen in."""

    id: str
    family: str
    project: str
    cluster: str
    state: str

    @classmethod
    def of_json(cls, line: Mapping[str, Any]) -> JobRecord:
        """Return the record that `line` holds."""
        return cls(line["id"], line["family"], line["project"], line["cluster"], line["state"])

    def as_json(self) -> dict[str, Any]:
        """Return the JSON form of the line."""
        return {"kind": "job", **asdict(self)}


@dataclass(frozen=True, slots=True)
class Closing:
    """The last line of a journal that was finished.

    `ended` is RFC 3339 in UTC; `partial` marks a run cut short, `because` says why where there is more to say.
    `lost_connections` were closed by the endpoint before an answer was complete.
    """

    ended: str
    exchanges: int
    findings: int
    verdict: str
    exit: int
    partial: bool = False
    because: str | None = None
    lost_connections: int = 0

    @classmethod
    def of_json(cls, line: Mapping[str, Any]) -> Closing:
        """Return the record that `line` holds."""
        members = {name: line[name] for name in ("ended", "exchanges", "findings", "verdict", "exit", "partial")}
        return cls(**members, because=line.get("because"), lost_connections=line.get("lost_connections", 0))

    def as_json(self) -> dict[str, Any]:
        """Return the JSON form of the line."""
        return {"kind": "closing", **asdict(self)}


Record: TypeAlias = (
    Header | ExchangeRecord | FindingRecord | RepeatRecord | ContrastRecord | StatusRecord | JobRecord | Closing
)

_KINDS: Mapping[str, Any] = {
    "header": Header,
    "exchange": ExchangeRecord,
    "finding": FindingRecord,
    "repeat": RepeatRecord,
    "contrast": ContrastRecord,
    "status": StatusRecord,
    "job": JobRecord,
    "closing": Closing,
}


def record_of_json(line: Any) -> Record:
    """Return the record that the decoded JSON line holds; raise RecordError where it holds none."""
    kind = line.get("kind") if isinstance(line, dict) else None
    if not isinstance(kind, str) or kind not in _KINDS:
        raise RecordError('is no line of a journal (a JSON object with a known "kind" is wanted)')
    try:
        if (wrong := misformed(kind, line)) is not None:
            raise RecordError(f"is of kind {kind}, and its {wrong!r} is not of the right form")
        record: Record = _KINDS[kind].of_json(line)
    except KeyError as missing:
        raise RecordError(f"is of kind {kind} but lacks {missing.args[0]!r}") from None
    except RecordError:
        raise
    except (TypeError, ValueError, AttributeError) as problem:
        raise RecordError(f"is of kind {kind} but malformed ({problem})") from None
    return record


def written(record: Record) -> tuple[bytes, Record]:
    """Return the journal line of `record`, newline included, and the record as it reads back.

    That is the record itself, but for lone surrogates (which JSON text can spell and UTF-8 cannot): those are stored as
    their escapes.
    """
    document = record.as_json()
    if isinstance(record, ExchangeRecord):
        document["held"] = _held_fragment(record.held)
    try:
        return orjson.dumps(document, option=orjson.OPT_APPEND_NEWLINE), record
    except orjson.JSONEncodeError:
        if isinstance(record, ExchangeRecord):
            document["held"] = [list(pair) for pair in record.held]
        line = orjson.dumps(encodable(document), option=orjson.OPT_APPEND_NEWLINE)
        return line, record_of_json(orjson.loads(line))


def encoded_line(record: Record) -> bytes:
    """Return the journal line of `record`, as `written` does."""
    return written(record)[0]


@lru_cache(maxsize=4096)
def _held_fragment(held: tuple[tuple[str, str], ...]) -> orjson.Fragment:
    return orjson.Fragment(orjson.dumps(held))


def _headers(pairs: Iterable[Sequence[str]]) -> Headers:
    return tuple((name, value) for name, value in pairs)
