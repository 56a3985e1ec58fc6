"""Whether a bad network changes a verdict: whole runs against the sound reference endpoint, calm and disturbed.

    python benchmarks/disturbances.py [--profile quick] [--seeds 5] [--share 5]

Of the requests, `--share` percent each are reset, answered 503 (half of them without `Retry-After`) and answered late;
every other seed also meets a limit of 150 requests a second. Prints what differs from the calm run; exit 1 if anything
does.
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
from tests.safety.test_safety_disturbances import verdicts  # noqa: E402
from tests.suites.running import complaint, verified  # noqa: E402


def main() -> None:
    """Run every seed twice and compare."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--profile", default="quick")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--share", type=float, default=5.0)
    given = parser.parse_args()
    share = given.share / 100
    different = 0
    for seed in range(given.seeds):
        disturbances = {"resets": share, "unavailable": share, "slow": share, "slow_seconds": 0.1, "retry_after": 0.0}
        if seed % 2:
            disturbances["a_second"] = 150
        with tempfile.TemporaryDirectory() as folder:
            with ReferenceServer(seed=seed, step=0.02) as calm:
                _, expected = verified(calm, Path(folder), seed=seed, profile=given.profile)
            started = time.monotonic()
            with ReferenceServer(seed=seed, step=0.02, disturbances=disturbances) as rough:
                code, report = verified(rough, Path(folder), seed=seed, profile=given.profile)
        found = complaint(report)
        before, after = verdicts(expected), verdicts(report)
        found += [f"{cell}: {before[cell]} became {after[cell]}" for cell in after if after[cell] != before[cell]]
        different += bool(found) or code != 0
        print(
            f"seed {seed}: {report.verdict}, {report.exchanges:,} exchanges, {time.monotonic() - started:.0f} s,"
            f" {len(found)} differences",
            flush=True,
        )
        for line in found[:10]:
            print(f"    {line}")
    sys.exit(1 if different else 0)


if __name__ == "__main__":
    main()
