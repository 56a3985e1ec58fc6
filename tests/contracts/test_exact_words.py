"""What an answer is called: by what it is, and only for what is wrong with it."""

from __future__ import annotations

import pytest

from atlas_conformance.contracts.chronicle import Chronicle
from atlas_conformance.contracts.exchange import Exchange, Request, Response
from atlas_conformance.contracts.finding import Finding
from atlas_conformance.contracts.knowledge import Knowledge

GROUP, JOB = "32b6e34b3d91647abb20e7b8", "63f8a1c2d4e5f60718293a4b"
MEDIA = "application/vnd.atlas.2024-11-13+json"
PLACE = f"/api/atlas/v2/groups/{GROUP}/flexClusters/Cluster0/backup/restoreJobs"
BODY = b'{"snapshotId":"5e0b4ac4d1f3a8b29c7d6e01","targetDeploymentItemName":"Target0"}'
MADE = (
    b'{"id":"63f8a1c2d4e5f60718293a4b","projectId":"32b6e34b3d91647abb20e7b8","instanceName":"Cluster0",'
    b'"deliveryType":"RESTORE","status":"PENDING","snapshotId":"5e0b4ac4d1f3a8b29c7d6e01",'
    b'"targetDeploymentItemName":"Target0","targetProjectId":"32b6e34b3d91647abb20e7b8",'
    b'"snapshotFinishedDate":"2026-01-04T10:00:00Z","restoreScheduledDate":"2026-01-05T10:00:00Z",'
    b'"expirationDate":"2026-01-06T10:00:00Z"}'
)


def had(method: str, target: str, status: int, body: bytes, at: float = 0.0) -> Exchange:
    sent = BODY if method == "POST" else None
    request = Request(method, target, (("Accept", MEDIA), ("Content-Type", "application/json")), sent)
    media = MEDIA if status == 200 else "application/json"
    return Exchange(request, Response(status, (("Content-Type", media),), body), at, at + 0.5)


def found(*exchanges: Exchange) -> tuple[Finding, ...]:
    chronicle = Chronicle(Knowledge())
    return [chronicle.feed(exchange) for exchange in exchanges][-1].findings


@pytest.mark.parametrize(
    ("status", "body", "seen"),
    [
        (404, b"null", "null, not an object"),
        (404, b'""', "an empty string, not an object"),
        (404, b"[1]", "[1], not an object"),
        (404, b"", "an empty body"),
        (404, b" \n", "an empty body"),
        (404, b"Not Found", "no JSON: 'Not Found'"),
        (200, b"null", "null"),
        (200, b'""', "an empty string"),
        (200, b"", "an empty body"),
        (200, b"<html>", "no JSON: '<html>'"),
    ],
)
def test_an_answer_is_called_what_it_is(status: int, body: bytes, seen: str) -> None:
    (finding,) = found(had("GET", f"{PLACE}/{JOB}", status, body))
    assert finding.requirement == ("C-SCHEMA" if status == 200 else "E-SCHEMA")
    assert finding.seen == seen


def test_a_status_that_nobody_documents_comes_first() -> None:
    findings = found(had("POST", PLACE, 422, b'{"detail":[{"loc":["body"]}]}'))
    assert (findings[0].requirement, findings[0].seen) == ("C-STATUS", "422")
    assert {finding.requirement for finding in findings} == {"C-STATUS", "E-SCHEMA"}
    assert any(finding.seen == '{"detail": [{"loc": ["body"]}]}' for finding in findings)


@pytest.mark.parametrize(
    ("place", "status", "expected"),
    [
        (PLACE.replace(GROUP, GROUP.upper()), 422, {"C-STATUS"}),
        (PLACE.replace(GROUP, "x"), 422, {"C-STATUS"}),
        (PLACE.replace(GROUP, "x"), 409, {"P-GROUP", "C-STATUS"}),
        (PLACE.replace(GROUP, "x"), 200, {"P-GROUP"}),
        (PLACE.replace("Cluster0", "Cluster1"), 422, {"C-STATUS"}),
        (PLACE.replace("Cluster0", "Cluster1"), 404, set()),
        (PLACE.replace("Cluster0", "Cluster1"), 200, {"L-SCOPE", "S-ECHO"}),
    ],
)
def test_a_job_through_another_place_is_compared_with_what_is_wrong(
    place: str, status: int, expected: set[str]
) -> None:
    error = b'{"error":%d,"errorCode":"NO","reason":null}' % status
    findings = found(
        had("POST", PLACE, 200, MADE), had("GET", f"{place}/{JOB}", status, MADE if status == 200 else error, 1.0)
    )
    assert {finding.requirement for finding in findings} - {"E-REASON"} <= expected
    assert bool(findings) == bool(expected)
    assert "L-SCOPE" not in {finding.requirement for finding in findings} or "L-SCOPE" in expected
