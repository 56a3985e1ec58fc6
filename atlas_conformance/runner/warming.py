"""Doing once what every run, in whatever process, would do for itself."""

from __future__ import annotations

import os
from collections import deque
from pathlib import Path

from atlas_conformance.contracts.contract import Contract
from atlas_conformance.http.target import draw_absent
from atlas_conformance.reports.wording import PROGRAM
from atlas_conformance.strategies.scenes import invented_scene, path_parameters


def warm_up() -> None:
    """Import what a run imports late, and derive what it caches."""
    from atlas_conformance.strategies import drawn, fuzzed

    scene = invented_scene(draw_absent(0), real=True)
    for operation in Contract.load().operations.values():
        parameters = path_parameters(operation, scene, "0" * 24)
        deque(fuzzed.coverage_requests(operation, parameters), maxlen=0)
        drawn.paths(operation, scene, "0" * 24)


def keep_what_is_drawn() -> None:
    """Have Hypothesis keep what is worth keeping in the user's cache: where a command is started it leaves nothing."""
    given = os.environ.get("XDG_CACHE_HOME")
    cache = Path(given) if given else Path(os.path.expanduser("~")) / ".cache"
    os.environ.setdefault("HYPOTHESIS_STORAGE_DIRECTORY", str(cache / PROGRAM / "hypothesis"))
