"""The program's name and place, and the exit codes of its own errors."""

from __future__ import annotations

from pathlib import Path

PROGRAM = "atlas-conformance"
PACKAGE = Path(__file__).resolve().parents[1]
"""The folder of the package, which holds `suites` and the join of pytest and the run."""

INTERRUPTED = 4
"""The exit code of a command that was interrupted before it had anything to show: nothing was exercised."""

OWN_ERROR = 4
"""The exit code of an error of the program itself."""
