"""What leaves the suite on the wire, over 100,000 tried requests and more: nothing beyond what each mode allows.

    python benchmarks/wire.py [--tempting 30000] [--profiles quick,standard,thorough] [--seed 5]

A recording relay in front of the reference endpoint keeps every byte. The endpoint poses as a remote one under several
spellings of its host, takes what it should refuse, and redirects elsewhere. For each mode, whole runs of each profile
and loose tempting requests are sent; what arrived is judged by a rulebook that shares nothing with the guard.
"""

from __future__ import annotations

import argparse
import socket
import sys
import tempfile
import time
from collections.abc import Iterator
from itertools import cycle
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from atlas_conformance.http.target import MODES, Mode  # noqa: E402
from atlas_conformance.reference.server import ReferenceServer  # noqa: E402
from tests.safety.posing import HOSTS, NAME, Posed, names_resolve  # noqa: E402
from tests.safety.tempting import Tempting  # noqa: E402
from tests.safety.wiretap import Wiretap, redirecting  # noqa: E402

FAULTS = (
    None,
    "flex-create/absent-snapshot-taken",
    "flex-create/any-credentials",
    "flex-create/snapshotId-optional",
    "flex-create/refused-and-created",
    "cluster-create/n-cluster-unchecked",
    "cluster-create/none-unchecked",
    "tenant-create/n-group-unchecked",
    "cluster-create-v1/targetClusterName-unchecked",
)
"""Faults by which an endpoint takes what it should refuse; None is the sound endpoint."""


class Totals:
    """What was tried, withheld and seen so far, and what should not have left."""

    def __init__(self) -> None:
        self.tried = self.withheld = self.seen = 0
        self.violations: list[str] = []

    def add(self, what: str, posed: Posed, mode: Mode, seed: int, started: float) -> None:
        """Judge what one relay recorded, and print a line of it."""
        seen = list(posed.tap.requests())
        found = list(posed.rulebook(mode, seed).violations(seen))
        self.tried += posed.tries.tried
        self.withheld += posed.tries.withheld
        self.seen += len(seen)
        self.violations += found
        print(
            f"{mode:<9} {what:<64} {posed.tries.tried:>7,} tried {posed.tries.withheld:>7,} withheld"
            f" {len(seen):>7,} on the wire {len(found):>3} too many {time.monotonic() - started:6.1f} s",
            flush=True,
        )
        for violation in found[:5]:
            print(f"          {violation[:500]}")


def _upstream(server: ReferenceServer) -> tuple[str, int]:
    host, _, port = server.url.removeprefix("http://").rpartition(":")
    return host, int(port)


def _tempt(posed: Posed, mode: Mode, seed: int, count: int) -> None:
    absent = posed.target(mode, seed).inventory.absent
    assert absent is not None
    tempting = Tempting(posed.server.inventory, absent, seed)
    posed.send(mode, seed, tempting.requests(count), learn=tempting.jobs.append)


def _plan(profiles: tuple[str, ...]) -> Iterator[tuple[str, str | None]]:
    """Yield profile and fault of each whole run of a mode."""
    for profile in profiles:
        for fault in FAULTS if profile == "quick" else (None,):
            yield profile, fault


def measure(server: ReferenceServer, tempting: int, profiles: tuple[str, ...], seed: int) -> Totals:
    """Send everything and return the totals."""
    totals = Totals()
    hosts = cycle(HOSTS)
    with socket.create_server(("127.0.0.1", 0)) as elsewhere, tempfile.TemporaryDirectory() as folder:
        elsewhere.setblocking(False)
        place = f"http://{NAME}:{elsewhere.getsockname()[1]}"
        for mode in MODES:
            for turn, host in enumerate(HOSTS):
                server.reset()
                started = time.monotonic()
                with Wiretap(_upstream(server), redirecting(place, 5) if turn % 2 else None) as tap:
                    posed = Posed(server, tap, host)
                    _tempt(posed, mode, seed + turn, tempting // len(HOSTS) // len(MODES) + 1)
                    totals.add(f"tempting requests to {host}", posed, mode, seed + turn, started)
            for profile, fault in _plan(profiles):
                server.reset(fault=fault)
                host = next(hosts)
                started = time.monotonic()
                with Wiretap(_upstream(server)) as tap:
                    posed = Posed(server, tap, host)
                    posed.run(Path(folder), mode, profile, seed)
                    totals.add(f"{profile} at {host}, {fault or 'sound'}", posed, mode, seed, started)
        try:
            elsewhere.accept()
            totals.violations.append("a connection was made to where a redirect led")
        except BlockingIOError:
            pass
    return totals


def main() -> None:
    """Run everything; exit 1 where something left that should not have."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tempting", type=int, default=60_000)
    parser.add_argument("--profiles", default="quick,standard,thorough")
    parser.add_argument("--seed", type=int, default=5)
    given = parser.parse_args()
    profiles = tuple(name for name in given.profiles.split(",") if name)
    with names_resolve(), ReferenceServer(seed=given.seed, step=0.01) as server:
        totals = measure(server, given.tempting, profiles, given.seed)
    print(
        f"{totals.tried:,} requests tried, {totals.withheld:,} withheld, {totals.seen:,} on the wire,"
        f" {len(totals.violations)} that should not have left"
    )
    sys.exit(1 if totals.violations else 0)


if __name__ == "__main__":
    main()
