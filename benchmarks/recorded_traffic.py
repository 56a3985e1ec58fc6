"""How fast recorded traffic is judged, in how much memory, and how many corruptions of it are found.

    python benchmarks/recorded_traffic.py [--exchanges 100000] [--corruptions 1000] [SAMPLE.har]

The sample is repeated to the wanted length three times: as it is; with new ids and later times in each repetition, so
that no answer is ever seen again; and like that with a token and a cookie in each request. Each measurement runs in a
process of its own, on one core.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import re
import resource
import subprocess
import sys
import tempfile
import time
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

_HEX24 = re.compile(r"\b[0-9a-f]{24}\b")
_CREDENTIALS = [
    {"name": "Authorization", "value": f"Bearer {'eyJhbGciOiJSUzI1NiJ9.' * 20}"},
    {"name": "Cookie", "value": "session=0c2f6a1e-7c1b-4f7e-9a55-3b8f4be0a2d1; theme=dark-mode"},
]
_MOMENT = re.compile(r"\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")


def default_sample() -> Path:
    """The sample that ATLAS_RECORDINGS names (a folder or a file), or that lies beside the repository."""
    given = os.environ.get("ATLAS_RECORDINGS")
    place = Path(given) if given else ROOT.parent / "shared" / "recordings"
    return place / "atlas-sample.har" if place.is_dir() else place


def repeated(sample: Path, out: Path, exchanges: int, *, fresh: bool, shown: bool = False) -> None:
    """Write a HAR file of `exchanges` entries to `out`, those of `sample` again and again; `shown` adds credentials."""
    entries = json.loads(sample.read_text("utf-8"))["log"]["entries"]
    if shown:
        for entry in entries:
            entry["request"]["headers"] += _CREDENTIALS
    texts = [json.dumps(entry, indent=1) for entry in entries]
    with out.open("w", encoding="utf-8") as file:
        file.write('{"log": {"version": "1.2", "creator": {"name": "repeated", "version": "1"}, "entries": [\n')
        for n in range(exchanges):
            turn, place = divmod(n, len(texts))
            text = _renewed(texts[place], turn) if fresh else texts[place]
            file.write(text if n == 0 else ",\n" + text)
        file.write("\n]}}\n")


def _renewed(text: str, turn: int) -> str:
    def later(match: re.Match[str]) -> str:
        moment = datetime.fromisoformat(match[0]) + timedelta(days=40 * turn % 200_000, seconds=turn)
        return moment.strftime("%Y-%m-%dT%H:%M:%SZ")

    renewed = _HEX24.sub(lambda match: f"{(int(match[0], 16) + turn * 0x9E3779B97F4A7C15) % 16**24:024x}", text)
    return _MOMENT.sub(later, renewed)


def measure(har: Path) -> dict[str, Any]:
    """Judge a file in this process; return exchanges, seconds of the processor, peak memory in MiB, and the verdict."""
    from atlas_conformance.recordings.checking import Check

    started = time.process_time()
    checked = Check([har]).run()
    seconds = time.process_time() - started
    return {
        "exchanges": checked.report.exchanges,
        "seconds": seconds,
        "peak": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        "verdict": checked.report.verdict,
    }


def measured_apart(har: Path) -> dict[str, Any]:
    """The same in a process of its own."""
    command = [sys.executable, __file__, "--measure", str(har)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    result: dict[str, Any] = json.loads(done.stdout)
    return result


def speed(sample: Path, exchanges: int) -> bool:
    """Print exchanges a second and peak memory; return whether nothing failed."""
    good = True
    with tempfile.TemporaryDirectory() as folder:
        for what, fresh, shown in (
            ("the sample again and again", False, False),
            ("new ids and times in each repetition", True, False),
            ("these with credentials", True, True),
        ):
            for length in (exchanges // 10, exchanges):
                har = Path(folder) / "repeated.har"
                repeated(sample, har, length, fresh=fresh, shown=shown)
                size = har.stat().st_size / 2**20
                found = measured_apart(har)
                rate = found["exchanges"] / found["seconds"]
                print(
                    f"{found['exchanges']:>9,} exchanges, {size:6.0f} MiB, {what}: {rate:7,.0f} exchanges/s,"
                    f" peak {found['peak']:.0f} MiB, {found['verdict']}"
                )
                good = good and found["verdict"] == "passed"
    return good


def detection(sample: Path, corruptions: int, seed: int) -> float:
    """Print how many of so many random corruptions are found, and every one that is not; return the rate."""
    from tests.recordings.corruption import Corruptions

    corrupted = Corruptions(sample)
    draw = random.Random(seed)
    missed = []
    for _ in range(corruptions):
        attempt = corrupted.draw(draw.randrange)
        if not corrupted.finds(attempt):
            missed.append(attempt)
    rate = 1 - len(missed) / corruptions
    print(f"{corruptions:>9,} corruptions: {rate:.2%} found with the right requirement (seed {seed})")
    for attempt in missed:
        print(f"          missed: {attempt}")
    return rate


def main() -> None:
    """Run everything that the arguments ask for; exit 1 where a figure is not reached."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sample", nargs="?", type=Path, default=default_sample())
    parser.add_argument("--exchanges", type=int, default=100_000)
    parser.add_argument("--corruptions", type=int, default=1_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--measure", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.measure is not None:
        print(json.dumps(measure(given.measure)))
        return
    if not given.sample.is_file():
        sys.exit(f"{given.sample} does not exist: name a HAR file, or set ATLAS_RECORDINGS to the folder that has one")
    good = speed(given.sample, given.exchanges) if given.exchanges else True
    rate = detection(given.sample, given.corruptions, given.seed) if given.corruptions else 1.0
    sys.exit(0 if good and rate >= 0.99 else 1)


if __name__ == "__main__":
    main()
