"""Writes outside the list, as a sloppy endpoint sees them: the guard against a rulebook that shares nothing with it.

    python benchmarks/sloppy_endpoint.py [--seeds 80]

Of each seed, the creates and deletes among 4,000 tempting requests go past the guard in the mode `restore` of a remote
host: restores, downloads, and snapshots that are taken, cancelled and deleted. What it lets through is judged by the
rulebook, which falls back on the place in the path and repairs what is nearly right. Nothing is sent, so that 100,000
creates take less than a minute; now and then one is said to have made something, which may be deleted from then on.
Exit 1 where one could reach what is not on the list.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from atlas_conformance.contracts.exchange import Response  # noqa: E402
from atlas_conformance.http.failures import Withheld  # noqa: E402
from atlas_conformance.http.guard.guard import Guard  # noqa: E402
from atlas_conformance.reference.server import ReferenceServer  # noqa: E402
from tests.safety.posing import NAME, Posed  # noqa: E402
from tests.safety.tempting import Tempting  # noqa: E402
from tests.safety.wiretap import Seen, Wiretap  # noqa: E402

EVERY = 20
"""Of so many creates that are let through, one is said to have made a job or snapshot."""


def main() -> None:
    """Try every seed and print the totals."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=80)
    given = parser.parse_args()
    tried: Counter[str] = Counter()
    sent: Counter[str] = Counter()
    outside = 0
    with ReferenceServer(seed=5) as server, Wiretap(("127.0.0.1", 1)) as tap:
        posed = Posed(server, tap, NAME, max_jobs=10**9, max_snapshots=10**9)
        for seed in range(given.seeds):
            target = posed.target("restore", seed)
            assert target.inventory.absent is not None
            guard, book = Guard(target), posed.rulebook("restore", seed)
            tempting = Tempting(server.inventory, target.inventory.absent, seed)
            through: list[Seen] = []
            for request in tempting.requests(4_000):
                if request.method not in ("POST", "DELETE"):
                    continue
                tried[request.method] += 1
                try:
                    guard.check(request)
                except Withheld:
                    continue
                sent[request.method] += 1
                status, answer = 400, b"{}"
                if request.method == "POST" and sent["POST"] % EVERY == 0:
                    tempting.jobs.append(f"{0xC0FFEE:x}{sent['POST']:018x}")
                    status, answer = 200, json.dumps({"id": tempting.jobs[-1]}).encode()
                guard.settle(request, Response(status, (), answer))
                headers = (("Host", posed.authority),)
                through.append(Seen(request.method, request.target, headers, request.body or b"", status, answer))
            for violation in book.violations(through):
                outside += 1
                print(violation[:500])
    print(
        f"{tried['POST']:,} creates tried, {sent['POST']:,} let through; {tried['DELETE']:,} deletes tried,"
        f" {sent['DELETE']:,} let through; {outside} that could reach what is not on the list"
    )
    sys.exit(1 if outside else 0)


if __name__ == "__main__":
    main()
