"""The adapter of requests: what it judges, what it raises, and that nothing else changes for the client."""

from __future__ import annotations

import io
from typing import Any

import pytest
import requests
from requests.adapters import BaseAdapter
from urllib3 import HTTPResponse

from atlas_conformance.adapters import JudgingAdapter, RequirementFailed, TrafficJudge
from tests.adapters.answering import HEADERS, LIST, READ, TOKEN, encoded, error, job, media_of

URL = "http://mock.example"


class Scripted(BaseAdapter):
    """An adapter that gives these answers in turn, its bodies not read yet."""

    def __init__(self, *answers: tuple[int, Any]) -> None:
        super().__init__()
        self.answers = list(answers)
        self.given: list[dict[str, Any]] = []
        self.closed = False

    def send(self, request: requests.PreparedRequest, stream: bool = False, **given: Any) -> requests.Response:  # type: ignore[override]
        self.given.append({"stream": stream, **given})
        status, document = self.answers.pop(0)
        response = requests.Response()
        response.status_code, response.request, response.url = status, request, request.url or ""
        response.headers["Content-Type"] = media_of(status)
        response.raw = HTTPResponse(io.BytesIO(encoded(document)), preload_content=False, status=status)
        return response

    def close(self) -> None:
        self.closed = True


def session(traffic: TrafficJudge, *answers: tuple[int, Any]) -> tuple[requests.Session, Scripted]:
    scripted = Scripted(*answers)
    made = requests.Session()
    made.trust_env = False
    made.headers.update(HEADERS)
    made.mount("http://", JudgingAdapter(traffic, scripted))
    return made, scripted


def test_what_conforms_passes_and_what_fails_is_raised() -> None:
    http, scripted = session(TrafficJudge(on_failure="raise"), (200, job()), (200, job(status="DONE")))
    with http:
        assert http.get(URL + READ, timeout=7).json() == job()
        with pytest.raises(RequirementFailed) as raised:
            http.get(URL + READ)
    assert raised.value.requirement == "S-STATUS"
    assert scripted.given[0]["timeout"] == 7
    assert scripted.closed


def test_a_history_is_judged_and_credentials_never_stay() -> None:
    done = job(status="COMPLETED", restoreFinishedDate="2026-01-03T00:00:00Z")
    traffic = TrafficJudge()
    http, _ = session(traffic, (200, done), (200, job()), (400, error(400, errorCode=TOKEN)))
    with http:
        for _ in range(3):
            http.get(URL + READ)
    assert {failure.requirement for failure in traffic.failures} >= {"S-FLOW", "E-CODE"}
    assert TOKEN not in repr(traffic.failures)


@pytest.mark.parametrize("body", ['{"snapshotId": 3}', b'{"snapshotId": 3}'])
def test_a_body_of_text_and_one_of_bytes_are_read(body: str | bytes) -> None:
    traffic = TrafficJudge()
    http, _ = session(traffic, (200, job(status="PENDING")))
    with http:
        http.post(URL + LIST, data=body, headers={"Content-Type": "application/json"})
    assert "B-TYPE" in {failure.requirement for failure in traffic.failures}


def test_streams_and_other_paths_pass_unjudged() -> None:
    traffic = TrafficJudge(on_failure="raise")
    http, scripted = session(traffic, *[(200, {"odd": True})] * 3)
    with http:
        assert http.get(URL + READ, stream=True).raw.read(5) == b'{"odd'
        assert http.post(URL + LIST, data=iter([b"{}"])).json() == {"odd": True}
        assert http.get(f"{URL}/elsewhere").json() == {"odd": True}
    assert scripted.given[0]["stream"] is True
    assert traffic.judged == 0
    assert sum(traffic.unjudged.values()) == 2


def test_an_error_of_the_wrapped_adapter_reaches_the_client() -> None:
    class Broken(Scripted):
        def send(self, *_: Any, **__: Any) -> requests.Response:
            raise requests.ConnectionError("no route")

    traffic = TrafficJudge()
    adapter = JudgingAdapter(traffic, Broken())
    with requests.Session() as http:
        http.mount("http://", adapter)
        with pytest.raises(requests.ConnectionError):
            http.get(URL + READ)
    assert traffic.unjudged == {"have no answer": 1}


class Connected(Scripted):
    """One whose answers lead back to it, as those of the default adapter do; the first one asks for a digest."""

    def send(self, request: requests.PreparedRequest, stream: bool = False, **given: Any) -> requests.Response:  # type: ignore[override]
        response = super().send(request, stream, **given)
        response.connection = self  # type: ignore[assignment]
        if response.status_code == 401:
            response.headers["WWW-Authenticate"] = 'Digest realm="r", nonce="n-0-n-c-e", qop="auth"'
        return response


@pytest.mark.parametrize("stream", [False, True])
def test_what_is_sent_with_a_digest_is_judged(stream: bool) -> None:
    traffic = TrafficJudge()
    scripted = Connected((401, error(401)), (200, job(status="DONE")))
    with requests.Session() as http:
        http.trust_env = False
        http.headers["Accept"] = HEADERS["Accept"]
        http.mount("http://", JudgingAdapter(traffic, scripted))
        http.auth = requests.auth.HTTPDigestAuth("public", "private")
        answer = http.get(URL + READ, stream=stream)
        assert (answer.status_code, len(scripted.given)) == (200, 2)
    judged = (traffic.judged, sum(traffic.unjudged.values()))
    assert judged == ((0, 2) if stream else (2, 0))
    assert ("S-STATUS" in {failure.requirement for failure in traffic.failures}) is not stream


def test_an_encoding_that_the_client_does_not_undo_is_not_judged() -> None:
    class Odd(Scripted):
        def send(self, request: requests.PreparedRequest, stream: bool = False, **given: Any) -> requests.Response:  # type: ignore[override]
            response = super().send(request, stream, **given)
            response.headers["Content-Encoding"] = "x-own"
            return response

    traffic = TrafficJudge(on_failure="raise")
    with requests.Session() as http:
        http.mount("http://", JudgingAdapter(traffic, Odd((200, {"odd": 1}))))
        assert http.get(URL + READ, headers=HEADERS).content == encoded({"odd": 1})
    assert (traffic.judged, sum(traffic.unjudged.values())) == (0, 1)
