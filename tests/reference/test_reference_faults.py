"""Each fault of the catalogue shows in some answer, and the endpoint that has it still runs."""

from __future__ import annotations

import base64
import json
import random
import re
from collections.abc import Iterator
from functools import cache
from itertools import islice
from typing import Any

import pytest

from atlas_conformance.contracts.contract import Contract
from atlas_conformance.reference.authentication import Authentication
from atlas_conformance.reference.backend import Backend
from atlas_conformance.reference.credentials import Credentials, make_credentials
from atlas_conformance.reference.earlier_jobs import historic_jobs
from atlas_conformance.reference.endpoint import Endpoint
from atlas_conformance.reference.fault import Fault
from atlas_conformance.reference.faults import catalogue, find
from atlas_conformance.reference.fixtures import IMPOSSIBLE, ITEMS, Fixtures, make_fixtures
from atlas_conformance.reference.freedoms import resolve
from atlas_conformance.reference.jobs import Jobs
from atlas_conformance.reference.messages import Call
from atlas_conformance.strategies.disguises import disguises
from tests.reference.test_reference_authentication import digest

OPERATIONS = Contract.load().operations

EPOCH = 1_790_000_000
FIXTURES: Fixtures = make_fixtures(3, EPOCH)
CREDENTIALS: Credentials = make_credentials(3)
MINIMUM = 1_199_145_600


def is_around(fault: Fault) -> bool:
    """Whether a fault shows on operations around a restore alone: `prove` covers those."""
    restores = fault.requirement == "SNAP-RESTORE"
    known = [OPERATIONS[name] for name in fault.operations if name in OPERATIONS]
    return restores or (bool(known) and all(operation.level == "workflow" for operation in known))


def endpoint(fault: Fault | None) -> Endpoint:
    free = resolve(fault.freedoms if fault else {})
    draw, jobs = random.Random(1), Jobs()
    authentication = Authentication(CREDENTIALS)
    authentication.skip = fault.credentials if fault else frozenset()
    for job in historic_jobs(FIXTURES, draw):
        jobs.add(job)
    backend = Backend(FIXTURES, jobs, authentication, free, frozenset(), "extended", 1.0, None, draw)
    return Endpoint(backend, url="http://reference.test", fault=fault)


class Different(Exception):
    """An answer is not the expected one."""


class Prober:
    """Sends a fixed series of calls straight to an endpoint, at fixed moments.

    Where answers are expected, it stops at the first other one, with `Different`.
    """

    def __init__(self, to: Endpoint, expected: list[str] | None) -> None:
        self.to = to
        self.expected = expected
        self.moment = float(EPOCH)
        self.seen: list[str] = []
        self.tokens: dict[str, str] = {}
        for role, account in CREDENTIALS.accounts():
            self.tokens[role] = self.token(f"{account.id}:{account.secret}")
        self.token(f"{CREDENTIALS.owner_account.id}:wrong")

    def send(self, method: str, target: str, body: bytes | None = b"", token: str | None = "", **headers: str) -> Any:
        path, _, query = target.partition("?")
        sent = {b"content-type": b"application/json"}
        if token is not None:
            sent[b"authorization"] = (token or f"Bearer {self.tokens['owner']}").encode()
        accept = headers.pop("accept", "application/vnd.atlas.2025-03-12+json, application/json;q=0.1")
        sent |= {name.replace("_", "-").encode(): value.encode() for name, value in headers.items()}
        call = Call(method, target, path, query, sent, accept, body, self.moment)
        status, shown, content = self.to.handle(call)
        text = re.sub(r'nonce="[^"]*"', "", f"{method} {target} {status} {shown} {content!r}")
        if "access_token" in text:
            text = re.sub(r"access_token[^,]*,", "", text)
        self.seen.append(text)
        if self.expected is not None and self.expected[len(self.seen) - 1 : len(self.seen)] != [text]:
            raise Different(text)
        return json.loads(content) if content else None

    def token(self, client: str) -> str:
        basic = "Basic " + base64.b64encode(client.encode()).decode()
        answer = self.send("POST", "/api/oauth/token", b"grant_type=client_credentials", basic)
        return str(answer.get("access_token", ""))


def bodies(operation: str) -> Iterator[dict[str, Any]]:
    """Conforming bodies, and ones that are broken in one place."""
    family = OPERATIONS[operation].resource.label
    kind = "dedicated" if family == "cluster" else family
    cluster = next(one for one in FIXTURES.inventory.clusters if one.kind == kind)
    snapshot, target = cluster.snapshots[0], next(one for one in FIXTURES.inventory.targets if kind in one.accepts)
    name, project = (
        ("targetClusterName", "targetGroupId")
        if family == "cluster"
        else ("targetDeploymentItemName", "targetProjectId")
    )
    other = next(one.project for one in FIXTURES.inventory.targets if one.project != cluster.project)
    good: dict[str, Any] = {"snapshotId": snapshot, name: target.name, project: other}
    if family == "cluster":
        good["deliveryType"] = "automated"
        point = {"deliveryType": "pointInTime", name: target.name, project: other}
        seconds = {"pointInTimeUTCSeconds": EPOCH - 86_399}
        pair = {"oplogTs": EPOCH - 86_400, "oplogInc": 7}
        yield from (good, {"deliveryType": "download", "snapshotId": snapshot} | pair, point | seconds, point | pair)
        yield from (
            point,
            point | {"snapshotId": snapshot},
            {"deliveryType": "download"},
            good | pair | seconds,
            good | {"deliveryType": "download"} | seconds,
        )
        for field in ("pointInTimeUTCSeconds", "oplogTs", "oplogInc"):
            low = 0 if field == "oplogInc" else MINIMUM - 1
            for value in ("1", str(EPOCH - 9), 1.5, float(EPOCH - 9) + 0.5, True, low, -5, 2**31, None, 1):
                yield point | (seconds if field == "pointInTimeUTCSeconds" else pair) | {field: value}
            yield point | {field: 5 if field == "oplogInc" else EPOCH - 86_400}
        for delivery in ("AUTOMATED", "automated ", "x", None, 1):
            yield good | {"deliveryType": delivery}
        for missing in (name, project):
            yield {key: value for key, value in (point | seconds).items() if key != missing}
        yield good | {name: "7"}
        yield good | {name: "x" + "-long" * 12 + "-64"}
    else:
        yield good
        yield from (good | {name: item} for item in ITEMS)
    for field in good:
        yield {key: value for key, value in good.items() if key != field}
        yield from (good | {field: value} for value in (None, 1, "", True, []))
    for field in good:
        yield from (good | {field: text} for text, _ in islice(disguises(str(good[field])), 10))
    if family == "cluster":
        yield point | {"pointInTimeUTCSeconds": EPOCH - 86_423} | {"snapshotId": snapshot}
        yield point | {"oplogTs": EPOCH - 86_423, "oplogInc": 70_003}
    for field in ("snapshotId", project):
        text = good[field]
        for broken in (text.upper(), text + "\n", f" {text} ", text + "0", "0" * 24, "x"):
            yield good | {field: broken}
    for broken in (target.name + "\n", "x" * 65, "-a", "Größé", "a_b", "a b", "a/b", "x" * 66):
        yield good | {name: broken}
    yield from (good | {name: item} for item in IMPOSSIBLE)
    yield good | {"unheardOf": 1}
    if family == "cluster":
        yield {"deliveryType": "download", "snapshotId": snapshot, "unheardOf": 1}


def families(fault: Fault) -> frozenset[str]:
    """Return the families of clusters whose operations a fault shows on."""
    found = {OPERATIONS[place].resource.label for place in fault.operations if place in OPERATIONS}
    return frozenset(found if len(found) == 1 else {"tenant"} if "tenant" in found else {"flex"})


@cache
def sound_answers(wanted: frozenset[str]) -> list[str]:
    """Return what the sound endpoint answers."""
    return probe(None, wanted)


def probe(fault: Fault | None, wanted: frozenset[str], expected: list[str] | None = None) -> list[str]:
    """Return every answer of an endpoint to a fixed series of calls on some families of clusters."""
    prober = Prober(endpoint(fault), expected)
    absent = FIXTURES.inventory.absent
    assert absent is not None
    jobs: dict[str, list[tuple[Any, str]]] = {}
    for operation in (one for one in OPERATIONS.values() if one.kind == "create" and one.resource.label in wanted):
        kind = operation.cluster_kind
        clusters = [one for one in FIXTURES.inventory.clusters if one.kind == kind]
        path = place(operation.id, clusters[0])
        good = json.dumps(next(bodies(operation.id))).encode()
        for body in bodies(operation.id):
            answer = prober.send("POST", path, json.dumps(body).encode())
            prober.moment += 0.01
            if isinstance(answer, dict) and "id" in answer:
                jobs.setdefault(operation.resource.label, []).append((clusters[0], answer["id"]))
        for cluster in clusters:
            for snapshot in cluster.snapshots:
                body = next(bodies(operation.id)) | {"snapshotId": snapshot}
                answer = prober.send("POST", place(operation.id, cluster), json.dumps(body).encode())
                if isinstance(answer, dict) and "id" in answer:
                    jobs.setdefault(operation.resource.label, []).append((cluster, answer["id"]))
        for raw in (b"", b"{", b"[%s]" % good, good + b"x", b"[" * 2_000, b"1"):
            prober.send("POST", path, raw)
        around(prober, operation.id, clusters[0], "", good)
    for family, made in jobs.items():
        shared = {"flex": ("flex-get",), "tenant": ("tenant-get",), "cluster": ("cluster-get", "cluster-get-v1")}
        create = f"{family}-create"
        fresh = prober.send("POST", place(create, made[0][0]), json.dumps(next(bodies(create))).encode())
        if isinstance(fresh, dict) and "id" in fresh:
            made.append((made[0][0], fresh["id"]))
        for moment in (0.5, 1.0, 1.0, 1.0, 1.0, 1.0, 0.0):
            prober.moment += moment
            for cluster, job in made[:4] + made[-9:]:
                for get in shared[family]:
                    prober.send("GET", place(get, cluster, job))
        for get in shared[family]:
            for other in FIXTURES.inventory.clusters:
                prober.send("GET", place(get, other, made[0][1]))
            around(prober, get, made[0][0], made[0][1], b"")
        if family == "cluster":
            around(prober, "cluster-cancel", made[0][0], made[0][1], b"")
            for cluster in (one for one in FIXTURES.inventory.clusters if one.kind == "dedicated"):
                body = next(bodies("cluster-create")) | {"snapshotId": cluster.snapshots[0]}
                answer = prober.send("POST", place("cluster-create", cluster), json.dumps(body).encode())
                if isinstance(answer, dict) and "id" in answer:
                    other = next(
                        one for one in FIXTURES.inventory.clusters if one.kind == "dedicated" and one != cluster
                    )
                    prober.send("DELETE", place("cluster-cancel", other, answer["id"]))
                    prober.send("GET", place("cluster-get", cluster, answer["id"]))
                    prober.send("DELETE", place("cluster-cancel", cluster, answer["id"]) + "?envelope=true")
                    prober.send("GET", place("cluster-get", cluster, answer["id"]))
    for listing in (f"{family}-list" for family in ("flex", "cluster") if family in wanted):
        kind = "flex" if listing == "flex-list" else "dedicated"
        cluster = next(one for one in FIXTURES.inventory.clusters if one.kind == kind)
        for query in ("", "?itemsPerPage=2", "?itemsPerPage=2&pageNum=2", "?pageNum=1&includeCount=false"):
            prober.send("GET", place(listing, cluster) + query)
        prober.send("GET", place(listing, cluster) + "?itemsPerPage=2&pageNum=2&includeCount=false")
        total = prober.send("GET", place(listing, cluster) + "?itemsPerPage=1")["totalCount"]
        size = 7 if total % 7 else 8  # the last page is not full
        number, rest = 1, 0
        while not rest and number < 100:
            number += 1
            page = prober.send("GET", place(listing, cluster) + f"?itemsPerPage={size}&pageNum={number}")
            rest = size - len(page["results"])
        assert 0 < rest < size
        prober.send("GET", place(listing, cluster) + "?pageNum=1000")
        for other in (one for one in FIXTURES.inventory.clusters if one.kind == kind and one.sharded):
            prober.send("GET", place(listing, other))
        around(prober, listing, cluster, "", b"")
    prober.send("GET", "/nowhere")
    return prober.seen


def place(operation: str, cluster: Any, job: str = "", **changed: str) -> str:
    found = OPERATIONS[operation]
    values = (changed.get("project", cluster.project), changed.get("name", cluster.name), job)
    return found.expand(dict(zip(found.path_parameters, values, strict=False)))


def around(prober: Prober, operation: str, cluster: Any, job: str, body: bytes) -> None:
    """Everything about a call but its body: places, queries, versions, credentials."""
    method, absent = OPERATIONS[operation].method, FIXTURES.inventory.absent
    assert absent is not None
    path = place(operation, cluster, job)
    for query in ("?envelope=true", "?pretty=true", "?envelope=true&pretty=true", "?envelope=x"):
        prober.send(method, path + query, body)
    for changed in (
        {"project": cluster.project.upper()},
        {"project": cluster.project + "\n"},
        {"project": absent.project},
        {"name": cluster.name + "_x"},
        {"name": absent.cluster},
        {"name": "-"},
    ):
        prober.send(method, place(operation, cluster, job, **changed), body)
    for longest in (one for one in FIXTURES.inventory.clusters if one.kind == cluster.kind and len(one.name) == 64):
        prober.send(method, place(operation, longest, job, name=longest.name + "a"), body)
    if job:
        for broken in (job.upper(), job + "0", "x", absent.job):
            prober.send(method, place(operation, cluster, broken), body)
    prober.send(method, path, body, accept=str(OPERATIONS[operation].media_type))
    prober.send(method, path, body, accept="*/*")
    prober.send(method, path.rstrip("/"), body, content_type=str(OPERATIONS[operation].media_type))
    for day in ("2025-03-12", "2026-02-03"):
        prober.send(method, path, body, accept=f"application/vnd.atlas.{day}+json")
    for role, value in (("project", cluster.project), ("name", cluster.name)):
        for text, _ in islice(disguises(value), 10):
            prober.send(method, place(operation, cluster, job, **{role: text}), body)
    for text, _ in islice(disguises(job), 10 if job else 0):
        prober.send(method, place(operation, cluster, text), body)
    for query in ("?envelope=true", "?pretty=true"):
        prober.send(method, place(operation, cluster, job, project="x") + query, body)
        prober.send(method, place(operation, cluster, job, project=absent.project) + query, body)
    owner = prober.tokens["owner"]
    for nearly in (owner[:-1], owner.swapcase(), owner + "x", owner[:-1] + ("B" if owner[-1] == "A" else "A")):
        prober.send(method, path, body, f"Bearer {nearly}")
    public = base64.b64encode(f"{CREDENTIALS.owner.public}:wrong".encode()).decode()
    prober.send(method, path, body, f"Basic {public}")
    for token in (None, "Bearer x", f"Bearer {prober.tokens['reader']}", f"Bearer {prober.tokens['off-list']}"):
        prober.send(method, path, body, token)
    prober.send(method, path, b"{", None)
    prober.send(method, path, body, None, content_type="text/plain")
    challenge = prober.to.backend.authentication.challenge(prober.moment).headers[0][1]
    parts = {name: quoted or plain for name, quoted, plain in re.findall(r'(\w+)=(?:"([^"]*)"|(\w[\w-]*))', challenge)}
    prober.send(method, path, body, digest(CREDENTIALS.owner, parts, method, path))
    prober.send(method, path, body, digest(CREDENTIALS.owner, parts, method, path, 2, response="0" * 32))
    prober.send(method, path, body, digest(CREDENTIALS.reader, parts, method, path, 3))
    prober.send(method, path + "?pretty=true", body, digest(CREDENTIALS.owner, parts, method, path + "?pretty=true", 4))
    prober.send("PATCH", path, body)


@pytest.mark.parametrize("family", ["flex", "tenant", "cluster"])
def test_the_sound_endpoint_is_deterministic(family: str, capsys: pytest.CaptureFixture[str]) -> None:
    wanted = frozenset({family})
    assert probe(None, wanted) == sound_answers(wanted)
    assert not any(" 500 " in answer[:300] for answer in sound_answers(wanted))
    assert capsys.readouterr().err == ""


SHOWN = [name for name, fault in catalogue().items() if fault.kind != "concurrent" and not is_around(fault)]


@pytest.mark.parametrize("fault_id", SHOWN)
def test_a_fault_shows(fault_id: str, capsys: pytest.CaptureFixture[str]) -> None:
    wanted = families(find(fault_id))
    with pytest.raises(Different):
        probe(find(fault_id), wanted, sound_answers(wanted))
    assert "Traceback" not in capsys.readouterr().err


def test_the_catalogue_is_whole() -> None:
    faults = catalogue().values()
    assert len(faults) >= 150
    assert {fault.kind for fault in faults} == {"shape", "negative", "rule", "stateful", "subtle", "concurrent"}
    for fault in faults:
        assert fault.sentence.endswith(".")
        assert fault.operations


def test_a_fault_that_would_do_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="names the step B-NOTHING"):
        endpoint(Fault("x", "B-JSON", ("flex-create",), "Nothing.", "shape", skip=frozenset({"B-NOTHING"})))
    with pytest.raises(ValueError, match="names the operation nope"):
        endpoint(Fault("x", "B-JSON", ("nope",), "Nothing.", "shape"))
    with pytest.raises(ValueError, match="did you mean"):
        find("flex-create/malformed-50")
