"""The client on the wire: bytes as given, credentials, limits, pauses, failures."""

from __future__ import annotations

import gzip
import hashlib
import json
import re
import threading
import time
from dataclasses import replace
from types import MappingProxyType

import pytest

from atlas_conformance.contracts.exchange import Request
from atlas_conformance.http.client import Client
from atlas_conformance.http.failures import MissingCredentials, NoAnswer, Unsendable, Withheld
from atlas_conformance.http.secret import Credentials, Secret
from atlas_conformance.http.target import Limits, Target
from tests.targets.scripted_wire import Arrival, WireServer, answer

PATH = "/api/atlas/v2/groups/0123456789abcdef01234567/flexClusters/a/backup/restoreJobs"
KEYS = Credentials(public_key=Secret("publickey"), private_key=Secret("private-key-secret"))
ACCOUNT = Credentials(client_id=Secret("mdb_sa_id"), client_secret=Secret("mdb_sa_sk_secret"))


def target(server: WireServer, owner: Credentials | None = None, **limits: float) -> Target:
    credentials = {"owner": owner} if owner else {}
    return Target(server.url, credentials=MappingProxyType(credentials), limits=Limits(**limits))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "raw",
    [
        PATH + "/",
        PATH + "?envelope=true&pretty=&x=%2f%2F",
        "/api/a%2Fb/%7e/%7E/../x//y/./z;p=1?q='\"<>{}|\\^`[]#no",
        "/api/%E2%82%AC%0a%00",
        "/api/a+b%20c?",
    ],
)
def test_targets_arrive_byte_for_byte(server: WireServer, raw: str) -> None:
    with Client(target(server)) as client:
        client.send(Request("GET", raw))
    assert server.arrivals[0].target == raw


def test_a_base_path_wins_over_the_target(server: WireServer) -> None:
    with Client(replace(target(server), base_url=server.url + "/mock")) as client:
        client.send(Request("GET", PATH))
    assert server.arrivals[0].target == "/mock" + PATH


def test_headers_are_those_asked_for_and_few_others(server: WireServer) -> None:
    with Client(replace(target(server), contact="https://example.org/me")) as client:
        client.send(Request("GET", PATH))
        client.send(Request("POST", PATH, (("Content-Type", "text/x"), ("Accept", "a/b")), b"{}"))
        client.send(Request("POST", PATH))
    get, post, bare = server.arrivals
    assert [name for name, _ in get.headers] == ["Host", "User-Agent", "Accept-Encoding"]
    assert (get.header("User-Agent") or "").startswith("atlas-conformance/")
    assert "https://example.org/me" in (get.header("User-Agent") or "")
    assert (post.header("Content-Type"), post.header("Accept"), post.body) == ("text/x", "a/b", b"{}")
    assert bare.header("Content-Length") == "0"
    assert {arrival.connection for arrival in server.arrivals} == {1}


def test_what_http_cannot_carry_is_never_sent(server: WireServer) -> None:
    with Client(target(server)) as client:
        for request in (
            Request("GET", "/api/é"),
            Request("GET", "/api/a b"),
            Request("GET", "/api", (("X-A", "a\r\nX-B: b"),)),
            Request("GET", "http://other.example/api"),
        ):
            with pytest.raises(Unsendable):
                client.send(request)
    assert server.arrivals == []


class Digest:
    """An endpoint that checks digest credentials for real, with nonces that go stale after `life` uses."""

    def __init__(self, life: int = 10**9) -> None:
        self.life, self.issued, self.used = life, 0, {}
        self.lock = threading.Lock()
        self.challenges = 0
        self.replayed = False

    def __call__(self, arrival: Arrival) -> bytes:
        value = arrival.header("authorization") or ""
        fields = dict(re.findall(r'(\w+)="?([^",]*)"?', value.partition(" ")[2]))
        with self.lock:
            nonce = fields.get("nonce", "")
            counts = self.used.get(nonce)
            if counts is not None and self._right(arrival, fields) and len(counts) < self.life:
                self.replayed = self.replayed or fields["nc"] in counts
                counts.add(fields["nc"])
                return answer(200, json.dumps({"uri": fields["uri"]}).encode())
            self.challenges += 1
            self.issued += 1
            self.used[f"n{self.issued}"] = set()
            header = ("WWW-Authenticate", f'Digest realm="r", nonce="n{self.issued}", qop="auth", algorithm=SHA-256')
            return answer(401, b"{}", header)

    @staticmethod
    def _right(arrival: Arrival, fields: dict[str, str]) -> bool:
        def h(text: str) -> str:
            return hashlib.sha256(text.encode()).hexdigest()

        a1, a2 = h("publickey:r:private-key-secret"), h(f"{arrival.method}:{arrival.target}")
        wanted = h(":".join((a1, fields["nonce"], fields["nc"], fields["cnonce"], fields["qop"], a2)))
        return fields["response"] == wanted and fields["username"] == "publickey"


def test_digest_costs_one_round_trip_once_challenged(server: WireServer) -> None:
    server.script = digest = Digest()
    raw = PATH + "?a=%2f"
    with Client(target(server, KEYS)) as client:
        for _ in range(5):
            exchange = client.send(Request("GET", raw))
            assert exchange.response.status == 200
            assert json.loads(exchange.response.body) == {"uri": raw}
    assert digest.challenges == 1
    assert len(server.arrivals) == 6


def test_a_stale_nonce_is_renewed_and_threads_do_not_share_counts(server: WireServer) -> None:
    server.script = digest = Digest(life=7)
    with Client(target(server, KEYS), workers=4) as client:
        exchanges = client.send_all([Request("GET", f"{PATH}?n={n}") for n in range(60)])
    assert [exchange.response.status for exchange in exchanges] == [200] * 60
    assert [json.loads(e.response.body)["uri"] for e in exchanges] == [f"{PATH}?n={n}" for n in range(60)]
    assert not digest.replayed


def test_wrong_and_missing_credentials(server: WireServer) -> None:
    server.script = digest = Digest()
    with Client(target(server, KEYS)) as client:
        wrong = client.send(Request("GET", PATH, credential="wrong"))
        none = client.send(Request("GET", PATH, credential="none"))
        with pytest.raises(MissingCredentials):
            client.send(Request("GET", PATH, credential="reader"))
        with pytest.raises(MissingCredentials):
            client.send(Request("GET", PATH, scheme="bearer"))
        assert client.offers("owner")
        assert not client.offers("reader")
        assert not client.offers("owner", "bearer")
    assert wrong.response.status == none.response.status == 401
    assert digest.challenges == 3
    assert "wrongkey" in (server.arrivals[1].header("authorization") or "")
    assert server.arrivals[2].header("authorization") is None


@pytest.mark.parametrize("challenge", ["Digest", "Digest realm", 'Digest realm="r", nonce="n", algorithm=NEW', "Basic"])
def test_a_challenge_that_cannot_be_met_leaves_its_401(server: WireServer, challenge: str) -> None:
    server.script = lambda arrival: answer(401, b"{}", ("WWW-Authenticate", challenge))
    with Client(target(server, KEYS)) as client:
        assert [client.send(Request("GET", PATH)).response.status for _ in range(2)] == [401, 401]


class Tokens:
    """An endpoint with a token endpoint; only the newest token that was given works."""

    def __init__(self) -> None:
        self.given = 0
        self.basic: str | None = None

    def __call__(self, arrival: Arrival) -> bytes:
        if arrival.target == "/api/oauth/token":
            self.basic = arrival.header("authorization")
            assert arrival.body == b"grant_type=client_credentials"
            self.given += 1
            return answer(200, json.dumps({"access_token": f"token-{self.given}", "expires_in": 3600}).encode())
        return answer(200 if arrival.header("authorization") == f"Bearer token-{self.given}" else 401)


def test_a_token_is_fetched_once_and_renewed_before_it_lapses_or_after_a_401(server: WireServer) -> None:
    server.script = tokens = Tokens()
    now = [0.0]
    with Client(target(server, ACCOUNT), monotonic=lambda: now[0]) as client:
        assert [client.send(Request("GET", PATH)).response.status for _ in range(3)] == [200] * 3
        assert tokens.given == 1
        assert tokens.basic == "Basic bWRiX3NhX2lkOm1kYl9zYV9za19zZWNyZXQ="
        now[0] = 3400.0
        assert client.send(Request("GET", PATH)).response.status == 200
        assert tokens.given == 2
        tokens.given = 7  # what was given before is worth nothing now
        assert client.send(Request("GET", PATH)).response.status == 200
        assert tokens.given == 8
        assert Secret("token-8") in client.secrets


def test_tokens_that_lapse_again_and_again_before_their_time_are_the_endpoints_failure(server: WireServer) -> None:
    server.script = tokens = Tokens()
    statuses = []
    with Client(target(server, ACCOUNT)) as client:
        for _ in range(4):
            statuses += [client.send(Request("GET", PATH)).response.status for _ in range(2)]
            tokens.given += 1  # what was given before is worth nothing now
    # Two may be restarts of the endpoint; after a refusal that counts, the client goes on with a new token.
    assert statuses == [200] * 6 + [401, 200]


def test_a_token_that_never_worked_is_not_renewed_for_ever(server: WireServer) -> None:
    server.script = lambda arrival: answer(
        *((200, b'{"access_token": "t-t-t"}') if arrival.target.endswith("token") else (401, b"{}"))
    )
    with Client(target(server, ACCOUNT)) as client:
        assert [client.send(Request("GET", PATH)).response.status for _ in range(4)] == [401] * 4
    assert len(server.arrivals) == 5


def test_a_refused_account_is_said_in_one_sentence_without_the_secret(server: WireServer) -> None:
    server.script = lambda arrival: answer(401, b'{"error": "invalid_client"}')
    with Client(target(server, ACCOUNT)) as client, pytest.raises(MissingCredentials) as caught:
        client.send(Request("GET", PATH))
    assert "/api/oauth/token answered 401" in str(caught.value)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    ("raw", "cause"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\n{}", "closed"),
        (b"HTTP/1.1 200 OK\r\nContent-Le", "closed"),
        (b"nonsense\r\n\r\n", "malformed"),
        (b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 2\r\n\r\n{}", "malformed"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 20000\r\n\r\n" + b"x" * 20000, "too-large"),
        (b"HTTP/1.1 200 OK\r\n" + b"".join(b"X-%d: 1\r\n" % n for n in range(100000)) + b"\r\n", "malformed"),
        (None, "closed"),
    ],
)
def test_broken_answers_are_one_failure_each_and_the_run_goes_on(
    server: WireServer, raw: bytes | None, cause: str
) -> None:
    server.script, server.close_after = (lambda arrival: raw), True
    with Client(target(server, body_bytes=10000)) as client:
        with pytest.raises(NoAnswer) as caught:
            client.send(Request("GET", PATH))
        server.script, server.close_after = (lambda arrival: answer()), False
        assert client.send(Request("GET", PATH)).response.status == 200
    assert caught.value.cause == cause


def test_a_compressed_body_is_decoded_and_a_bomb_is_not(server: WireServer) -> None:
    small, bomb = gzip.compress(b'{"a": 1}'), gzip.compress(gzip.compress(bytes(200_000_000), 1))
    server.script = lambda arrival: answer(200, small, ("Content-Encoding", "gzip"))
    with Client(target(server)) as client:
        assert client.send(Request("GET", PATH)).response.body == b'{"a": 1}'
        server.script = lambda arrival: answer(200, bomb, ("Content-Encoding", "gzip, gzip"))
        with pytest.raises(NoAnswer) as caught:
            client.send(Request("GET", PATH))
    assert caught.value.cause == "too-large"


def test_a_dripping_answer_ends_at_the_time_limit(server: WireServer) -> None:
    def drip(arrival: Arrival) -> bytes:
        time.sleep(0.05)
        return b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nx"

    server.script = drip
    with Client(target(server, timeout_seconds=0.3)) as client:
        with pytest.raises(NoAnswer) as caught:
            client.send(Request("GET", PATH))
    assert caught.value.cause == "timeout"


def test_a_kept_connection_that_was_closed_is_replaced_once(server: WireServer) -> None:
    with Client(target(server)) as client:
        client.send(Request("GET", PATH))
        answers = iter([None, answer(201)])
        server.script = lambda arrival: next(answers)
        assert client.send(Request("POST", PATH, (), b"{}")).response.status == 201
    assert [arrival.connection for arrival in server.arrivals] == [1, 1, 2]


def test_a_post_on_a_fresh_connection_is_not_repeated(server: WireServer) -> None:
    server.script = lambda arrival: None
    with Client(target(server)) as client, pytest.raises(NoAnswer):
        client.send(Request("POST", PATH, (), b"{}"))
    assert len(server.arrivals) == 1


def test_retry_after_is_waited_for_and_counted(server: WireServer) -> None:
    answers = iter([answer(429, b"{}", ("Retry-After", "3")), answer(503, b"{}", ("Retry-After", "2")), answer(200)])
    server.script = lambda arrival: next(answers)
    slept: list[float] = []
    paced: list[int] = []
    now = [100.0]

    def sleep(seconds: float) -> None:
        slept.append(round(seconds, 3))
        now[0] += seconds

    with Client(
        target(server), sleep=sleep, monotonic=lambda: now[0], on_paced=lambda e: paced.append(e.response.status)
    ) as client:
        assert client.send(Request("GET", PATH)).response.status == 200
        assert client.paced == 2
    assert slept == [3.0, 2.0]
    assert paced == [429, 503]


@pytest.mark.parametrize("retry", ["100", "soon", None])
def test_a_pause_that_is_too_long_or_unreadable_returns_the_answer(server: WireServer, retry: str | None) -> None:
    server.script = lambda arrival: answer(429, b"{}", *([("Retry-After", retry)] if retry else []))
    with Client(target(server)) as client:
        assert client.send(Request("GET", PATH)).response.status == 429
    assert len(server.arrivals) == 1


def test_pauses_are_bounded(server: WireServer) -> None:
    server.script = lambda arrival: answer(429, b"{}", ("Retry-After", "0"))
    with Client(target(server)) as client:
        assert client.send(Request("GET", PATH)).response.status == 429
    assert len(server.arrivals) == 1 + Limits().retries


def test_a_503_without_retry_after_is_tried_again_until_it_stays(server: WireServer) -> None:
    answers = iter([answer(503), answer(503), answer(200)])
    server.script = lambda arrival: next(answers)
    with Client(target(server)) as client:
        assert client.send(Request("GET", PATH)).response.status == 200
        server.arrivals.clear()
        server.script = lambda arrival: answer(503)
        assert client.send(Request("GET", PATH)).response.status == 503
    assert len(server.arrivals) == 1 + Limits().retries


def test_a_read_whose_connection_is_reset_is_retried(server: WireServer) -> None:
    answers = iter([None, None, None, answer(200), *[None] * 9])
    server.script = lambda arrival: next(answers)
    with Client(target(server)) as client:
        assert client.send(Request("GET", PATH)).response.status == 200
        with pytest.raises(NoAnswer):
            client.send(Request("GET", PATH))
    assert len(server.arrivals) == 8


def test_a_digest_request_that_is_retried_is_signed_again(server: WireServer) -> None:
    digest = Digest()
    cut = iter([False, False, True, False, True, True, False])

    def script(arrival: Arrival) -> bytes | None:
        said = digest(arrival)
        return None if next(cut) else said

    server.script = script
    with Client(target(server, KEYS)) as client:
        assert [client.send(Request("GET", PATH)).response.status for _ in range(3)] == [200] * 3
    assert not digest.replayed


def test_writes_that_may_have_taken_effect_unseen_are_reported(server: WireServer) -> None:
    answers = iter([None, answer(503), answer(200), answer(400)])
    server.script = lambda arrival: next(answers)
    unsettled: list[Request] = []
    with Client(target(server), workers=1) as client:
        client.on_unsettled = unsettled.append
        requests = [Request("POST", f"{PATH}?n={n}", (), b"{}") for n in range(3)]
        client.attempt_all(requests)
    assert unsettled == requests[:2]


def test_an_ended_client_sends_nothing_until_it_goes_on(server: WireServer) -> None:
    with Client(target(server)) as client:
        client.end("the time is up")
        with pytest.raises(NoAnswer, match="the time is up"):
            client.send(Request("GET", PATH))
        assert client.ended
        assert server.arrivals == []
        client.resume()
        assert client.send(Request("GET", PATH)).response.status == 200
    client.resume()
    with pytest.raises(NoAnswer, match="closed"):
        client.send(Request("GET", PATH))


def test_ending_wakes_one_who_waits_for_a_pause(server: WireServer) -> None:
    server.script = lambda arrival: answer(429, b"{}", ("Retry-After", "50"))
    failures: list[str] = []
    with Client(target(server)) as client:
        timer = threading.Timer(0.2, client.end, ["the time is up"])
        timer.start()
        try:
            client.send(Request("GET", PATH))
        except NoAnswer as failure:
            failures.append(failure.reason)
        timer.join()
    assert failures == ["the time is up"]


def test_a_rate_spaces_requests_out(server: WireServer) -> None:
    with Client(target(server, rate=50.0), workers=4) as client:
        started = time.monotonic()
        client.send_all([Request("GET", PATH) for _ in range(11)])
    assert time.monotonic() - started > 0.19


def test_send_all_keeps_the_order_and_reports_failures_in_place(server: WireServer) -> None:
    def late(arrival: Arrival) -> bytes | None:
        number = int(arrival.target.rpartition("=")[2])
        time.sleep(0.02 * (4 - number))
        return None if number == 1 else answer(200, b"%d" % number)

    server.script = late
    seen: list[str] = []
    with Client(target(server), workers=4, on_exchange=lambda e: seen.append(e.response.body.decode())) as client:
        requests = [Request("POST", f"{PATH}?n={n}", (), b"") for n in range(4)]
        attempts = client.attempt_all(requests)
        assert isinstance(attempts[1], NoAnswer)
        assert seen == ["0", "2", "3"]
        with pytest.raises(NoAnswer):
            client.send_all(requests)


def test_as_many_requests_are_under_way_as_workers_says_by_now(server: WireServer) -> None:
    together = threading.Barrier(6)

    def met(arrival: Arrival) -> bytes:
        try:
            together.wait(10.0 if client.workers == 6 else 0.1)
        except threading.BrokenBarrierError:
            return answer(404)
        return answer(200)

    server.script = met
    with Client(target(server), workers=2) as client:
        few = client.send_all([Request("GET", PATH) for _ in range(6)])
        client.workers = 6
        together.reset()
        many = client.send_all([Request("GET", PATH) for _ in range(6)])
    assert [exchange.response.status for exchange in few] == [404] * 6
    assert [exchange.response.status for exchange in many] == [200] * 6


def test_redirects_are_answers_and_nothing_goes_elsewhere(server: WireServer) -> None:
    server.script = lambda arrival: answer(307, b"", ("Location", "http://localhost:1/elsewhere"))
    with Client(target(server)) as client:
        assert client.send(Request("GET", PATH)).response.status == 307
    assert len(server.arrivals) == 1


def test_closing_ends_a_request_under_way(server: WireServer) -> None:
    server.script = lambda arrival: time.sleep(5) or answer()
    client = Client(target(server, timeout_seconds=30))
    failures: list[BaseException] = []

    def run() -> None:
        try:
            client.send(Request("GET", PATH))
        except NoAnswer as failure:
            failures.append(failure)

    thread = threading.Thread(target=run)
    thread.start()
    time.sleep(0.2)
    client.close()
    thread.join(2)
    assert not thread.is_alive()
    assert isinstance(failures[0], NoAnswer)


def test_the_guard_is_below_send(server: WireServer) -> None:
    with Client(target(server)) as client:
        client.guard.treat_as_remote("the test says so")
        with pytest.raises(Withheld):
            client.send(Request("POST", PATH, (), b"{}"))
    assert server.arrivals == []
