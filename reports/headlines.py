"""A defect in the words that formats for other programs show first: what is wrong, how far, and what proves it."""

from __future__ import annotations

from atlas_conformance.reports.contrasts import LABEL, contrast_words
from atlas_conformance.reports.model import Defect, FindingGroup, Report
from atlas_conformance.reports.sentences import named, reach
from atlas_conformance.reports.standing import Standing
from atlas_conformance.reports.wording import one_line


def title(defect: Defect) -> str:
    """Return what a defect is called: its requirement, its operations, and the place; no two have the same."""
    place = one_line(defect.headline.place, 200)
    return f"{defect.requirement} on {named(defect.operations)}" + (f", {place}" if place else "")


def in_short(defect: Defect, report: Report) -> str:
    """Return one line: what is wrong, on how many exchanges, and the contrast where one was found."""
    contrast = contrast_words(report.contrasts, defect.headline.key)
    short = f"{one_line(defect.sentence, 600)} ({reach(defect.count, defect.exercised)})."
    return short if contrast is None else f"{short} {LABEL}: {contrast}."


def in_full(defect: Defect, report: Report) -> list[str]:
    """Return lines: what is wrong, the contrast, and what else the defect explains."""
    others = dict.fromkeys(f"{group.requirement} on {group.operation}" for group in defect.explains)
    lines = [in_short(defect, report)]
    return [*lines, f"Explains: {', '.join(others)}"] if others else lines


def waived(defect: Defect, standing: Standing | None) -> str | None:
    """Return the waivers under which all that fails of a defect is; None where something of it still counts."""
    failing = [group.key for group in defect.groups if not group.advice]
    if standing is None or not failing or any(key not in standing.waived for key in failing):
        return None
    return "; ".join(dict.fromkeys(standing.waived[key] for key in failing))


def by_group(report: Report) -> list[tuple[FindingGroup, Defect]]:
    """Return every group of findings with its defect, in the order of the defects, each headline first."""
    return [(group, defect) for defect in report.defects for group in defect.groups]
