"""The contract page as a table: single exchanges, and the verdict that the page has on each.

Every row is judged as recorded traffic is, with nothing known of the endpoint or of who asked; rows marked `known` are
judged in the light of an inventory, by the owner, too.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

import pytest

from atlas_conformance.contracts.contract import Contract
from atlas_conformance.contracts.exchange import Exchange, Request
from atlas_conformance.contracts.judge import Judge
from atlas_conformance.contracts.knowledge import Knowledge
from atlas_conformance.strategies.requests import with_header
from tests.strategies.scenery import (
    AUTOMATED,
    DOWNLOAD,
    FLEX,
    KNOWN,
    MOMENT,
    OPLOG,
    POINT,
    SNAPSHOT,
    answer,
    dedicated_job,
    departures,
    failed,
    failure,
    flex_job,
    page,
    request,
    tenant_job,
)

REQUIREMENTS = Contract.load().requirements

URL = "https://download.example/a.tgz"
END = "2026-02-23T03:22:08Z"
LATER = "2026-02-24T03:22:08Z"
PHRASES = {405: "Method Not Allowed", 406: "Not Acceptable", 410: "Gone", 415: "Unsupported Media Type"}
_V2 = "application/vnd.atlas.{}+json"


@dataclass(frozen=True)
class Row:
    """An exchange, what fails by the page, what is advice by it, and which known departure shows."""

    what: str
    exchange: Exchange
    fails: frozenset[str] = frozenset()
    advice: frozenset[str] = frozenset()
    departs: frozenset[str] = frozenset()
    known: bool = False


def row(what: str, exchange: Exchange, *fails: str, advice: str = "", departs: str = "", known: bool = False) -> Row:
    return Row(what, exchange, frozenset(fails), frozenset(advice.split()), frozenset(departs.split()), known)


def error(sent: Request, status: int, code: str = "VALIDATION_ERROR", **changes: Any) -> Exchange:
    headers = [("WWW-Authenticate", 'Digest realm="x", nonce="y"')] if status == 401 else []
    headers += changes.pop("headers", [])
    document = failure(status, code) | changes
    document["reason"] = changes.get("reason", PHRASES.get(status, document["reason"]))
    return answer(sent, {k: v for k, v in document.items() if v is not ...}, status=status, headers=headers)


def flex(**changes: Any) -> Exchange:
    return answer(request("flex-get"), flex_job(**changes))


def dedicated(delivery: str = "automated", **changes: Any) -> Exchange:
    return answer(request("cluster-get"), dedicated_job(delivery, **changes))


def created(body: dict[str, Any], **changes: Any) -> Exchange:
    shown = dedicated_job(body["deliveryType"], **({"pointInTimeUTCSeconds": None} if "oplogTs" in body else {}))
    shown |= {name: value for name, value in body.items() if name in ("oplogTs", "oplogInc", "pointInTimeUTCSeconds")}
    return answer(request("cluster-create", body), {k: v for k, v in (shown | changes).items() if v is not None})


def listed(query: dict[str, str] | None, *jobs: dict[str, Any], **changes: Any) -> Exchange:
    return answer(request("flex-list", query=query), page(*jobs, **changes))


def numbered(number: int) -> dict[str, Any]:
    return flex_job(id=f"{number:024x}")


def with_headers(exchange: Exchange, *headers: tuple[str, str]) -> Exchange:
    return replace(exchange, response=replace(exchange.response, headers=(*exchange.response.headers, *headers)))


def raw(sent: Request, body: bytes) -> Request:
    return replace(sent, body=body)


def accepting(name: str, value: str | None) -> Request:
    return with_header(request(name), "Accept", value)


SHORT = {k: v for k, v in FLEX.items() if k != "snapshotId"}
NULLS = {"increment": None, "time": None, "date": None}
FINISHED = {"finishedAt": END}


def statuses() -> Iterable[Row]:
    flex_get, tenant = request("flex-get"), request("tenant-create")
    yield row("200", flex())
    yield row("201", replace(flex(), response=replace(flex().response, status=201)), "C-STATUS")
    yield row("410 for a sunset operation", error(tenant, 410, "GONE"), known=True)
    yield row("410 for another operation", error(flex_get, 410, "GONE"), "C-STATUS", known=True)
    yield row("413 for what is small", error(request("flex-create"), 413, reason=None), "C-STATUS")
    large = raw(request("flex-create"), b" " * 20_000 + (request("flex-create").body or b""))
    yield row("413 for what is large", error(large, 413, reason=None), known=True)
    yield row("414 for what is short", error(flex_get, 414, reason=None), "C-STATUS")
    yield row("414 for what is long", error(request("flex-get", query={"x": "y" * 3_000}), 414, reason=None))
    yield row("431 for small headers", error(flex_get, 431, reason=None), "C-STATUS")
    yield row("431 for large headers", error(with_header(flex_get, "X-Long", "a" * 4_000), 431, reason=None))
    yield row("409 for a read", error(flex_get, 409), "C-STATUS")
    yield row("409 for a cancel", error(request("cluster-cancel"), 409))
    allow = [("Allow", "GET")]
    yield row("405 for a cancel", error(request("cluster-cancel"), 405, headers=allow))
    yield row("405 without Allow", error(request("cluster-cancel"), 405), advice="C-ALLOW")
    patch = replace(flex_get, method="PATCH")
    yield row("405 for a method that is not there", error(patch, 405, headers=allow))
    yield row("405 with a wrong Allow", error(patch, 405, headers=[("Allow", "POST")]), advice="C-ALLOW")
    yield row("503 that asks to wait", error(flex_get, 503, headers=[("Retry-After", "1")], reason=None))
    yield row("503 that does not", error(flex_get, 503, reason=None), "C-5XX")
    yield row("500", error(flex_get, 500, reason=None), "C-5XX")
    yield row("304 to If-None-Match", answer(with_header(flex_get, "If-None-Match", '"a"'), b"", status=304, media=""))
    yield row("304 to nothing", answer(flex_get, b"", status=304, media=""), "C-STATUS")


def versions() -> Iterable[Row]:
    own, published = _V2.format("2024-11-13"), _V2.format("2025-03-12")
    unpublished, early = _V2.format("2025-06-01"), _V2.format("2023-01-01")
    for value, what in ((published, "a published version"), (unpublished, "one never published")):
        yield row(f"{what} floors", answer(accepting("flex-get", value), flex_job(), media=own))
        other = answer(accepting("flex-get", value), flex_job(), media=value)
        yield row(f"{what} is repeated", other, "V-FLOOR")
    yield row("a published version is refused", error(accepting("flex-get", published), 406), "V-FLOOR")
    yield row("one never published is refused", error(accepting("flex-get", unpublished), 406), known=True)
    for value in (None, "*/*", "application/json", early):
        sent = accepting("flex-create", value)
        yield row(f"Accept {value} is taken", answer(sent, flex_job(), media=own), known=True)
        yield row(f"Accept {value} is refused", error(sent, 406), known=True)
    yield row(
        "a charset", answer(accepting("flex-get", own + ";charset=utf-8"), flex_job(), media=own + ";charset=utf-8")
    )
    yield row("another media type", answer(request("flex-get"), flex_job(), media="application/json"), "C-MEDIA")
    for name in ("flex-create", "cluster-create"):
        own_type = request(name).header("accept")
        sent = with_header(request(name), "Content-Type", own_type)
        yield row(f"{name}: the versioned content type is refused", error(sent, 415), "B-ACCEPT", known=True)
    yield row(
        "a content type of text is refused",
        error(with_header(request("flex-create"), "Content-Type", "text/plain"), 415),
    )
    dates = ("Deprecation", "Wed, 01 Jan 2025 00:00:00 GMT"), ("Sunset", "Fri, 01 Jan 2027 00:00:00 GMT")
    yield row("Deprecation and Sunset", with_headers(flex(), *dates))
    yield row("Sunset first", with_headers(flex(), ("Deprecation", dates[1][1]), ("Sunset", dates[0][1])), "V-SUNSET")
    yield row("Sunset in ISO 8601", with_headers(flex(), ("Sunset", "2027-01-01T00:00:00Z")), "V-SUNSET")
    yield row("Deprecation: true", with_headers(flex(), ("Deprecation", "true")), "V-SUNSET")
    enveloped = {"status": 200, "content": flex_job()}
    sent = request("flex-get", query={"envelope": "true"})
    yield row("an envelope", answer(sent, enveloped))
    yield row("D5's envelope", answer(sent, {"status": 200, "envelope": flex_job()}))
    yield row("an envelope's wrong status", answer(sent, enveloped | {"status": 201}), "V-ENVELOPE")
    yield row("an envelope by default", answer(request("flex-get"), enveloped), "V-ENVELOPE")


def errors() -> Iterable[Row]:
    sent = request("flex-get", job="x")
    yield row("an error", error(sent, 400), known=True)
    yield row("the least error", answer(sent, {"error": 400, "errorCode": "X"}, status=400))
    yield row("parameters of scalars", error(sent, 400, parameters=["a", 1, True, {}]))
    yield row("no parameters", error(sent, 400, parameters=None), departs="K-PARAMETERS")
    yield row("null for a parameter", error(sent, 400, parameters=[None]), "E-SCHEMA")
    yield row("nulls", error(sent, 400, detail=None, reason=None, badRequestDetail=None))
    yield row("another number", error(sent, 400, error=404), "E-STATUS")
    yield row("a free reason", error(sent, 400, reason="Nope"), "E-REASON")
    yield row("a code in lower case", error(sent, 400, "not_valid"), "E-CODE")
    yield row("another X-Error-Code", error(sent, 400, headers=[("X-Error-Code", "OTHER")]), "E-CODE")
    yield row(
        "a field without description", error(sent, 400, badRequestDetail={"fields": [{"field": "a"}]}), "E-FIELDS"
    )
    yield row("HTML", answer(sent, b"<html>", status=400, media="text/html"), "C-MEDIA", "E-SCHEMA")


def refusals() -> Iterable[Row]:
    for status in (400, 404):
        yield row(f"a malformed project: {status}", error(request("flex-get", groupId="x"), status), known=True)
        yield row(f"a malformed job: {status}", error(request("flex-get", job="x"), status), known=True)
        pattern = request("flex-create", FLEX | {"snapshotId": "x"})
        yield row(f"a malformed id in a body: {status}", error(pattern, status), known=True)
    yield row("a malformed project: 403", error(request("flex-get", groupId="x"), 403), "P-GROUP", known=True)
    yield row("a malformed project: 200", answer(request("flex-get", groupId="x"), flex_job()), "P-GROUP")
    upper = request("flex-get", groupId="5F0C1E2D3A4B5C6D7E8F9A0B")
    yield row("upper-case hex: 200", answer(upper, flex_job()), "P-GROUP")
    yield row("a name of 65: 404", error(request("flex-get", name="a" * 65), 404))
    yield row("a name of 65: 200", answer(request("flex-get", name="a" * 65), flex_job()), "P-NAME")
    missing = request("flex-create", SHORT)
    yield row("a missing property: 400", error(missing, 400), known=True)
    for status in (403, 404, 409):
        yield row(f"a missing property: {status}", error(missing, status), "B-REQUIRED", known=True)
    yield row("a missing property of an absent project: 404", error(missing, 404, "GROUP_NOT_FOUND"))
    yield row(
        "null for what is needed: 409", error(request("flex-create", FLEX | {"snapshotId": None}), 409), "B-REQUIRED"
    )
    yield row("a wrong type: 409", error(request("flex-create", FLEX | {"snapshotId": 1}), 409), "B-TYPE", known=True)
    yield row("a wrong pattern: 409", error(request("flex-create", FLEX | {"snapshotId": "x"}), 409), "B-PATTERN")
    early = request("cluster-create", POINT | {"pointInTimeUTCSeconds": 1_199_145_599})
    yield row("a wrong range: 400", error(early, 400), known=True)
    yield row("a wrong range: 404", error(early, 404), "B-RANGE", known=True)
    yield row("no JSON: 400", error(raw(request("flex-create"), b"{"), 400), known=True)
    yield row("no JSON: 409", error(raw(request("flex-create"), b"{"), 409), "B-JSON", known=True)
    yield row("no JSON: 200", answer(raw(request("flex-create"), b"[]"), flex_job()), "B-JSON")
    for body, requirement in (
        (AUTOMATED | {"deliveryType": "Automated"}, "T-ENUM"),
        ({k: v for k, v in AUTOMATED.items() if k != "targetGroupId"}, "T-TARGET"),
        ({"deliveryType": "download"}, "T-SNAPSHOT"),
        ({k: v for k, v in OPLOG.items() if k != "oplogInc"}, "T-POINT"),
    ):
        yield row(f"{requirement}: 400", error(request("cluster-create", body), 400), known=True)
        yield row(f"{requirement}: 409", error(request("cluster-create", body), 409), requirement, known=True)
        yield row(f"{requirement}: 403", error(request("cluster-create", body), 403), requirement, known=True)
    unknown = request("flex-create", FLEX | {"more": 1})
    yield row("an undocumented property: 400", error(unknown, 400), known=True)
    yield row("an undocumented property: 200", answer(unknown, flex_job()), advice="B-UNKNOWN", known=True)
    yield row("an undocumented property: 500", error(unknown, 500, reason=None), "C-5XX", known=True)
    links = request("flex-create", FLEX | {"links": []})
    yield row("links: 200", answer(links, flex_job()), known=True)
    null = request("cluster-create", AUTOMATED | {"oplogTs": None})
    yield row("null for an optional property: 400", error(null, 400), known=True)
    yield row("null for an optional property: 200", answer(null, dedicated_job()), known=True)


def deliveries() -> Iterable[Row]:
    yield row("a pointInTime job repeats its moment", created(POINT), known=True)
    yield row("a pointInTime job leaves it out", created(POINT, pointInTimeUTCSeconds=None), "T-ECHO", known=True)
    yield row("an oplog pair", created(OPLOG), known=True)
    yield row("half an oplog pair", created(OPLOG, oplogInc=None), "T-ECHO")
    both = POINT | {"oplogTs": MOMENT.oplog_ts, "oplogInc": 3}
    yield row("both moments", created(both), known=True)
    yield row("a moment beside a snapshot", created(POINT | {"snapshotId": SNAPSHOT}, snapshotId=SNAPSHOT), known=True)
    yield row("that snapshot left out", created(POINT | {"snapshotId": SNAPSHOT}), "T-ECHO")
    yield row("another target", created(AUTOMATED, targetClusterName="Other"), "T-ECHO")
    yield row("a download that shows a target", dedicated("download", targetClusterName="Target0"), "T-ONLY-TARGET")
    download = {"deliveryUrl": [URL], "expiresAt": LATER}
    yield row("a finished download", dedicated("download", **download))
    yield row("by its parts", dedicated("download", components=[{"downloadUrl": URL}], **FINISHED))
    yield row("a finished download without URL", dedicated("download", **FINISHED), "T-URL")
    half = [{"replicaSetName": "a", "downloadUrl": URL}, {"replicaSetName": "b"}]
    yield row("half the parts", dedicated("download", components=half, **FINISHED), "T-URL")
    yield row(
        "half the parts, and an end of their life", dedicated("download", components=half, expiresAt=LATER), "T-URL"
    )
    yield row("no URL yet", dedicated("download", expiresAt=LATER))
    for flag in ("failed", "cancelled", "expired"):
        yield row(f"a {flag} download", dedicated("download", **{flag: True, **FINISHED}))
    yield row("plain http", dedicated("download", deliveryUrl=["http://a.example/"], **FINISHED), "T-ONLY-URL")
    yield row("a URL of no download", dedicated(deliveryUrl=[URL]), "T-ONLY-URL")
    yield row("an empty deliveryUrl", dedicated(deliveryUrl=[]), departs="K-EMPTY-URL")
    yield row("an empty timestamp", dedicated(desiredTimestamp=NULLS), departs="K-TIMESTAMP")
    yield row("a small increment", dedicated("pointInTime", desiredTimestamp={"date": END, "increment": 1}))
    for form, fails in (("+00:00", ()), (".125Z", ()), ("+01:00", ("T-TIME",)), ("", ("C-SCHEMA", "T-TIME"))):
        yield row(f"a date with {form!r}", dedicated(**{"finishedAt": "2026-02-23T03:22:08" + form}), *fails)
    yield row("a desired date elsewhere", dedicated(desiredTimestamp={"date": "2026-02-23T03:22:08+02:00"}), "T-TIME")
    yield row("a part twice", dedicated(components=[{"replicaSetName": "a"}, {"replicaSetName": "a"}]), "T-PARTS")
    yield row("a part without a name", dedicated(components=[{"replicaSetName": ""}]), "T-PARTS")
    yield row("expiresAt on no download", dedicated(expiresAt=LATER))
    yield row("failed and cancelled", dedicated(failed=True, cancelled=True), "T-FLAGS")
    yield row("a new job that has finished", created(AUTOMATED, finishedAt=END), "T-NEW")
    without = request("cluster-create-v1", DOWNLOAD)
    for target in (without.target, without.target.removesuffix("/")):
        shown = answer(replace(without, target=target), dedicated_job("download"))
        yield row(f"v1.0 at …{target[-5:]}", shown, known=True)
    outside = replace(without, method="GET", body=None)
    yield row("the list of v1.0", answer(outside, b"oops", status=500))


def shared() -> Iterable[Row]:
    done = {"status": "COMPLETED"}
    delivered = {**done, "deliveryType": "DOWNLOAD", "targetDeploymentItemName": None, "targetProjectId": None}
    yield row("a finished job", flex(**done))
    yield row("a delivered one", flex(**delivered, snapshotUrl=URL))
    yield row("a delivered one without URL", flex(**delivered), "S-URL")
    yield row("a delivered one by http", flex(**delivered, snapshotUrl="http://a.example/"), "S-URL")
    yield row("a URL of a restore", flex(**done, snapshotUrl=URL), "S-URL")
    yield row("an end without date", flex(**done, restoreFinishedDate=None), "S-FINISHED")
    yield row("CLOSED", flex(status="CLOSED"), "S-STATUS")
    yield row("an expiration at the schedule", flex(expirationDate="2026-02-23T03:21:08Z"))
    yield row("an expiration before it", flex(expirationDate="2026-02-23T03:21:07Z"), "S-TIME")
    yield row("a date with +00:00", flex(restoreScheduledDate="2026-02-23T03:21:08+00:00"))
    yield row("a date elsewhere", flex(restoreScheduledDate="2026-02-23T03:21:08+02:00"), "S-TIME")
    yield row("another project", flex(projectId=SNAPSHOT), "S-ECHO")
    yield row("a tenant job", answer(request("tenant-get"), tenant_job()))


def lists() -> Iterable[Row]:
    two = [numbered(1), numbered(2)]
    sized = {"itemsPerPage": "2"}
    yield row("an empty list", listed(None))
    yield row("no results", answer(request("flex-list"), {"totalCount": 0}), "L-PAGE")
    yield row("no count", listed(None, *two, totalCount=None))
    yield row("a negative count", listed(None, *two, totalCount=-1), "C-SCHEMA")
    yield row("an estimate", listed(None, *two, totalCount=5), advice="L-TOTAL")
    yield row("a count that was declined", listed({"includeCount": "false"}, *two), "L-PAGE")
    yield row("no count where it was declined", listed({"includeCount": "false"}, *two, totalCount=None))
    yield row("more than asked for", listed(sized, *two, numbered(3)), "L-PAGE")
    yield row("next after the last page", listed(None, *two, rels=("self", "next")), "L-PAGE")
    yield row("links without self", listed(None, *two, rels=("previous",)), "L-PAGE")
    yield row("a full page, and more", listed(sized, *two, rels=("self", "next"), totalCount=3))
    yield row("a job twice", listed(None, numbered(1), numbered(1)), "L-PAGE")


def pacing() -> Iterable[Row]:
    sent = request("flex-get")
    for value in ("5", "Mon, 23 Feb 2026 03:21:08 GMT"):
        yield row(f"Retry-After {value}", error(sent, 429, headers=[("Retry-After", value)], reason=None))
    yield row("a 429 without Retry-After", error(sent, 429, reason=None), advice="A-RETRY")
    yield row("Retry-After: soon", error(sent, 429, headers=[("Retry-After", "soon")], reason=None), "A-RATE")
    yield row("RateLimit-Limit: many", with_headers(flex(), ("RateLimit-Limit", "many")), "A-RATE")


ROWS = [*statuses(), *versions(), *errors(), *refusals(), *deliveries(), *shared(), *lists(), *pacing()]


def verdict(exchange: Exchange, knowledge: Knowledge) -> tuple[frozenset[str], frozenset[str], frozenset[str]]:
    judgement = Judge(knowledge=knowledge).judge(exchange)
    found = failed(judgement)
    advice = {requirement for requirement in found if REQUIREMENTS[requirement].force == "should"}
    return frozenset(found - advice), frozenset(advice), frozenset(departures(judgement))


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.what)
def test_the_verdict_is_the_pages(row: Row) -> None:
    recorded = replace(row.exchange, request=replace(row.exchange.request, credential="unknown"))
    fails, advice, departs = verdict(recorded, Knowledge())
    assert advice == row.advice
    assert departs == row.departs
    assert bool(fails) == bool(row.fails)
    assert row.fails <= fails
    if row.known:
        assert verdict(row.exchange, KNOWN)[0] == fails
        assert verdict(row.exchange, KNOWN)[1] == row.advice


def test_rows_are_distinguished() -> None:
    names = [row.what for row in ROWS]
    assert len(set(names)) == len(names)
    assert all(json.loads(json.dumps(name)) for name in names)
