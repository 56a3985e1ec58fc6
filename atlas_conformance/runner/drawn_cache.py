"""Where Hypothesis keeps what is worth keeping between runs, such as its tables of letters."""

from __future__ import annotations

import os
from pathlib import Path


def keep_what_is_drawn() -> None:
    """Have it kept in the user's cache: where a command is started nothing is left behind."""
    given = os.environ.get("XDG_CACHE_HOME")
    cache = Path(given) if given else Path(os.path.expanduser("~")) / ".cache"
    os.environ.setdefault("HYPOTHESIS_STORAGE_DIRECTORY", str(cache / "atlas-conformance" / "hypothesis"))
