"""What a run costs the endpoint, in requests."""

from __future__ import annotations

from pathlib import Path

from atlas_conformance.reference.server import ReferenceServer
from tests.suites.running import complaint, unexercised, verified

NEEDS_A_CREATE = {"B-ACCEPT", "N-TARGET", "S-NEW", "S-SAME", "T-ECHO", "T-NEW", "T-PARTS"}
NEEDS_A_429 = {"A-RETRY"}


def test_a_quick_run_that_restores_nothing_is_light(tmp_path: Path) -> None:
    """At 1,200 requests a minute, some half a minute; and what can be seen without a job is seen."""
    with ReferenceServer(seed=11, step=0.02) as server:
        code, report = verified(server, tmp_path, mode="refusals")
    assert complaint(report) == []
    assert code == 0
    assert report.exchanges <= 700
    assert unexercised(report, "core") == NEEDS_A_CREATE | NEEDS_A_429
