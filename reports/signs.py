"""The signs of statuses on a terminal and in pages, distinguished without colour, and their colours."""

from __future__ import annotations

from collections.abc import Mapping

from atlas_conformance.reports.model import (
    ADVICE,
    DEPARTURE,
    ERROR,
    EXCLUDED,
    FAILED,
    NOT_EXERCISED,
    NOT_OFFERED,
    PASSED,
    WITHHELD,
)

SYMBOLS: Mapping[str, str] = {
    PASSED: "✓",
    FAILED: "✗",
    ADVICE: "△",
    DEPARTURE: "≈",
    ERROR: "!",
    WITHHELD: "#",
    NOT_EXERCISED: "·",
    NOT_OFFERED: "○",
    EXCLUDED: "⊘",
}
"""The sign of each status, distinguished without colour."""

PLAIN_SYMBOLS: Mapping[str, str] = {
    **SYMBOLS,
    PASSED: "+",
    FAILED: "X",
    ADVICE: "?",
    DEPARTURE: "~",
    NOT_EXERCISED: ".",
    NOT_OFFERED: "-",
    EXCLUDED: "x",
}
"""The same where the output's encoding has no others than ASCII."""

STYLES: Mapping[str, str] = {
    PASSED: "green",
    FAILED: "bold red",
    ADVICE: "bold blue",
    DEPARTURE: "yellow",
    ERROR: "bold magenta",
    WITHHELD: "cyan",
    NOT_EXERCISED: "dim",
    NOT_OFFERED: "dim",
    EXCLUDED: "dim",
}
