"""Two runs compared: what fails now and did not, what no longer fails, and what is no longer exercised.

Failures match by requirement, operation and place, never by message or by what was drawn.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from atlas_conformance.contracts import revision_of
from atlas_conformance.reports.model import FAILED, PASSED, FindingGroup, Report
from atlas_conformance.reports.records import Header

Key = tuple[str, str, str]
"""Requirement, operation, place."""

Pair = tuple[str, str]
"""Requirement, operation."""


@dataclass(frozen=True, slots=True)
class Failure:
    """A finding as far as a comparison needs it.

    `lead` is the key of the finding that explains it, or None; `advice` says that it fails nothing.
    """

    key: Key
    expected: str
    seen: str
    unstable: bool = False
    lead: Key | None = None
    advice: bool = False


@dataclass(frozen=True, slots=True)
class Outline:
    """A run as far as a comparison needs it.

    `failures` are the findings that are no known departures, advice among them. `cells` maps each pair of requirement
    and operation to its status and the number of exchanges that exercised it; `reasons` says why some have none.
    `facts` are what the run was: profile, level, mode, seed and the like.
    """

    failures: Mapping[Key, Failure]
    cells: Mapping[Pair, tuple[str, int]]
    reasons: Mapping[Pair, str]
    verdict: str
    started: str
    partial: str | None
    facts: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Lost:
    """A requirement that was exercised on operations on which it no longer is; `reasons` says why, as far as known."""

    requirement: str
    operations: tuple[str, ...]
    whole: bool
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Comparison:
    """An earlier run and a later one.

    `new` fail now and did not; `explained` as well, but follow from one that is new. `fixed` failed and were seen to
    hold; `vanished` failed and were not exercised again; `still` fail as before. `advice` is what the later run has of
    it and the earlier one had not. `lost` is lost coverage. `notes` are sentences on what makes the two runs different
    in kind.
    """

    old: Outline
    now: Outline
    new: tuple[Failure, ...]
    explained: tuple[Failure, ...]
    fixed: tuple[Failure, ...]
    vanished: tuple[Failure, ...]
    still: tuple[Failure, ...]
    lost: tuple[Lost, ...]
    notes: tuple[str, ...]
    advice: tuple[Failure, ...] = ()

    @property
    def worse(self) -> bool:
        """Whether something fails that did not, or is no longer exercised; failures that did not repeat count not."""
        return bool(self.lost) or any(not failure.unstable for failure in self.new)


def outline(report: Report) -> Outline:
    """Return the outline of a report."""
    cells = [cell for row in report.rows.values() for cell in row.cells.values()]
    return Outline(
        failures={group.key: failure_of(group) for group in (*report.advice, *report.groups)},
        cells={(cell.requirement, cell.operation): (cell.status, cell.exercised) for cell in cells},
        reasons={(cell.requirement, cell.operation): cell.reason for cell in cells if cell.reason},
        verdict=report.verdict,
        started=report.header.started,
        partial=report.partial,
        facts=facts_of(report.header),
    )


def failure_of(group: FindingGroup) -> Failure:
    """Return a group of findings as a comparison sees it."""
    finding = group.finding
    return Failure(group.key, finding.expected, finding.seen, group.unstable, group.lead, group.advice)


def strictly(run: Outline) -> Outline:
    """Return the run with all advice as failures, and the verdict that this makes."""
    failures = {key: replace(failure, advice=False) for key, failure in run.failures.items()}
    verdict = FAILED if failures and run.verdict == PASSED else run.verdict
    return replace(run, failures=failures, verdict=verdict, facts={**run.facts, "advice": "failure"})


def facts_of(header: Header) -> dict[str, str]:
    """Return what distinguishes kinds of runs, as names and values."""
    selected = "all" if header.requirements is None else ", ".join(header.requirements)
    return {
        "contract": header.contract,
        "suite": header.suite,
        "level": str(header.target.get("level") or "as found"),
        "profile": header.profile,
        "mode": header.mode,
        "selected requirements": selected,
        "excluded requirements": ", ".join(header.excluded) or "none",
        "shard": header.shard or "none",
        "advice": "failure" if header.strict else "advice",
    }


def compare(old: Outline, now: Outline) -> Comparison:
    """Return what `now` has for better and for worse than `old`."""
    failing = {key: failure for key, failure in now.failures.items() if not failure.advice}
    strict = now.facts.get("advice") == "failure"
    fresh = {k: failure for k, failure in failing.items() if _is_new(failure, old.failures.get(k), strict)}
    gone = [failure for key, failure in old.failures.items() if key not in now.failures and not failure.advice]
    return Comparison(
        old=old,
        now=now,
        new=tuple(f for f in fresh.values() if f.lead not in fresh),
        explained=tuple(f for f in fresh.values() if f.lead in fresh),
        fixed=tuple(f for f in gone if _exercised(now, f.key[:2])),
        vanished=tuple(f for f in gone if not _exercised(now, f.key[:2])),
        still=tuple(failure for key, failure in failing.items() if key not in fresh),
        lost=tuple(_lost(old, now)),
        notes=tuple(_notes(old, now)),
        advice=tuple(f for key, f in now.failures.items() if f.advice and key not in old.failures),
    )


def _is_new(failure: Failure, before: Failure | None, strict: bool) -> bool:
    """Whether a failure is new: one that did not repeat then does not stand for one that repeats now.

    Advice then does not stand for a failure now either, unless that is one because the later run is strict.
    """
    if before is None or (before.unstable and not failure.unstable):
        return True
    return before.advice and not strict


def _exercised(run: Outline, pair: tuple[str, ...]) -> bool:
    status, count = run.cells.get((pair[0], pair[1]), ("", 0))
    return count > 0 or status == FAILED


def _lost(old: Outline, now: Outline) -> Iterable[Lost]:
    by_requirement: dict[str, list[str]] = {}
    for requirement, operation in old.cells:
        pair = (requirement, operation)
        if _exercised(old, pair) and not _exercised(now, pair):
            by_requirement.setdefault(requirement, []).append(operation)
    for requirement, operations in by_requirement.items():
        whole = not any(_exercised(now, pair) for pair in now.cells if pair[0] == requirement)
        pairs = [(requirement, operation) for operation in operations]
        reasons = dict.fromkeys(now.reasons[pair] for pair in pairs if pair in now.reasons)
        yield Lost(requirement, tuple(operations), whole, tuple(reasons))


def _notes(old: Outline, now: Outline) -> Iterable[str]:
    for name, value in now.facts.items():
        before = old.facts.get(name, value)
        if before != value:
            if name == "contract" and (words := _revised(before, value)) is not None:
                yield words
                continue
            yield f"The runs differ in {name}: {before} before, {value} now."
    for name, run in (("earlier", old), ("later", now)):
        if run.partial:
            yield f"The {name} run is partial: {run.partial}."


def _revised(before: str, now: str) -> str | None:
    """Return what a change of the contract's revision means for a comparison; None where there is none."""
    old, new = revision_of(before), revision_of(now)
    if old is None or new is None or old == new:
        return None
    return (
        f"The earlier run was judged by revision {old} of the contract ({before}), this one by revision {new} ({now}):"
        " failures may be new or gone because the contract changed, not the endpoint. contracts/CHANGES.md says what"
        " changed; record a new baseline once you have looked through the differences."
    )
