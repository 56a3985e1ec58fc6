"""How long a checked exchange takes: the suites against Schemathesis' own command line, same endpoint, same machine,
one run.

Prints seconds and exchanges of each, and the ratio of the times per exchange. Schemathesis runs with all checks and
otherwise as it comes, or with `--examples` for each of its tests: fewer of them leave more of its coverage cases, which
are the cheaper ones.
Usage: python benchmarks/suite_speed.py [--examples N] [--seed N]
"""

from __future__ import annotations

import argparse
import base64
import json
import re
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from atlas_conformance.contracts.contract import FOLDER  # noqa: E402
from atlas_conformance.reference.server import ReferenceServer  # noqa: E402

_TESTED = re.compile(r"(\d[\d,]*) generated")


def token(server: ReferenceServer) -> str:
    """Fetch a bearer token with the owner's service account."""
    account = server.credentials.owner_account
    basic = base64.b64encode(f"{account.id}:{account.secret}".encode()).decode()
    request = urllib.request.Request(
        f"{server.url}/api/oauth/token",
        data=b"grant_type=client_credentials",
        headers={"Authorization": f"Basic {basic}", "Content-Type": "application/x-www-form-urlencoded"},
    )
    with urllib.request.urlopen(request) as answer:
        return str(json.load(answer)["access_token"])


def schemathesis(server: ReferenceServer, examples: int | None, seed: int) -> tuple[float, int]:
    """Run Schemathesis' command line with all checks; return its seconds and the test cases it generated, each of which
    is one exchange.
    """
    command = [sys.executable, "-m", "schemathesis.cli", "run", str(FOLDER / "openapi.yaml"), "--url", server.url]
    command += ["--checks", "all", "--seed", str(seed)]
    command += ["--max-examples", str(examples)] if examples is not None else []
    command += ["--header", f"Authorization: Bearer {token(server)}"]
    started = time.monotonic()
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    seconds = time.monotonic() - started
    found = _TESTED.search(done.stdout)
    if found is None:
        sys.exit(f"Schemathesis printed no count of test cases:\n{done.stdout[-2_000:]}{done.stderr[-2_000:]}")
    return seconds, int(found[1].replace(",", ""))


def suites(profile: str, seed: int) -> tuple[float, int]:
    """Run the suites as a person does, interpreter start included; return their seconds and exchanges."""
    command = [sys.executable, "-m", "atlas_conformance", "run", "--profile", profile, "--seed", str(seed)]
    started = time.monotonic()
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)
    seconds = time.monotonic() - started
    found = re.search(r"(\d[\d,]*) exchanges in", done.stdout)
    if done.returncode != 0 or found is None:
        sys.exit(f"the run ended with {done.returncode}:\n{done.stdout[-2_000:]}{done.stderr[-2_000:]}")
    return seconds, int(found[1].replace(",", ""))


def main() -> None:
    """Measure in turn, twice each, so that a slow moment of the machine shows."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--examples", type=int)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    per: dict[str, list[float]] = {"schemathesis": [], "quick": [], "standard": []}
    with ReferenceServer(seed=7) as server:
        for _ in range(2):
            for name in per:
                if name == "schemathesis":
                    seconds, exchanges = schemathesis(server, options.examples, options.seed)
                else:
                    seconds, exchanges = suites(name, options.seed)
                per[name].append(seconds / exchanges)
                rate = exchanges / seconds
                print(f"{name:<13} {exchanges:>6,} exchanges in {seconds:6.1f} s  ({rate:6.0f} a second)", flush=True)
    for name in ("quick", "standard"):
        ratios = [ours / theirs for ours, theirs in zip(per[name], per["schemathesis"], strict=True)]
        shown = " and ".join(f"1/{1 / ratio:.1f}" for ratio in ratios)
        print(f"{name}: {shown} of Schemathesis' time for each checked exchange")


if __name__ == "__main__":
    main()
