"""What other processes of a run may have caused is doubted, so that its test is rerun alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from atlas_conformance.contracts.exchange import Exchange
from atlas_conformance.contracts.knowledge import Knowledge
from atlas_conformance.http.client import Client
from atlas_conformance.http.target import Target
from atlas_conformance.reports.journal import JournalWriter
from atlas_conformance.runner.context import TestContext
from atlas_conformance.runner.recorder import Recorder
from tests.reports import sample_journal as sample
from tests.strategies.scenery import INVENTORY, answer, dedicated_snapshot, page, refused, request

SNAPSHOT = "63f8a1c2d4e5f60718293a4b"
LISTED = answer(request("snapshot-list"), page(dedicated_snapshot(id=SNAPSHOT)), started=1.0)
GONE = refused(request("snapshot-get", snapshotId=SNAPSHOT), 404, started=2.0)
MALFORMED = answer(
    request("snapshot-get", snapshotId=SNAPSHOT), dedicated_snapshot(id=SNAPSHOT, status="x"), started=2.0
)


@pytest.mark.parametrize(
    ("second", "crowded", "doubtful"), [(GONE, True, True), (GONE, False, False), (MALFORMED, True, False)]
)
def test_a_snapshot_that_is_gone_may_have_been_deleted_by_another_process(
    tmp_path: Path, second: Exchange, crowded: bool, doubtful: bool
) -> None:
    with (
        JournalWriter(tmp_path / "journal.jsonl", sample.header()) as journal,
        Client(Target("http://127.0.0.1:9")) as c,
    ):
        recorder = Recorder(Knowledge(INVENTORY), journal, c.guard, tuple, crowded=crowded)
        recorder.begin(TestContext("a test"))
        assert not recorder.record(LISTED).judgement.findings
        assert recorder.record(second).judgement.findings
        assert recorder.doubtful is doubtful
