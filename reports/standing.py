"""Where a run stands: against an earlier one, its waivers, and the gate. Made by `gates`, shown by every format."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from atlas_conformance.contracts.contract import Contract
from atlas_conformance.contracts.requirement import Basis
from atlas_conformance.reports.comparison import Comparison, Failure, Key
from atlas_conformance.reports.wording import one_line, plural, visible


@dataclass(frozen=True, slots=True)
class Standing:
    """What a gate decided, and on what.

    `gate` is `new`, `any` or `none`; `waived` maps each accepted failure to a sentence on its waiver; `complaints` are
    sentences on waivers that are not in order; `blocking` are sentences on what makes the gate close. `exit_code` is
    the run's. `bases` are those whose failures count (all where empty), `uncounted` the failures of others.
    """

    gate: str
    exit_code: int
    comparison: Comparison | None = None
    waived: Mapping[Key, str] = field(default_factory=dict)
    complaints: tuple[str, ...] = ()
    blocking: tuple[str, ...] = ()
    bases: tuple[Basis, ...] = ()
    uncounted: tuple[Key, ...] = ()

    @property
    def sentence(self) -> str:
        """The decision in one sentence."""
        if self.exit_code == 0:
            notes = [f"{plural(len(self.waived), 'failure')} waived"] if self.waived else []
            flaky = sum(f.unstable for f in self.comparison.new) if self.comparison is not None else 0
            if flaky:
                notes.append(f"{plural(flaky, 'new failure')} did not repeat")
            if self.uncounted:
                verb = "does" if len(self.uncounted) == 1 else "do"
                failures = plural(len(self.uncounted), "failure")
                notes.append(f"{failures} {verb} not count, as only requirements {_or(self.bases)} do")
            return f"The gate “{self.gate}” lets the run through{''.join(f'; {note}' for note in notes)}."
        if self.blocking:
            return f"The gate “{self.gate}” is closed: {'; '.join(self.blocking)}."
        return "The gate was not asked: the run itself reached no verdict."


def _or(bases: Iterable[Basis]) -> str:
    """Return bases in words, as in `that are documented or recorded`."""
    words = {"project rule": "that are a project rule"}
    return " or ".join(words.get(basis, f"that are {basis}") for basis in bases)


def failure_words(failure: Failure) -> str:
    """Return a failure in one line."""
    requirement, operation, place = failure.key
    unstable = " (unstable: it did not repeat)" if failure.unstable else ""
    words = f"{requirement} on {operation} at {place}: expected {failure.expected}, seen {failure.seen}{unstable}"
    return one_line(words, 400)


def sources_of(failures: Iterable[Failure]) -> list[str]:
    """Return, for each requirement of some failures, what it asks for and where that can be looked up, in one line."""
    known = [
        Contract.load().requirements[id]
        for id in dict.fromkeys(failure.key[0] for failure in failures)
        if id in Contract.load().requirements
    ]
    return [f"{one.id}: {one.statement} Source: {one.source}" for one in known]


def standing_lines(standing: Standing) -> list[str]:
    """Return all that is to be said of a standing as lines of plain text, the decision last."""
    lines: list[str] = []
    comparison = standing.comparison
    if comparison is not None:
        lines.append(comparison_sentence(comparison))
        lines += comparison.notes
        for heading, failures in (
            ("New failure", comparison.new),
            ("Explained by a new failure", comparison.explained),
            ("Fixed", comparison.fixed),
            ("Not exercised again", comparison.vanished),
            ("Still failing", comparison.still),
        ):
            lines += _some(heading, [failure_words(failure) for failure in failures])
            if failures is comparison.new:
                lines += sources_of(failures)
        lines += _some("New advice", [failure_words(failure) for failure in comparison.advice])
        lines += _some("Lost coverage", lost_words(comparison))
    lines += [f"Waived: {sentence}" for sentence in dict.fromkeys(standing.waived.values())]
    lines += standing.complaints
    lines.append(standing.sentence)
    return [visible(line) for line in lines]


def short_standing_lines(standing: Standing, most: int = 3) -> list[str]:
    """Return what is worse, as few lines of plain text, the decision last; `most` of each kind."""
    lines: list[str] = []
    comparison = standing.comparison
    if comparison is not None:
        lines.append(comparison_sentence(comparison))
        lines += _some("New failure", [failure_words(failure) for failure in comparison.new], most)
        lines += _some("Lost coverage", lost_words(comparison), most)
    lines += _some("Waivers", standing.complaints, most)
    lines.append(standing.sentence)
    return [visible(line) for line in lines]


def comparison_sentence(comparison: Comparison) -> str:
    """Return the comparison in one sentence."""
    parts = [
        plural(len(comparison.new), "new failure"),
        f"{len(comparison.fixed)} fixed",
        f"{len(comparison.still)} still failing",
        f"{plural(len(comparison.lost), 'requirement')} with lost coverage",
    ]
    return f"Compared with the run of {comparison.old.started}: {', '.join(parts)}."


def lost_words(comparison: Comparison) -> list[str]:
    """Return each loss of coverage in one line."""
    lines = []
    for lost in comparison.lost:
        where = "anywhere" if lost.whole else f"on {', '.join(lost.operations)}"
        reasons = f" ({'; '.join(lost.reasons)})" if lost.reasons else ""
        lines.append(one_line(f"{lost.requirement} is no longer exercised {where}{reasons}", 500))
    return lines


def _some(heading: str, items: Iterable[str], limit: int = 40) -> list[str]:
    every = list(items)
    lines = [f"{heading}: {item}" for item in every[:limit]]
    return [*lines, f"{heading}: {len(every) - limit:,} more"] if len(every) > limit else lines
