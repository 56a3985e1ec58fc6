"""The relay: every byte passed on, every exchange seen."""

from __future__ import annotations

import asyncio
import gzip
import json
import signal
import subprocess
from pathlib import Path

import httpx
import pytest
from click.testing import CliRunner

from atlas_conformance.cli.check import check_command
from atlas_conformance.cli.record import record_command
from atlas_conformance.recordings.entries import Recorded, Unjudged
from atlas_conformance.recordings.relay import Relay, Upstream
from atlas_conformance.recordings.watched import Message, Watched
from atlas_conformance.reference.server import ReferenceServer
from tests.atlas_conformance.program import COMMAND, surroundings
from tests.recordings.samples import FLEX, JOB

GET = b"GET /a?b=%20 HTTP/1.1\r\nhOsT:  somewhere\r\nX-Odd:   spaced  \r\nAccept: */*\r\n\r\n"
CHUNKED = b"POST /b HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
CHUNKED += b"3;ext=1\r\nabc\r\n2\r\nde\r\n0\r\nT: 1\r\n\r\n"
PLAIN = b"HTTP/1.1 200 Fine, Thanks\r\nx-LOWER: 1\r\nContent-Length: 2\r\n\r\nok"
PIECES = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n1;x\r\nb\r\n0\r\n\r\n"
CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"


def relayed(asked: bytes, answers: list[bytes], *, piece: int = 5) -> tuple[bytes, bytes, list[Watched]]:
    """Send bytes through a relay to an upstream that answers with bytes; return what each side got, and what was seen.

    Everything is sent `piece` bytes at a time; the upstream answers once all of `asked` has come, and hangs up.
    """
    got = bytearray()
    seen: list[Watched] = []

    async def drip(writer: asyncio.StreamWriter, data: bytes) -> None:
        for start in range(0, len(data), piece):
            writer.write(data[start : start + piece])
            await writer.drain()
            await asyncio.sleep(0)

    async def run() -> bytes:
        async def upstream(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            got.extend(await reader.read(-1))
            for answer in answers:
                await drip(writer, answer)
            writer.close()

        server = await asyncio.start_server(upstream, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        relay = Relay(Upstream("127.0.0.1", port, "up.example:80"), seen.append, lambda sentence: None)
        front = await asyncio.start_server(relay.serve, "127.0.0.1", 0)
        reader, writer = await asyncio.open_connection(*front.sockets[0].getsockname())
        await drip(writer, asked)
        writer.write_eof()
        came = await asyncio.wait_for(reader.read(-1), 10)
        writer.close()
        for each in (front, server):
            each.close()
        await relay.stop()
        return came

    came = asyncio.run(run())
    return bytes(got), came, seen


@pytest.mark.parametrize("piece", [1, 7, 10_000])
def test_not_a_byte_is_changed_but_for_the_host(piece: int) -> None:
    got, came, seen = relayed(GET + CHUNKED, [PLAIN, CONTINUE + PIECES], piece=piece)
    assert got == (GET.replace(b"somewhere", b"up.example:80") + CHUNKED.replace(b"Host: x", b"Host: up.example:80"))
    assert came == PLAIN + CONTINUE + PIECES
    assert [(each.request.target, bytes(each.request.body), bytes(each.answer.body)) for each in seen] == [
        ("/a?b=%20", b"", b"ok"),
        ("/b", b"abcde", b"ab"),
    ]
    assert ("X-Odd", "spaced") in seen[0].request.headers


@pytest.mark.parametrize(
    ("asked", "answer"),
    [
        (b"\x16\x03\x01 no http at all\r\n\r\n", b"\x15\x03\x01"),
        (b"GET / HTTP/1.1\r\nHost: up.example:80\r\n\r\n", b"no http either\r\n\r\n"),
        (b"GET / HTTP/1.1\r\nHost: up.example:80\r\nBad Header\r\n\r\n", PLAIN),
    ],
)
def test_what_is_no_http_is_passed_on_unseen(asked: bytes, answer: bytes) -> None:
    assert relayed(asked, [answer]) == (asked, answer, [])


def test_an_answer_that_ends_with_the_connection_is_whole() -> None:
    answer = b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nto the end"
    asked = GET.replace(b"somewhere", b"up.example:80")
    got, came, seen = relayed(asked, [answer])
    assert (got, came) == (asked, answer)
    assert bytes(seen[0].answer.body) == b"to the end"


def watched(body: bytes, *headers: tuple[str, str]) -> Watched:
    request = Message("GET", f"{FLEX}/{JOB}", headers=(("Host", "x"), ("Authorization", "Bearer t"), ("Accept", "*/*")))
    return Watched(request, Message(status=200, headers=headers, body=bytearray(body)), 1.0, 2.0)


def test_credentials_do_not_leave_the_relay_and_encodings_are_undone() -> None:
    entry = watched(gzip.compress(b"{}"), ("Content-Encoding", "gzip")).entry()
    assert isinstance(entry, Recorded)
    assert entry.exchange.request.headers == (("Accept", "*/*"),)
    assert entry.exchange.response.body == b"{}"
    assert isinstance(watched(b"??", ("Content-Encoding", "gzip")).entry(), Unjudged)
    assert isinstance(watched(b"??", ("Content-Encoding", "br")).entry(), Unjudged)


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("http://atlas.example", "is another machine, and over plain http"),
        ("https://user:password@atlas.example", "a URL must not carry credentials"),
        ("https://atlas.example/base", "leave out the path"),
        ("ftp://atlas.example", "is not an http or https URL"),
    ],
)
def test_an_upstream_that_cannot_be_meant_is_refused(tmp_path: Path, url: str, words: str) -> None:
    result = CliRunner().invoke(record_command, ["--upstream", url, "--out", str(tmp_path / "x.har")])
    assert result.exit_code == 2
    assert words in " ".join(result.stderr.split())
    assert "password@" not in result.stderr
    assert not (tmp_path / "x.har").exists()


def test_a_recording_is_judged_while_it_is_made_and_again_afterwards(tmp_path: Path) -> None:
    out = tmp_path / "out.har"
    with ReferenceServer(seed=4, fault="flex-list/total-off-by-one") as server:
        command = [*COMMAND, "record", "--upstream", server.url, "--out", str(out)]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=surroundings(), cwd=tmp_path)
        try:
            assert process.stdout is not None
            address = process.stdout.readline().split()[1].rstrip(",")
            cluster = next(each for each in server.inventory.clusters if each.kind == "flex")
            place = f"/api/atlas/v2/groups/{cluster.project}/flexClusters/{cluster.name}/backup/restoreJobs"
            with httpx.Client(base_url=address) as client:
                basic = (server.credentials.owner_account.id, server.credentials.owner_account.secret)
                granted = client.post("/api/oauth/token", data={"grant_type": "client_credentials"}, auth=basic)
                token = granted.json()["access_token"]
                bearer = {"Authorization": f"Bearer {token}", "Accept": "application/vnd.atlas.2024-11-13+json"}
                assert client.get(place, headers=bearer).status_code == 200
                assert client.get(place).status_code == 401
            process.send_signal(signal.SIGINT)
            printed, _ = process.communicate(timeout=20)
        finally:
            process.kill()
            process.wait()
    text = out.read_text(encoding="utf-8")
    recorded = json.loads(text)["log"]["entries"]
    assert [entry["response"]["status"] for entry in recorded] == [200, 401]
    assert "1 entry outside the contract" in printed
    assert not any(secret in text + printed for secret in (token, basic[1]))
    assert process.returncode == 0, printed
    again = CliRunner().invoke(check_command, [str(out)])
    assert again.exit_code == 0, again.output
    assert "Advice, which fails nothing: L-TOTAL." in " ".join(printed.split())
    assert CliRunner().invoke(check_command, [str(out), "--strict"]).exit_code == 1
