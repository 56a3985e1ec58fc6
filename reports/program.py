"""The program's name, and the exit codes of its own errors."""

from __future__ import annotations

PROGRAM = "atlas-conformance"

INTERRUPTED = 4
"""The exit code of a command that was interrupted before it had anything to show: nothing was exercised."""

OWN_ERROR = 4
"""The exit code of an error of the program itself."""
