"""What passes through the endpoint's pipeline: a call as it was received, and the answer or the refusal it earns."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qsl

from atlas_conformance.contracts.inventory import Cluster
from atlas_conformance.contracts.operation import Operation
from atlas_conformance.reference.credentials import Role
from atlas_conformance.reference.fixtures import Snapshot
from atlas_conformance.reference.jobs import Job


@dataclass(slots=True)
class Call:
    """One request on its way through the pipeline; each step reads what it needs and adds what it finds out.

    `target` is the request target as received; `headers` hold the last value of each lower-case name, `accept` all
    values of that header joined. `body` is None where it was larger than the endpoint takes. `project`, `cluster_name`
    and `job_id` (the id of a job or a snapshot) are the decoded path parameters, `document` is the body as parsed and
    `fields` what is left of it for use. `now` is epoch seconds, `ahead` by how many of them the endpoint's clock is
    ahead of the wall clock. `beside` are the calls that were open at the same time, where calls are held open.
    """

    method: str
    target: str
    path: str
    query_string: str
    headers: Mapping[bytes, bytes]
    accept: str
    body: bytes | None
    now: float
    operation: Operation | None = None
    project: str = ""
    cluster_name: str = ""
    job_id: str = ""
    envelope: bool = False
    pretty: bool = False
    role: Role | None = None
    cluster: Cluster | None = None
    job: Job | None = None
    snapshot: Snapshot | None = None
    document: Any = None
    fields: dict[str, Any] = field(default_factory=dict)
    media_type: str = "application/json"
    beside: list[Call] = field(default_factory=list)
    ahead: float = 0.0
    _query: list[tuple[str, str]] | None = None

    @property
    def wall(self) -> float:
        """The time of the wall clock, which credentials and rates go by: a client knows no other."""
        return self.now - self.ahead

    @property
    def query(self) -> list[tuple[str, str]]:
        """The decoded query parameters in order, blank values kept."""
        if self._query is None:
            self._query = parse_qsl(self.query_string, keep_blank_values=True) if self.query_string else []
        return self._query

    def parameter(self, name: str) -> str | None:
        """Return the last value of a query parameter, or None."""
        for key, value in reversed(self.query):
            if key == name:
                return value
        return None

    def header(self, name: bytes) -> str | None:
        """Return the value of a header (lower-case name) as text, or None."""
        value = self.headers.get(name)
        return None if value is None else value.decode("latin-1")


@dataclass(slots=True)
class Answer:
    """What is sent back: `document` is None where there is no body; `error` marks an error body (`E-*`), `listed` one
    page of a list.
    """

    status: int
    document: Any
    media_type: str = "application/json"
    headers: list[tuple[str, str]] = field(default_factory=list)
    error: bool = False
    listed: bool = False


class Refusal(Exception):
    """A request that is refused: a documented status, an error code, a sentence, and what it is about.

    `fields` are pairs of a field of the body and what is wrong with it.
    """

    def __init__(
        self,
        status: int,
        code: str,
        detail: str,
        *,
        parameters: tuple[str, ...] = (),
        fields: tuple[tuple[str, str], ...] = (),
        headers: tuple[tuple[str, str], ...] = (),
    ) -> None:
        super().__init__(code)
        self.status = status
        self.code = code
        self.detail = detail
        self.parameters = parameters
        self.fields = fields
        self.headers = headers

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.status, self.code, self.detail), vars(self)


def _parameters(refusal: Refusal, choice: str) -> list[Any]:
    match choice:
        case "objects":
            return [{"value": value} for value in refusal.parameters]
        case "strings":
            return list(refusal.parameters)
        case "numbers":
            return [len(value) for value in refusal.parameters] + [True]
    return []


def error_document(refusal: Refusal, free: Mapping[str, str], imitate: frozenset[str]) -> dict[str, Any]:
    """Return the error body of a refusal (`E-SCHEMA`, `E-STATUS`, `E-REASON`, `E-CODE`, `E-FIELDS`)."""
    document: dict[str, Any] = {"error": refusal.status, "errorCode": refusal.code}
    body = free["error-body"]
    if body == "nulls":
        document |= {"detail": None, "reason": None, "badRequestDetail": None}
    elif body == "full":
        document["detail"] = refusal.detail
        if refusal.fields:
            document["badRequestDetail"] = {
                "fields": [{"field": name, "description": wrong} for name, wrong in refusal.fields]
            }
        if free["error-reason"] == "shown":
            document["reason"] = HTTPStatus(refusal.status).phrase
    if "K-PARAMETERS" in imitate:
        document["parameters"] = None
    elif body == "full" and free["error-parameters"] != "absent":
        document["parameters"] = _parameters(refusal, free["error-parameters"])
    return document
