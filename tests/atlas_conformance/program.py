"""Running the program as a person does: in a process of its own, from a folder of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
COMMAND = (sys.executable, "-m", "atlas_conformance")
TIME_LIMIT = 120


def surroundings(**variables: str) -> dict[str, str]:
    """The environment of a run: nothing about Atlas or pytest but what is given."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("MONGODB_ATLAS_", "PYTEST_"))}
    return {**kept, "PYTHONPATH": str(ROOT), "COLUMNS": "100", **variables}


def atlas(
    *arguments: str | Path, cwd: Path, environ: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run `atlas-conformance` to its end."""
    return subprocess.run(
        [*COMMAND, *map(str, arguments)],
        cwd=cwd,
        env=surroundings(**(environ or {})),
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=TIME_LIMIT,
    )
