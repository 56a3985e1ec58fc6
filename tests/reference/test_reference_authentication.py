"""Digest, bearer tokens, the token endpoint, roles and the access list."""

from __future__ import annotations

import base64
import hashlib
import re

import httpx
import pytest

from atlas_conformance.contracts.contract import Contract
from atlas_conformance.reference.credentials import KeyPair
from atlas_conformance.reference.server import ReferenceServer
from tests.reference.calling import Caller, error

OPERATIONS = Contract.load().operations


def challenge(answer: httpx.Response) -> dict[str, str]:
    (found,) = (one for one in answer.headers.get_list("www-authenticate") if one.startswith("Digest "))
    return {name: quoted or plain for name, quoted, plain in re.findall(r'(\w+)=(?:"([^"]*)"|(\w[\w-]*))', found)}


def digest(pair: KeyPair, parts: dict[str, str], method: str, path: str, count: int = 1, **changed: str) -> str:
    hashed = {"MD5": hashlib.md5, "SHA-256": hashlib.sha256}[parts["algorithm"]]

    def of(text: str) -> str:
        return hashed(text.encode()).hexdigest()

    nc, cnonce = f"{count:08x}", "c1"
    first, second = of(f"{pair.public}:{parts['realm']}:{pair.private}"), of(f"{method}:{path}")
    values = {
        "username": pair.public,
        "realm": parts["realm"],
        "nonce": parts["nonce"],
        "uri": path,
        "response": of(f"{first}:{parts['nonce']}:{nc}:{cnonce}:auth:{second}"),
        "algorithm": parts["algorithm"],
        "qop": "auth",
        "nc": nc,
        "cnonce": cnonce,
    }
    return "Digest " + ", ".join(f'{name}="{value}"' for name, value in (values | changed).items())


def test_digest_as_a_client_library_does_it(caller: Caller) -> None:
    owner = caller.server.credentials.owner
    auth = httpx.DigestAuth(owner.public, owner.private)
    for query in ("", "?envelope=true", "?a=%20b&c="):
        answer = caller.http.get(caller.path("flex-list") + query, auth=auth)
        assert answer.status_code == 200
    assert len(answer.history) == 0  # the nonce is used again
    body = caller.body("flex-create")
    assert caller.http.post(caller.path("flex-create"), json=body, auth=auth).status_code == 200


def test_a_nonce_count_is_taken_once_in_any_order(caller: Caller) -> None:
    owner, path = caller.server.credentials.owner, caller.path("flex-list")
    parts = challenge(caller.http.get(path))

    def status(count: int, **changed: str) -> httpx.Response:
        return caller.http.get(path, headers={"Authorization": digest(owner, parts, "GET", path, count, **changed)})

    assert [status(count).status_code for count in (3, 1, 2, 4)] == [200] * 4
    replayed = status(2)
    error(replayed, 401)
    assert challenge(replayed)["stale"] == "true"
    wrongs = (
        {"response": "0" * 32},
        {"uri": "/"},
        {"nonce": "x"},
        {"nonce": parts["nonce"][:-1] + "-"},
        {"realm": "x"},
    )
    for wrong in (*wrongs, {"username": "x"}, {"qop": "auth-int"}, {"nc": "zz"}, {"algorithm": "SHA-256"}):
        answer = status(9, **wrong)
        error(answer, 401)
        assert challenge(answer)["stale"] == "false"
    assert status(9).status_code == 200


def test_an_old_nonce_is_stale() -> None:
    with ReferenceServer(in_process=True, nonce_life=0.0) as server:
        calling = Caller(server)
        path = calling.path("flex-list")
        parts = challenge(calling.http.get(path))
        header = digest(server.credentials.owner, parts, "GET", path)
        answer = calling.http.get(path, headers={"Authorization": header})
        error(answer, 401)
        assert challenge(answer)["stale"] == "true"
        calling.http.close()


def test_sha_256_where_offered(caller: Caller) -> None:
    caller.server.reset(freedoms={"digest-algorithms": "SHA-256,MD5"})
    answer = caller.http.get(caller.path("flex-list"))
    offered = [one for one in answer.headers.get_list("www-authenticate") if one.startswith("Digest ")]
    assert ["SHA-256" in one for one in offered] == [True, False]
    owner = caller.server.credentials.owner
    answer = caller.http.get(caller.path("flex-list"), auth=httpx.DigestAuth(owner.public, owner.private))
    assert answer.status_code == 200
    assert "algorithm=SHA-256" in answer.history[0].headers["www-authenticate"] if answer.history else True


@pytest.mark.parametrize("operation", list(OPERATIONS))
def test_without_credentials_nothing_is_disclosed(caller: Caller, operation: str) -> None:
    for options in (
        {"at": {"job": "0" * 24}},
        {"at": {"project": "x", "job": "x"}},
        {"at": {"job": "x"}, "raw": b"{"},
        {"at": {"job": "x"}, "raw": b" " * 2_000_000},
        {"at": {"job": "x"}, "headers": {"Accept": "text/html"}},
        {"at": {"job": "x"}, "query": "?" + "x" * 9_000},
    ):
        answer = caller.call(operation, token=None, **options)
        error(answer, 401)
        assert {one.split(" ")[0] for one in answer.headers.get_list("www-authenticate")} == {"Digest", "Bearer"}
    error(caller.send("PATCH", caller.path(operation, job="x"), token=None), 401)
    error(caller.send("GET", "/nowhere", token=None), 401)


@pytest.mark.parametrize(
    "junk", ["Bearer", "Bearer x", "Basic YTpi", "Digest", "Digest x", 'Digest username="', "x" * 5_000, ""]
)
def test_junk_credentials_are_wrong_ones(caller: Caller, junk: str) -> None:
    error(caller.send("GET", caller.path("flex-list"), token=None, headers={"Authorization": junk}), 401)


def test_roles_and_the_access_list(caller: Caller) -> None:
    credentials = caller.server.credentials
    reader, off_list = caller.token_of(credentials.reader_account), caller.token_of(credentials.off_list_account)
    before = caller.call("flex-list").json()["totalCount"]
    for operation in ("flex-create", "tenant-create", "cluster-create", "cluster-create-v1"):
        error(caller.call(operation, token=reader), 403)
        error(caller.call(operation, token=off_list), 403)
    job = caller.create("cluster-create")
    error(caller.call("cluster-cancel", at={"job": job["id"]}, token=reader), 403)
    assert caller.call("flex-list", token=reader).status_code == 200
    error(caller.call("flex-list", token=off_list), 403)
    assert caller.call("flex-list").json()["totalCount"] == before


def test_the_token_endpoint_speaks_oauth(caller: Caller) -> None:
    account, path = caller.server.credentials.owner_account, "/api/oauth/token"
    good = {"grant_type": "client_credentials"}
    answer = caller.http.post(path, auth=(account.id, account.secret), data=good)
    assert answer.headers["cache-control"] == "no-store"
    assert (answer.json()["token_type"], answer.json()["expires_in"]) == ("Bearer", 3_600)
    for auth in ((account.id, "x"), ("x", account.secret), ("ü", "ü"), None):
        answer = caller.http.post(path, auth=auth, data=good)
        assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")
        assert answer.headers["www-authenticate"].startswith("Basic ")
    for data, wrong in (({"grant_type": "password"}, "unsupported_grant_type"), ({}, "invalid_request")):
        answer = caller.http.post(path, auth=(account.id, account.secret), data=data)
        assert (answer.status_code, answer.json()["error"]) == (400, wrong)
    junk = base64.b64encode(b"\xff\xfe").decode()
    assert caller.http.post(path, headers={"Authorization": f"Basic {junk}"}, data=good).status_code == 401
    assert caller.http.get(path).status_code == 405


@pytest.mark.parametrize("scheme", ["digest", "bearer"])
def test_one_scheme_alone(scheme: str) -> None:
    with (
        ReferenceServer(in_process=True, authentication=(scheme,)) as server,
        httpx.Client(base_url=server.url) as http,
    ):
        answer = http.get("/api/atlas/v2/x")
        assert [one.split(" ")[0].lower() for one in answer.headers.get_list("www-authenticate")] == [scheme]
        account, owner = server.credentials.owner_account, server.credentials.owner
        token = http.post(
            "/api/oauth/token", auth=(account.id, account.secret), data={"grant_type": "client_credentials"}
        )
        assert token.status_code == (200 if scheme == "bearer" else 401)
        answer = http.get("/api/atlas/v2/x", auth=httpx.DigestAuth(owner.public, owner.private))
        assert answer.status_code == (404 if scheme == "digest" else 401)


def test_the_rate_is_kept_where_there_is_one() -> None:
    with ReferenceServer(in_process=True, rate=3) as server:
        calling = Caller(server)
        answers = [calling.call("flex-list") for _ in range(5)]
        limited = [answer for answer in answers if answer.status_code == 429]
        assert limited  # at most one minute ends meanwhile
        error(limited[0], 429)
        assert 1 <= int(limited[0].headers["retry-after"]) <= 60
        assert answers[0].headers["ratelimit-limit"] == "3"
        assert int(answers[0].headers["ratelimit-remaining"]) == 2
        calling.http.close()


def test_secrets_stay_out_of_reprs(server: ReferenceServer) -> None:
    shown = repr(server.credentials)
    assert server.credentials.owner.private not in shown
    assert server.credentials.owner_account.secret not in shown
