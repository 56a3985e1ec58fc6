"""The program's name and places, and the exit codes of its own errors."""

from __future__ import annotations

import os
from pathlib import Path

PROGRAM = "atlas-conformance"
PACKAGE = Path(__file__).resolve().parent
"""The folder of the package, which holds `suites` and the join of pytest and the run."""

INTERRUPTED = 4
"""The exit code of a command that was interrupted before it had anything to show: nothing was exercised."""

OWN_ERROR = 4
"""The exit code of an error of the program itself."""


def keep_what_is_drawn() -> None:
    """Have Hypothesis keep what is worth keeping in the user's cache: where a command is started it leaves nothing."""
    given = os.environ.get("XDG_CACHE_HOME")
    cache = Path(given) if given else Path(os.path.expanduser("~")) / ".cache"
    os.environ.setdefault("HYPOTHESIS_STORAGE_DIRECTORY", str(cache / PROGRAM / "hypothesis"))
