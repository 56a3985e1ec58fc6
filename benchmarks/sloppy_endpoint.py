"""Creates outside the list, as a sloppy endpoint sees them: the guard against a rulebook that shares nothing with it.

    python benchmarks/sloppy_endpoint.py [--seeds 70]

Of each seed, the creates among 4,000 tempting requests go past the guard in the mode `restore` of a remote host. What
it lets through is judged by the rulebook, which falls back on the place in the path and repairs what is nearly right.
Nothing is sent, so that 100,000 creates take less than a minute. Exit 1 where one could reach what is not on the list.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from atlas_conformance.http.failures import Withheld  # noqa: E402
from atlas_conformance.http.guard.guard import Guard  # noqa: E402
from atlas_conformance.reference.server import ReferenceServer  # noqa: E402
from tests.safety.posing import NAME, Posed  # noqa: E402
from tests.safety.tempting import Tempting  # noqa: E402
from tests.safety.wiretap import Seen, Wiretap  # noqa: E402


def main() -> None:
    """Try every seed and print the totals."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=70)
    given = parser.parse_args()
    tried = sent = outside = 0
    with ReferenceServer(seed=5) as server, Wiretap(("127.0.0.1", 1)) as tap:
        posed = Posed(server, tap, NAME, max_jobs=10**9)
        for seed in range(given.seeds):
            target = posed.target("restore", seed)
            assert target.inventory.absent is not None
            guard, book = Guard(target), posed.rulebook("restore", seed)
            for request in Tempting(server.inventory, target.inventory.absent, seed).requests(4_000):
                if request.method != "POST":
                    continue
                tried += 1
                try:
                    guard.check(request)
                except Withheld:
                    continue
                sent += 1
                headers = (("Host", posed.authority),)
                seen = Seen(request.method, request.target, headers, request.body or b"", 400, b"{}")
                for violation in book.violations([seen]):
                    outside += 1
                    print(violation[:500])
    print(f"{tried:,} creates tried, {sent:,} let through, {outside} that could reach what is not on the list")
    sys.exit(1 if outside else 0)


if __name__ == "__main__":
    main()
