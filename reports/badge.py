"""The badge: a small SVG picture that says the verdict."""

from __future__ import annotations

from xml.sax.saxutils import escape

from atlas_conformance.reports.model import DEPARTURE, ERROR, FAILED, INCOMPLETE, PASSED, UNREACHABLE, Report
from atlas_conformance.reports.standing import Standing
from atlas_conformance.reports.wording import Curl, plural

_LABEL = "atlas conformance"
_GREEN, _RED, _AMBER, _GREY = "#23784a", "#b3261e", "#8a5a00", "#5b606b"


def badge(report: Report, curl: Curl | None = None, standing: Standing | None = None) -> bytes:
    """Return the badge as SVG text in UTF-8: the share of requirements that hold, or what went wrong."""
    message, colour = _message(report, standing)
    left, right = _width(_LABEL), _width(message)
    whole = left + right
    text = f"""<svg xmlns="http://www.w3.org/2000/svg" width="{whole}" height="20" role="img" \
aria-label="{escape(_LABEL)}: {escape(message)}">
  <title>{escape(_LABEL)}: {escape(message)}</title>
  <clipPath id="corners"><rect width="{whole}" height="20" rx="4"/></clipPath>
  <g clip-path="url(#corners)">
    <rect width="{left}" height="20" fill="#30343b"/>
    <rect x="{left}" width="{right}" height="20" fill="{colour}"/>
  </g>
  <g fill="#fff" font-family="Verdana,DejaVu Sans,sans-serif" font-size="11" text-anchor="middle">
    <text x="{left / 2:g}" y="14">{escape(_LABEL)}</text>
    <text x="{left + right / 2:g}" y="14">{escape(message)}</text>
  </g>
</svg>
"""
    return text.encode()


def _message(report: Report, standing: Standing | None) -> tuple[str, str]:
    exercised = [row for row in report.rows.values() if row.exercised and row.selected]
    held = sum(row.verdict in (PASSED, DEPARTURE) for row in exercised)
    if report.verdict == FAILED:
        failed = len(report.requirements(FAILED))
        if standing is not None and standing.exit_code == 0:
            return f"{plural(failed, 'requirement')} accepted as failing", _AMBER
        return f"{failed} of {len(exercised)} failing", _RED
    if report.verdict == PASSED:
        return f"{held} of {len(exercised)} hold", _GREEN
    words = {INCOMPLETE: "incomplete run", UNREACHABLE: "endpoint lost", ERROR: "suite error"}
    return words.get(report.verdict, "nothing exercised"), _GREY


def _width(text: str) -> int:
    """Return the width of a text of eleven pixels with its margins, as Verdana's average letter has it."""
    return round(len(text) * 6.6) + 14
