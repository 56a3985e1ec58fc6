"""Builds small journals for the tests of reports: passing, failing, hostile and huge ones."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

from atlas_conformance.contracts.contract import Contract
from atlas_conformance.contracts.exchange import Exchange, Headers, Request, Response
from atlas_conformance.contracts.finding import Finding, Judgement
from atlas_conformance.reports.journal import JournalWriter
from atlas_conformance.reports.matrix import Tally
from atlas_conformance.reports.model import Report
from atlas_conformance.reports.records import Header, JobRecord, RepeatRecord
from atlas_conformance.reports.writing import end_journal

REQUIREMENTS = Contract.load().requirements
OPERATIONS = Contract.load().operations

COUNT = len(REQUIREMENTS)
"""How many requirements there are."""

GROUP = "32b6e34b3d91647abb20e7b8"
SNAPSHOT = "5e0b4ac4d1f3a8b29c7d6e01"
Builder: TypeAlias = Callable[[Path], Report]
STARTED = "2026-01-05T10:00:00Z"
ENDED = "2026-01-05T10:00:12.500Z"
JSON: Headers = (("Content-Type", "application/json"),)
HOSTILE = "<script>alert(1)</script>\x1b[31mred\x1b]0;title\x07\x00]]>&\u202eevil\ud800"


def header(**changes: object) -> Header:
    """Return the header of a quick run against the reference endpoint, with the given members changed."""
    members: dict[str, object] = {
        "contract": "1",
        "suite": "0.1.0",
        "target": {"base_url": "http://127.0.0.1:41873", "level": "extended", "source": "reference"},
        "profile": "quick",
        "seed": 7,
        "mode": "restore",
        "workers": 1,
        "started": STARTED,
        "offered": dict.fromkeys(OPERATIONS, True),
        "versions": {"hypothesis": "6.1", "python": "3.11"},
    }
    return Header(**{**members, **changes})  # type: ignore[arg-type]


def exchange(
    operation: str = "flex-create",
    *,
    n: int = 0,
    body: bytes | None = None,
    status: int = 200,
    answer: bytes = b'{"id":"63f8a1c2","status":"PENDING"}',
    headers: Headers = JSON,
) -> Exchange:
    """Return an exchange of an operation; `n` gives the moment at which it started."""
    known = OPERATIONS[operation]
    target = known.template
    for name in known.path_parameters:
        value = GROUP if name == "groupId" else "Cluster0" if name.lower().endswith("name") else SNAPSHOT
        target = target.replace("{" + name + "}", value)
    if body is None and known.method == "POST":
        body = json.dumps({"snapshotId": SNAPSHOT, "targetDeploymentItemName": "Cluster1"}).encode()
    request = Request(known.method, target, JSON, body)
    return Exchange(request, Response(status, headers, answer), 1_767_607_200 + n * 0.01, 1_767_607_200.004 + n * 0.01)


def finding(requirement: str = "S-ECHO", operation: str = "flex-create", **changes: str | None) -> Finding:
    """Return a finding with the given members changed."""
    members: dict[str, str | None] = {
        "expected": f"projectId equal to {GROUP}",
        "seen": "another project's id",
        "pointer": "/response/body/projectId",
        **changes,
    }
    return Finding(requirement, operation, **members)  # type: ignore[arg-type]


class Sample:
    """A journal under construction with the tally that watches it."""

    def __init__(self, path: Path, **changes: object) -> None:
        self.path = path
        self.tally = Tally(header(**changes))
        self.writer = JournalWriter(path, self.tally.header, self.tally.add)

    def add(
        self,
        *findings: Finding,
        held: tuple[tuple[str, str], ...] = (),
        operation: str = "flex-create",
        test: str = "suites/test_shapes.py::test_success[flex-create]",
        sent: Exchange | None = None,
    ) -> int:
        """Append an exchange with its judgement."""
        made = sent or exchange(operation, n=self.writer.exchanges)
        judgement = Judgement(frozenset(held), findings)
        return self.writer.exchange(made, operation=operation, test=test, judgement=judgement)

    def hold_everything(self, times: int = 3, *, but: frozenset[tuple[str, str]] = frozenset()) -> None:
        """Append exchanges that exercise every cell of the catalogue `times` times, but those named."""
        for operation in OPERATIONS:
            held = tuple(
                (id, operation)
                for id, known in REQUIREMENTS.items()
                if operation in known.operations and (id, operation) not in but
            )
            for _ in range(times):
                self.add(held=held, operation=operation)

    def end(self, *, partial: bool = False) -> Report:
        """Close the journal and return its report."""
        return end_journal(self.writer, self.tally, ended=ENDED, partial=partial)


def passing(path: Path) -> Report:
    """Write a journal in which every cell holds, one with a known departure."""
    sample = Sample(path)
    sample.hold_everything(40)
    departed = finding("C-SCHEMA", "cluster-create", pointer="/response/body/desiredTimestamp", departure="K-TIMESTAMP")
    sample.add(departed, operation="cluster-create", sent=exchange("cluster-create", n=500))
    return sample.end()


def failing(path: Path) -> Report:
    """Write a journal with several failures, departures, cells without exchanges and jobs left behind."""
    offered = {id: True if known.level == "core" else "it answered 404 to a GET" for id, known in OPERATIONS.items()}
    offered["cluster-get"] = True
    sample = Sample(
        path,
        offered=offered,
        target={
            "base_url": "https://atlas.example.net",
            "level": None,
            "source": "targets/staging.toml",
        },
    )
    lost = frozenset({("A-LIST", id) for id in OPERATIONS} | {("T-TARGET", "cluster-create")})
    sample.hold_everything(12, but=lost)
    refused = b'{"error":400,"errorCode":"RESOURCE_NOT_FOUND","detail":"No such job.","reason":"Bad Request"}'
    job = (
        b'{"id":"63f8a1c2d4e5f60718293a4b","deliveryType":"automated","snapshotId":"5e0b4ac4d1f3a8b29c7d6e01",'
        b'"cancelled":false,"failed":false,"expired":false,"timestamp":"2026-01-05T09:59:58Z","deliveryUrl":[],'
        b'"links":[{"rel":"self","href":"https://atlas.example.net/api/atlas/v2/groups/32b6e34b3d91647abb20e7b8"}]}'
    )
    for n, body in enumerate(
        (
            b'{"deliveryType":"automated","snapshotId":"5e0b4ac4d1f3a8b29c7d6e01","targetGroupId":"32b6e34b3d91647abb20e7b8"}',
            b'{"deliveryType":"automated","snapshotId":"5e0b4ac4d1f3a8b29c7d6e01"}',
        )
    ):
        taken = exchange("cluster-create", n=600 + n, body=body, answer=job)
        sample.add(
            finding(
                "T-TARGET",
                "cluster-create",
                expected="a documented 4xx, since automated needs targetClusterName",
                seen="200 and a new job",
                pointer="/request/body/targetClusterName",
            ),
            finding(
                "C-SCHEMA",
                "cluster-create",
                expected="targetClusterName, a string",
                seen="no such property",
                pointer="/response/body/targetClusterName",
            ),
            operation="cluster-create",
            test="suites/test_delivery.py::test_missing_field[automated]",
            sent=taken,
        )
    wrong = exchange("flex-get", n=700, status=404, answer=refused)
    sample.add(
        finding("E-STATUS", "flex-get", expected="404, the HTTP status", seen="400", pointer="/response/body/error"),
        operation="flex-get",
        test="suites/test_errors.py::test_unknown_job[flex-get]",
        sent=wrong,
    )
    html = exchange(
        "tenant-create",
        n=710,
        status=502,
        answer=b"<html><body><h1>Bad Gateway</h1></body></html>",
        headers=(("Content-Type", "text/html"), ("Server", "nginx"), ("X-Request-Id", "a81f")),
    )
    sample.add(
        finding("C-5XX", "tenant-create", expected="no 5xx", seen="502", pointer="/response/status"),
        finding(
            "C-MEDIA",
            "tenant-create",
            expected="application/json",
            seen="text/html",
            pointer="/response/headers/content-type",
        ),
        operation="tenant-create",
        test="suites/test_robustness.py::test_deep_nesting[tenant-create]",
        sent=html,
    )
    sample.add(
        finding(
            "C-SCHEMA",
            "cluster-create",
            pointer="/response/body/desiredTimestamp",
            departure="K-TIMESTAMP",
            expected="an integer of at least 1199145600",
            seen="null",
        ),
        operation="cluster-create",
    )
    sample.writer.status(
        "not exercised", "the target file names no credential from outside the access list", requirement="A-LIST"
    )
    sample.writer.job(JobRecord("63f8a1c2d4e5f60718293a4b", "cluster", GROUP, "Cluster0", "in progress"))
    return sample.end()


def hostile(path: Path) -> Report:
    """Write a journal whose endpoint answers with everything that could break a report."""
    sample = Sample(path)
    answer = HOSTILE.encode("utf-8", "surrogatepass") + b"\xff\xfe"
    sent = exchange("flex-create", body=b"\x00\xff\x1b[2J", answer=answer, headers=(("X-\x1b[1m", HOSTILE[:-1]), *JSON))
    sample.add(
        finding("C-MEDIA", seen=HOSTILE, expected="{{ 7 * 7 }} [bold]json[/bold]", pointer="/response/" + HOSTILE),
        sent=sent,
        test="suites/<b>test</b>.py",
    )
    again = sample.add(sent=exchange("flex-create", answer=b"<script>alert(2)</script>", headers=JSON))
    place = finding(pointer="/response/" + HOSTILE).place
    sample.writer.repeat(RepeatRecord(1, again, "C-MEDIA", "flex-create", place, "held"))
    for n, status in enumerate(("<script>alert(3)</script>", "PENDING", HOSTILE[:20])):
        answer = json.dumps({"id": "<img src=x>", "status": status, "<b>": HOSTILE[:20]}).encode()
        operation = "flex-get" if n else "flex-create"
        sample.add(operation=operation, sent=exchange(operation, n=n + 5, answer=answer))
    sample.writer.error("suites/" + HOSTILE, "a crash: " + HOSTILE)
    sample.writer.status("withheld", HOSTILE, requirement="B-ACCEPT")
    sample.writer.job(JobRecord("<img src=x onerror=alert(1)>", "flex", GROUP, "\x1b[5m", "RUNNING"))
    return sample.end()


def unstable(path: Path) -> Report:
    """Write a journal with one failure that repeats, one that does not, and one that was not tried again."""
    sample = Sample(path)
    sample.hold_everything(2)
    steady = sample.add(finding("S-ECHO"))
    sample.writer.repeat(RepeatRecord(steady, sample.add(finding("S-ECHO")), *finding("S-ECHO").key, "repeated"))
    flaky = finding("C-5XX", "flex-get", expected="no 5xx", seen="503", pointer="/response/status")
    broken = exchange("flex-get", n=600, status=503, answer=b'{"error":503}')
    seen = sample.add(flaky, operation="flex-get", sent=broken)
    good = exchange("flex-get", n=601, answer=b'{"id":"63f8a1c2","status":"RUNNING"}')
    again = sample.add(held=(("C-5XX", "flex-get"),), operation="flex-get", sent=good)
    sample.writer.repeat(RepeatRecord(seen, again, *flaky.key, "held"))
    # A smaller request that fails the same way is not the one that was sent again.
    smaller = Request("GET", broken.request.target[:40])
    sample.add(flaky, operation="flex-get", sent=Exchange(smaller, broken.response, broken.started, broken.ended))
    sample.add(finding("S-FLOW", "flex-get", pointer="/response/body/status"), operation="flex-get")
    return sample.end()


def followed(path: Path) -> Report:
    """Write a journal of two jobs that are created and read until they end, one of which fails."""
    sample = Sample(path)
    followed = {"a1": ("PENDING", "RUNNING", "RUNNING", "COMPLETED"), "b2": ("PENDING", "FAILED", "FAILED")}
    for job, states in followed.items():
        for n, status in enumerate(states):
            operation = "flex-get" if n else "flex-create"
            document = {"id": job, "status": status, "links": [n]}
            if status in ("COMPLETED", "FAILED"):
                document["restoreFinishedDate"] = "2026-01-05T10:00:05Z"
            sent = exchange(operation, n=n * 100, answer=json.dumps(document).encode())
            sample.add(held=(("S-FLOW", operation),), operation=operation, sent=sent)
    return sample.end()


def huge(path: Path, findings: int = 10_000) -> Report:
    """Write a journal with that many findings, each at a place of its own."""
    sample = Sample(path)
    for n in range(findings):
        sent = exchange("flex-create", n=n, answer=json.dumps({"id": f"{n:024x}", "extra": "x" * 200}).encode())
        sample.add(finding("C-SCHEMA", pointer=f"/response/body/member{n}", seen=f"value {n}"), sent=sent)
    return sample.end()
