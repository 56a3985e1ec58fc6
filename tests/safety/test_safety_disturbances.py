"""A sound endpoint behind a bad network passes: resets, 503s, slow answers, and a limit by the second.

`benchmarks/disturbances.py` does the same with whole runs and many seeds.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from atlas_conformance.reference.disturbances import Disturbances, Turbulence
from atlas_conformance.reference.server import ReferenceServer, ServerError
from atlas_conformance.reports.model import Report
from tests.suites.running import complaint, verified

ROUGH = {"resets": 0.05, "unavailable": 0.05, "slow": 0.05, "slow_seconds": 0.03, "retry_after": 0}
REQUIREMENTS = ("B-REQUIRED", "A-WRONG", "A-BEARER", "A-DIGEST", "L-PAGE", "T-CANCEL", "S-FLOW", "L-FOUND")


def verdicts(report: Report) -> dict[tuple[str, str], str]:
    """The status of each cell."""
    return {(row.id, operation): cell.status for row in report.rows.values() for operation, cell in row.cells.items()}


@pytest.mark.unmeasured
@pytest.mark.parametrize(
    "disturbances", [ROUGH, {**ROUGH, "resets": 0.1, "a_second": 150}], ids=["rough", "rough-and-limited"]
)
def test_a_rough_network_changes_no_verdict(tmp_path: Path, disturbances: dict[str, float]) -> None:
    with ReferenceServer(seed=31, step=0.02) as calm:
        code, expected = verified(calm, tmp_path, requirements=REQUIREMENTS, seed=31)
    assert (code, complaint(expected)) == (0, [])
    with ReferenceServer(seed=31, step=0.02, disturbances=disturbances) as rough:
        code, report = verified(rough, tmp_path, requirements=REQUIREMENTS, seed=31)
    assert complaint(report) == []
    assert code == 0
    assert verdicts(report) == verdicts(expected)
    assert any("no answer" in job.state for job in report.jobs)


def test_a_fault_is_found_on_a_rough_network_too(tmp_path: Path) -> None:
    with ReferenceServer(seed=31, step=0.02, disturbances=ROUGH, fault="flex-create/snapshotId-optional") as rough:
        code, report = verified(rough, tmp_path, requirements=("B-REQUIRED",), seed=31)
    assert code == 1
    assert "B-REQUIRED" in {group.requirement for group in report.headlines}


def test_shares_are_kept_and_the_same_seed_draws_the_same() -> None:
    rough = Disturbances.of({"resets": 0.2, "unavailable": 0.3, "slow": 0.1})
    first, second = (Turbulence(rough, 7) for _ in range(2))
    drawn = [first.next(0.0) for _ in range(10_000)]
    assert drawn == [second.next(0.0) for _ in range(10_000)]
    for kinds, share in (
        (("reset-before", "reset-after"), 0.2),
        (("unavailable", "unavailable-soon"), 0.3),
        (("slow",), 0.1),
        (("none",), 0.4),
    ):
        assert abs(sum(kind in kinds for kind in drawn) / 10_000 - share) < 0.03
    limited = Turbulence(Disturbances.of({"a_second": 3}), 7)
    assert [limited.next(moment) for moment in (1.0, 1.1, 1.2, 1.3, 2.0)] == ["none"] * 3 + ["limited", "none"]


@pytest.mark.parametrize("wrong", [{"storms": 1.0}, {"resets": -0.1}, {"resets": 0.6, "slow": 0.6}])
def test_what_makes_no_sense_is_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ServerError, match=r"disturbance|together"):
        ReferenceServer(disturbances=wrong).__enter__()
