"""The gate: from a run, an earlier one and waivers to the exit code."""

from __future__ import annotations

from collections.abc import Iterable, Sequence, Set
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from atlas_conformance.contracts.contract import Contract
from atlas_conformance.contracts.requirement import BASES, Basis
from atlas_conformance.reports.comparison import Comparison, Key, Outline, compare, strictly
from atlas_conformance.reports.earlier import outline_at
from atlas_conformance.reports.gates.waivers import Waiver, add_waivers, apply_waivers, load_waivers
from atlas_conformance.reports.model import EXIT_CODES, FAILED, UNREACHABLE
from atlas_conformance.reports.standing import Standing
from atlas_conformance.reports.wording import plural

Gate = Literal["new", "any", "none"]
GATES: tuple[Gate, ...] = ("new", "any", "none")


def parse_bases(text: str | None) -> tuple[Basis, ...]:
    """Return the bases that a text such as `documented,recorded` names, none for None; raise ValueError on others."""
    if text is None:
        return ()
    named = [" ".join(part.replace("-", " ").split()).lower() for part in text.split(",")]
    found = tuple(basis for basis in BASES if basis in named)
    if wrong := [name for name in named if name not in BASES]:
        shown = ", ".join(basis.replace(" ", "-") for basis in BASES)
        raise ValueError(f"there is no basis {wrong[0]!r}: the bases are {shown}, joined by commas")
    return found


@dataclass(frozen=True, slots=True)
class Policy:
    """What a run is held to.

    `gate` says what ends it with 1: `new` only what is worse than in `baseline` (failures that are new, coverage that
    is lost), `any` every failure, `none` nothing. None stands for `any`, where an earlier run is given for `new`.
    Waivers that are not in order count as a failure under both. Advice never counts, unless `strict`. Where `bases`
    names any, only requirements of these count. `update` has failures without a waiver added to `waivers_file`.
    """

    gate: Gate | None = None
    baseline: Outline | None = None
    waivers_file: Path | None = None
    waivers: tuple[Waiver, ...] = ()
    update: bool = False
    bases: tuple[Basis, ...] = ()
    strict: bool = False

    @classmethod
    def load(
        cls,
        gate: Gate | None,
        baseline: Path | None,
        waivers: Path | None,
        *,
        update: bool = False,
        bases: tuple[Basis, ...] = (),
        strict: bool = False,
    ) -> Policy:
        """Read what the policy rests on; raise ReportError or WaiverError where that cannot be done."""
        if update and waivers is not None and not waivers.exists():
            loaded: tuple[Waiver, ...] = ()
        else:
            loaded = load_waivers(waivers, blanks_allowed=update) if waivers is not None else ()
        earlier = outline_at(baseline) if baseline is not None else None
        return cls(gate, earlier, waivers, tuple(w for w in loaded if not w.blanks), update, bases, strict)

    @property
    def silent(self) -> bool:
        """Whether nothing was asked for, so that the verdict alone counts."""
        return self.gate is None and self.baseline is None and self.waivers_file is None and not self.bases

    def decide(self, run: Outline, *, errors: bool = False) -> Standing:
        """Return where a run stands. `errors` says that the suite itself failed somewhere in it.

        A run without a verdict (an error, a partial or empty one) ends as it would without a gate.
        """
        if self.strict:
            run = strictly(run)
        waived = apply_waivers(self.waivers, run)
        comparison = compare(self.baseline, run) if self.baseline is not None else None
        gate: Gate = self.gate or ("new" if comparison is not None else "any")
        accepted = {
            key: f"{waiver.name}, until {waiver.expires}: {waiver.reason} ({waiver.owner}, {waiver.link})"
            for key, waiver in waived.covered.items()
            if not run.failures[key].advice
        }
        own = EXIT_CODES[run.verdict]
        uncounted = tuple(
            key for key, failure in run.failures.items() if not failure.advice and not self._counts(key[0])
        )
        lost = [lost.requirement for lost in comparison.lost if self._counts(lost.requirement)] if comparison else []
        blocking = tuple(_blocking(gate, run, comparison, {*accepted, *uncounted}, lost, waived.complaints))
        if run.verdict == UNREACHABLE:
            blocking = ()  # what a lost endpoint has not shown can be compared with nothing
        if run.verdict == FAILED:
            own = 4 if errors or run.partial else 0
        exit_code = 1 if blocking else own
        return Standing(gate, exit_code, comparison, accepted, waived.complaints, blocking, self.bases, uncounted)

    def _counts(self, requirement: str) -> bool:
        """Whether a requirement is of the bases that count; one that is not known counts always."""
        known = Contract.load().requirements.get(requirement)
        return not self.bases or known is None or known.basis in self.bases

    def write_waivers(self, run: Outline) -> int:
        """Add blank waivers for the failures of `run` that have none, where that is asked for; return how many."""
        if not self.update or self.waivers_file is None:
            return 0
        failing = (strictly(run) if self.strict else run).failures.values()
        return add_waivers(self.waivers_file, [f for f in failing if not f.advice and self._counts(f.key[0])])


def _blocking(
    gate: Gate,
    run: Outline,
    comparison: Comparison | None,
    passed_over: Set[Key],
    lost: Sequence[str],
    complaints: tuple[str, ...],
) -> Iterable[str]:
    if gate == "none":
        return
    if gate == "any":
        failures = [f for f in run.failures.values() if not f.advice and f.key not in passed_over]
        counted = {failure.key for failure in failures}
        leads = [failure for failure in failures if failure.lead not in counted]
        unstable = sum(failure.unstable for failure in leads)
        if leads:
            yield plural(len(leads), "failure") + (f" ({unstable} of them unstable)" if unstable else "")
    elif comparison is not None:
        fresh = [f for f in (*comparison.new, *comparison.explained) if f.key not in passed_over]
        counted = {failure.key for failure in fresh}
        new = [failure for failure in fresh if not failure.unstable and failure.lead not in counted]
        if new:
            yield plural(len(new), "new failure")
        if lost:
            yield f"lost coverage of {plural(len(lost), 'requirement')}"
    if complaints:
        yield plural(len(complaints), "waiver") + " not in order"
