"""What a run takes where each answer is late and requests are limited, and whether a verdict changes by it.

    python benchmarks/slow_endpoint.py [--profile standard] [--latency 0.2] [--rate 1200] [--seed 1]

The sound reference endpoint is verified twice: as it is, and with `--latency` seconds added to each answer and no more
than `--rate` requests a minute. Prints seconds and requests of both, what the limit alone would allow, and each verdict
that differs; exit 1 if one does.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from atlas_conformance.reference.server import ReferenceServer  # noqa: E402
from atlas_conformance.reports.model import Report  # noqa: E402
from tests.safety.test_safety_disturbances import verdicts  # noqa: E402
from tests.suites.running import complaint, verified  # noqa: E402


def measured(server: ReferenceServer, profile: str, seed: int) -> tuple[Report, float]:
    """Verify an endpoint; return the report and the seconds that it took."""
    started = time.monotonic()
    with server, tempfile.TemporaryDirectory() as folder:
        _, report = verified(server, Path(folder), seed=seed, profile=profile)
    return report, time.monotonic() - started


def main() -> None:
    """Run both and compare."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--profile", default="standard")
    parser.add_argument("--latency", type=float, default=0.2)
    parser.add_argument("--rate", type=int, default=1200)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    calm, at_once = measured(ReferenceServer(seed=7), given.profile, given.seed)
    print(f"as it is: {calm.verdict}, {calm.exchanges:,} exchanges in {at_once:.0f} s", flush=True)
    server = ReferenceServer(seed=7, latency=given.latency, rate=given.rate)
    report, seconds = measured(server, given.profile, given.seed)
    print(
        f"{given.latency:g} s late, {given.rate:,} a minute: {report.verdict}, {report.exchanges:,} exchanges in"
        f" {seconds:.0f} s; at the full rate they take {report.exchanges * 60 / given.rate:.0f} s"
    )
    before, after = verdicts(calm), verdicts(report)
    found = complaint(report)
    found += [f"{cell}: {before.get(cell)} became {after.get(cell)}" for cell in sorted(before.keys() | after.keys())
              if before.get(cell) != after.get(cell)]  # fmt: skip
    print(f"{len(found)} verdicts differ")
    for line in found[:20]:
        print(f"    {line}")
    sys.exit(1 if found else 0)


if __name__ == "__main__":
    main()
