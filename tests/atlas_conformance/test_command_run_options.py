"""Options of `run` that every such tool has: excluded requirements, own headers, an application, waiting."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tests.atlas_conformance.program import atlas

APP = """
import os
async def app(scope, receive, send):
    if scope["type"] == "lifespan":
        while True:
            message = await receive()
            await send({"type": message["type"] + ".complete"})
            if message["type"] == "lifespan.shutdown":
                return
    body = b'{"error":404,"errorCode":"RESOURCE_NOT_FOUND"}'
    headers = [(b"content-type", b"application/json")]
    await send({"type": "http.response.start", "status": 404, "headers": headers})
    await send({"type": "http.response.body", "body": body})
"""
DYING = (
    APP.replace("    body = ", "    os._exit(3) if dying() else None\n    body = ")
    + """
count = 0
def dying():
    global count
    count += 1
    return count > 150
"""
)


class Echoing(BaseHTTPRequestHandler):
    """Answers every request with a faulty error that repeats the key of a gateway, and notes what came."""

    def do_GET(self) -> None:
        seen: list[str | None] = self.server.seen  # type: ignore[attr-defined]
        seen.append(self.headers["X-Gateway-Key"])
        body = json.dumps({"error": 404, "errorCode": "not found", "detail": self.headers["X-Gateway-Key"]}).encode()
        self.rfile.read(int(self.headers.get("Content-Length", "0")))
        self.send_response(404)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.send_header("X-Seen", self.headers["X-Gateway-Key"] or "")
        self.end_headers()
        self.wfile.write(body)

    do_POST = do_DELETE = do_PUT = do_PATCH = do_GET

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@pytest.fixture
def echoing() -> Iterator[ThreadingHTTPServer]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Echoing)
    server.seen = []  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def test_what_is_excluded_is_shown_as_that_in_every_format(tmp_path: Path) -> None:
    ended = atlas("run", "--profile", "quick", "--requirement", "P-GROUP", "--exclude", "C-STATUS", "--seed", "1",
                  "--report", "out", cwd=tmp_path)  # fmt: skip
    assert ended.returncode == 0, ended
    assert "1 requirement was excluded: C-STATUS." in " ".join(ended.stdout.split())
    out = tmp_path / "out"
    summary = json.loads((out / "summary.json").read_text("utf-8"))
    assert summary["excluded"] == ["C-STATUS"]
    assert summary["requirements"]["C-STATUS"]["verdict"] == "excluded"
    assert {"excluded", "left out by --exclude"} == {
        said for reason in summary["not_exercised"] if "C-STATUS" in reason["cells"]
        for said in (reason["status"], reason["reason"])
    }  # fmt: skip
    assert "excluded: left out by --exclude" in (out / "junit.xml").read_text("utf-8")
    assert "Excluded: left out by --exclude" in (out / "report.html").read_text("utf-8")
    assert "excluded" in (out / "summary.md").read_text("utf-8")
    tests = json.loads((out / "ctrf.json").read_text("utf-8"))["results"]["tests"]
    assert {test["status"] for test in tests if "C-STATUS" in test.get("tags", ())} == {"skipped"}
    rules = json.loads((out / "report.sarif").read_text("utf-8"))["runs"][0]["tool"]["driver"]["rules"]
    assert [rule["properties"]["verdict"] for rule in rules if rule["id"] == "C-STATUS"] == ["excluded"]
    again = atlas("report", "out", cwd=tmp_path)
    assert again.returncode == 0 and "C-STATUS" in again.stdout


def test_a_requirement_that_is_excluded_and_asked_for_is_refused(tmp_path: Path) -> None:
    ended = atlas("run", "--requirement", "P-GROUP", "--exclude", "P-GROUP", cwd=tmp_path)
    assert (ended.returncode, ended.stderr.count("\n")) == (2, 1)


def test_own_headers_go_with_every_request_and_are_never_shown(echoing: ThreadingHTTPServer, tmp_path: Path) -> None:
    key = "gateway-9f8e7d6c5b4a"
    (tmp_path / "t.toml").write_text(
        f'base_url = "http://127.0.0.1:{echoing.server_port}"\n[headers]\nX-Gateway-Key = "MY_KEY"\n'
    )
    ended = atlas("run", "--target", "t.toml", "--profile", "quick", "--requirement", "P-GROUP", "--report", "out",
                  cwd=tmp_path, environ={"MY_KEY": key})  # fmt: skip
    assert ended.returncode in (0, 1), ended
    assert set(echoing.seen) == {key}  # type: ignore[attr-defined]
    assert key not in ended.stdout + ended.stderr
    for path in (tmp_path / "out").iterdir():
        assert key not in path.read_text("utf-8"), path
    assert '--header "X-Gateway-Key: $MY_KEY"' in (tmp_path / "out" / "report.html").read_text("utf-8").replace(
        "&#34;", '"'
    )


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ('X-Key = "NOT_SET_AT_ALL"', "names the environment variable NOT_SET_AT_ALL, which is not set"),
        ('X-Key = "a secret value"', "must be the name of an environment variable, not a value"),
        ('Authorization = "PATH"', "is a header that the suite sets itself"),
        ('"X Key" = "PATH"', "is no name of a header"),
        ("X-Key = 5", "must be a string"),
    ],
)
def test_headers_that_cannot_be_meant_are_refused(tmp_path: Path, line: str, words: str) -> None:
    (tmp_path / "t.toml").write_text(f'base_url = "http://127.0.0.1:1"\n[headers]\n{line}\n')
    ended = atlas("run", "--target", "t.toml", cwd=tmp_path)
    assert (ended.returncode, ended.stderr.count("\n")) == (2, 1)
    assert words in ended.stderr
    assert "secret value" not in ended.stderr


def test_an_application_is_served_for_the_run_and_stopped_after_it(tmp_path: Path) -> None:
    (tmp_path / "mock.py").write_text(APP)
    ended = atlas("run", "--app", "mock:app", "--profile", "quick", "--requirement", "P-GROUP", cwd=tmp_path)
    assert ended.returncode in (0, 1, 4), ended
    assert "Traceback" not in ended.stderr
    url = ended.stderr.partition("http://127.0.0.1:")[2].partition(":")[0]
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", int(url)), 1)


@pytest.mark.parametrize(
    ("app", "words"),
    [
        ("nothing:app", "could not be served"),
        ("mock:nothing", "could not be served"),
        ("mock", "write module:attribute"),
    ],
)
def test_an_application_that_cannot_be_served_is_reported_at_once(tmp_path: Path, app: str, words: str) -> None:
    (tmp_path / "mock.py").write_text(APP)
    started = time.monotonic()
    ended = atlas("run", "--app", app, cwd=tmp_path)
    assert (ended.returncode, ended.stderr.count("\n")) == (2, 1), ended
    assert words in ended.stderr
    assert time.monotonic() - started < 20


def test_an_endpoint_that_dies_is_named_as_that(tmp_path: Path) -> None:
    (tmp_path / "mock.py").write_text(DYING)
    ended = atlas("run", "--app", "mock:app", "--profile", "quick", "--seed", "1", "--report", "out", cwd=tmp_path)
    assert ended.returncode == 3, ended
    assert "ENDPOINT LOST" in ended.stdout and "the endpoint stopped answering" in ended.stdout
    assert "suite itself" not in ended.stdout + ended.stderr
    summary = json.loads((tmp_path / "out" / "summary.json").read_text("utf-8"))
    assert (summary["verdict"], summary["exit_code"], summary["errors"]) == ("unreachable", 3, [])
    assert atlas("report", "out", cwd=tmp_path).returncode == 3


def test_an_endpoint_is_waited_for(tmp_path: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    (tmp_path / "late.py").write_text(
        f"import time, uvicorn, mock\ntime.sleep(3)\nuvicorn.run(mock.app, port={port}, log_level='error')\n"
    )
    (tmp_path / "mock.py").write_text(APP)
    url = f"http://127.0.0.1:{port}"
    at_once = atlas("run", "--base-url", url, "--wait-for-endpoint", "1s", cwd=tmp_path)
    assert (at_once.returncode, at_once.stderr.count("\n")) == (3, 1)
    assert "did not answer within 1 s" in at_once.stderr
    late = subprocess.Popen([sys.executable, "late.py"], cwd=tmp_path)
    try:
        ended = atlas("run", "--base-url", url, "--wait-for-endpoint", "30s", "--requirement", "P-GROUP",
                      "--profile", "quick", cwd=tmp_path)  # fmt: skip
    finally:
        late.kill()
        late.wait()
    assert ended.returncode in (0, 1, 4), ended
    assert "Verifying" in ended.stderr
