"""What size costs: a description of 4 MB against its mere parsing, and a page of 10,000 findings against one of 3.

Each is a ratio of two times in one run, with the seconds beside it. Usage: python benchmarks/large_inputs.py
"""

from __future__ import annotations

import copy
import json
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from atlas_conformance.contracts.drift.comparing import differences  # noqa: E402
from atlas_conformance.reports.html import html  # noqa: E402
from tests.drift.test_drift import bundled  # noqa: E402
from tests.reports import sample_journal as sample  # noqa: E402
from tests.reports.browser import CHROMIUM, browse  # noqa: E402


def seconds(work: Callable[[], object]) -> float:
    """Return how long a piece of work takes."""
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def description(folder: Path, size: int) -> Path:
    """Write the contract's own description among a number of bytes of other operations, as YAML."""
    document = bundled()
    own = dict(document["paths"])
    for number in range(size // len(json.dumps(own))):
        document["paths"].update(
            {f"/other/{number}{path.replace('/api/atlas/', '/x/')}": copy.deepcopy(item) for path, item in own.items()}
        )
    file = folder / "vendor.yaml"
    with file.open("w", encoding="utf-8") as out:
        yaml.dump(document, out, Dumper=getattr(yaml, "CSafeDumper", yaml.SafeDumper))
    return file


def main() -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        file = description(folder, 4_000_000)
        loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
        parsed = seconds(lambda: yaml.load(file.read_bytes(), Loader=loader))
        compared = seconds(lambda: differences(file))
        size = file.stat().st_size / 1e6
        print(f"drift of {size:.1f} MB: {compared:.1f} s, {compared / parsed:.2f} times its parsing ({parsed:.1f} s)")
        if CHROMIUM is None:
            print("no Chromium, so no page was opened")
            return
        opened = {}
        for count in (3, 10_000):
            page = folder / f"{count}.html"
            page.write_text(html(sample.huge(folder / str(count), count)), encoding="utf-8")
            shot = f"--screenshot={folder / 'page.png'}"
            opened[count] = seconds(lambda page=page, shot=shot: browse(page, shot, "--window-size=1280,1600"))
        few, many = opened[3], opened[10_000]
        print(f"page of 10,000 findings: opens in {many:.1f} s, {many / few:.2f} times one of 3 ({few:.1f} s)")


if __name__ == "__main__":
    main()
