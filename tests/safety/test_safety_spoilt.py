"""An endpoint with some invalid answers: that is a failure, also where the same request is answered well later."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from atlas_conformance.cli.run import run_suites
from atlas_conformance.reference.credentials import environment
from atlas_conformance.reference.fixtures import target_toml
from atlas_conformance.reference.server import ReferenceServer
from atlas_conformance.reports.journal import Journal
from atlas_conformance.reports.model import Report
from atlas_conformance.reports.records import ExchangeRecord, RepeatRecord
from atlas_conformance.reports.summary import summary
from atlas_conformance.runner.options import Options
from atlas_conformance.runner.plugin import SuitePlugin
from atlas_conformance.runner.session import Session
from tests.safety.test_safety_wire import upstream
from tests.safety.wiretap import Wiretap

EVERY = 40
_LENGTH = re.compile(rb"(?i)(content-length: )([0-9]+)")


def noise(piece: bytes) -> bytes:
    return b"SSH-2.0-OpenSSH_9.6\r\n\r\n"


def undecodable(piece: bytes) -> bytes:
    return piece.replace(b"\r\n", b"\r\nContent-Encoding: gzip\r\n", 1)


def stalled(piece: bytes) -> bytes:
    return _LENGTH.sub(lambda match: match[1] + b"%d" % (int(match[2]) + 10), piece)


def too_large(piece: bytes) -> bytes:
    head = piece.partition(b"\r\n\r\n")[0]
    return _LENGTH.sub(rb"\g<1>5000000", head) + b"\r\n\r\n" + b" " * 5_000_000


def cut(piece: bytes) -> bytes:
    raise ConnectionResetError


@pytest.fixture(scope="module")
def server() -> Iterator[ReferenceServer]:
    with ReferenceServer(seed=5, step=0.01) as running:
        yield running


def verified(server: ReferenceServer, folder: Path, spoil: Callable[[bytes], bytes], every: int) -> tuple[int, Report]:
    """Run the suites against the endpoint with each so-manieth answer spoilt; return the exit code and the report."""

    def rewrite(piece: bytes, number: int) -> bytes:
        return piece if number % every else spoil(piece)

    server.reset()
    with Wiretap(upstream(server), rewrite) as tap:
        target = folder / "target.toml"
        seconds = 0.6 if spoil is stalled else 10.0  # a busy machine is late at times
        lines = [*target_toml(server.url, server.inventory).splitlines(), "[limits]", f"timeout_seconds = {seconds}"]
        lines[0] = f'base_url = "http://127.0.0.1:{tap.port}"'
        target.write_text("\n".join(lines) + "\n", encoding="utf-8")
        options = Options(
            target=str(target), profile="quick", seed=3, requirements=("B-REQUIRED", "P-JOB"), report=folder / "out",
            workers=2, processes=1,
        )  # fmt: skip
        session = Session(options, environ=dict(environment(server.credentials)))
        code = run_suites(SuitePlugin(session, show=lambda finished: None))
    assert session.report is not None
    return code, session.report


@pytest.mark.parametrize("spoil", [noise, undecodable, stalled, too_large], ids=lambda spoil: spoil.__name__)
def test_a_spoilt_answer_is_an_unstable_failure(
    server: ReferenceServer, tmp_path: Path, spoil: Callable[[bytes], bytes]
) -> None:
    code, report = verified(server, tmp_path, spoil, EVERY)
    assert code == 1
    assert report.errors == ()
    assert {group.requirement for group in report.groups} == {"C-STATUS"}
    assert any(group.unstable for group in report.groups)
    assert all(group.finding.seen.startswith("no complete answer: ") for group in report.groups)
    # What counts is the second answer.
    assert report.rows["B-REQUIRED"].verdict == report.rows["P-JOB"].verdict == "passed"
    records = list(Journal(tmp_path / "out" / "journal.jsonl"))
    unanswered = {r.n for r in records if isinstance(r, ExchangeRecord) and r.exchange.response.status == 0}
    assert unanswered == {r.n for r in records if isinstance(r, RepeatRecord)} != set()


def test_lost_connections_are_counted_and_shown(server: ReferenceServer, tmp_path: Path) -> None:
    code, report = verified(server, tmp_path, cut, EVERY)
    assert (code, report.groups) == (0, ())
    assert report.lost_connections > 2
    assert summary(report)["lost_connections"] == report.lost_connections
    page = (tmp_path / "out" / "report.html").read_text("utf-8")
    assert "Lost connections" in page


def test_a_spoilt_answer_to_the_first_look_is_a_failure_too(server: ReferenceServer, tmp_path: Path) -> None:
    """The preflight sends some ten requests."""
    once = threading.Event()

    def spoil(piece: bytes) -> bytes:
        if once.is_set():
            return piece
        once.set()
        return noise(piece)

    code, report = verified(server, tmp_path, spoil, 6)
    assert code == 1
    assert [group.requirement for group in report.groups] == ["C-STATUS"]
