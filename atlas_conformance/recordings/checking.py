"""Judging recordings: from files to a report, in one pass and in memory that does not grow with them."""

from __future__ import annotations

import gc
import platform
from collections.abc import Callable, Iterable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path

from atlas_conformance.contracts import CONTRACT_VERSION
from atlas_conformance.contracts.contract import Contract
from atlas_conformance.contracts.finding import Finding, Judgement
from atlas_conformance.contracts.knowledge import Knowledge
from atlas_conformance.http.redaction.redaction import hushed, redact
from atlas_conformance.recordings.condensing import Condenser
from atlas_conformance.recordings.entries import Reasons, Recorded, Unjudged
from atlas_conformance.recordings.masking import Masking
from atlas_conformance.recordings.narrowing import Narrowing
from atlas_conformance.recordings.reading import Recording, opened
from atlas_conformance.recordings.sessions import PagesDiffer, Sessions
from atlas_conformance.recordings.sources import Source, gathered
from atlas_conformance.recordings.spread import NOT_SHOWN, is_judged_again, is_not_shown
from atlas_conformance.reports.journal import JournalWriter
from atlas_conformance.reports.model import Report
from atlas_conformance.reports.records import Header
from atlas_conformance.reports.wording import CHECK

REMEMBERED = 1_000
"""How many jobs are followed at the same time; of more, the one seen longest ago is forgotten."""

CUT_EXIT = 2
"""The exit code where a recording breaks off, whatever was found up to there."""


@dataclass(frozen=True)
class Checked:
    """What came of the recordings: the report, how many entries were not judged and why, and where any breaks off.

    `left_out` are places of judged entries that could not be read, `sessions` sentences on pages that were taken for
    sessions of their own. `not_shown` are bodies that were judged, and are in nothing that is kept.
    """

    report: Report
    unjudged: Reasons
    cuts: tuple[str, ...]
    left_out: Reasons = field(default_factory=Reasons)
    sessions: tuple[str, ...] = ()
    not_shown: Reasons = field(default_factory=Reasons)


class Examination:
    """Judges exchanges in their order, counts what cannot be judged, and makes the report of all of it."""

    def __init__(self, header: Header, *, strict: bool = False, page_by_page: bool = False) -> None:
        """Know nothing yet; `strict` makes failures of known departures and advice; `page_by_page`: see `Sessions`."""
        self.condenser = Condenser(header)
        self.unjudged = Reasons()
        self.left_out = Reasons()
        self.not_shown = Reasons()
        self._narrowing = Narrowing()
        self._strict = strict
        self._sessions = Sessions(Knowledge(), REMEMBERED, page_by_page=page_by_page)

    def know(self, knowledge: Knowledge | None) -> None:
        """From now on judge in the light of what a journal's run knew, or (None) of nothing known.

        Jobs are followed on as long as what is known stays the same.
        """
        wanted = knowledge or Knowledge()
        if knowledge is not None or wanted != self._sessions.knowledge:
            self._sessions.know(wanted)

    def begin(self, recording: str, *, paged: bool) -> None:
        """Note that the next recording begins; `paged` says that it has pages that may be sessions of their own."""
        self._sessions.begin(recording, paged=paged)

    def judge(self, entry: Recorded, writer: JournalWriter | None = None, where: str = "") -> tuple[Finding, ...]:
        """Judge one exchange, named by `where`, write it to a journal if there is one, and return its findings."""
        exchange = entry.exchange
        told = is_judged_again(exchange)
        judgement = self._sessions.feed(exchange, entry.page) if told else Judgement()
        if entry.rests_on_more:
            judgement |= Judgement(findings=entry.rests_on_more)
        if self._strict:
            judgement = strictly(judgement)
        if is_not_shown(exchange):
            judgement = replace(judgement, findings=hushed(exchange, judgement.findings))
        for place in entry.left_out:
            self.left_out.add(place, where)
        if is_not_shown(exchange):
            self.not_shown.add(NOT_SHOWN, where)
        found = Contract.load().match(exchange.request.method, exchange.request.path)
        operation = found[0].id if found is not None else None
        if operation is not None:
            self._narrowing.add(operation, exchange)
        number, keep, findings = self.condenser.add(judgement)
        if keep or writer is not None:
            exchange = redact(exchange, echoes=False)  # which were masked when it was read
            if keep:
                self.condenser.keep(number, exchange, entry.test, judgement.held, findings)
            if writer is not None:
                condensed = Judgement(judgement.held, findings)
                writer.exchange(exchange, operation=operation, test=entry.test, judgement=condensed)
        return findings

    def finish(self, writer: JournalWriter | None = None, cuts: Sequence[str] = ()) -> Checked:
        """Say what was not exercised and why, end the journal, and return the report; `cuts` are recordings that break
        off.
        """
        for status in self._narrowing.reasons():
            self.condenser.status(status)
            if writer is not None:
                writer.status(status.status, status.reason, requirement=status.requirement, operation=status.operation)
        partial = "; ".join(cuts) or None
        ended = now()
        report = self.condenser.report(ended, partial)
        if partial is not None:
            report = replace(report, exit_code=CUT_EXIT)
        if writer is not None:
            writer.close(ended=ended, verdict=report.verdict, exit=report.exit_code, partial=partial is not None)
        return Checked(report, self.unjudged, tuple(cuts), self.left_out, tuple(self._sessions.parted), self.not_shown)


def header_of(names: Sequence[str], *, strict: bool = False) -> Header:
    """Return the header of a journal of recorded traffic from the files `names`."""
    return Header(
        contract=CONTRACT_VERSION,
        suite=metadata.version("atlas-conformance"),
        target={"base_url": "recorded traffic", "level": None, "source": ", ".join(names), "files": list(names)},
        profile="strict" if strict else "recorded",
        strict=strict,
        seed=0,
        mode=CHECK,
        workers=1,
        started=now(),
        versions={"python": platform.python_version()},
    )


@dataclass(frozen=True)
class Check:
    """One check of any number of recordings, whose jobs are followed from one to the next.

    `strict` makes failures of known departures and of advice. `journal` is where a journal is written, or None.
    `progress` is called now and then with the exchanges and distinct failures so far, and what is being read. `by_page`
    says that pages of a HAR file may be sessions of their own, between which jobs are not followed.
    """

    files: Sequence[Path]
    strict: bool = False
    journal: Path | None = None
    progress: Callable[[int, int, str], None] = lambda exchanges, failures, what: None
    by_page: bool = True

    def run(self) -> Checked:
        """Judge everything. Raises NoRecording and JournalError, each one sentence."""
        gc.collect()
        gc.freeze()  # what is loaded stays, and need not be gone through again
        try:
            with gathered(self.files) as sources:
                masking, paged = self._learnt(sources)
                paged = paged if self.by_page else set()
                try:
                    return self._judged(sources, masking, paged, page_by_page=False)
                except PagesDiffer:
                    return self._judged(sources, masking, paged, page_by_page=True)
        finally:
            gc.unfreeze()

    def _judged(self, sources: Sequence[Source], masking: Masking, paged: set[str], *, page_by_page: bool) -> Checked:
        header = header_of([str(path) for path in self.files], strict=self.strict)
        examination = Examination(header, strict=self.strict, page_by_page=page_by_page)
        cuts: list[str] = []
        with nullcontext() if self.journal is None else JournalWriter(self.journal, header) as writer:
            for source in sources:
                examination.begin(source.name, paged=source.name in paged)
                with opened(source, masking) as recording:
                    cuts += self._judge(recording, examination, writer)
            return examination.finish(writer, cuts)

    def _learnt(self, sources: Sequence[Source]) -> tuple[Masking, set[str]]:
        """Return a masking that knows the credentials of all files, as any of them may show one that it repeats, or an
        earlier one does; and the names of those whose entries belong to several pages.
        """
        masking = Masking()
        paged = set()
        for source in sources:
            self.progress(0, 0, source.name)
            with opened(source, masking) as recording:
                if recording.learn():
                    paged.add(source.name)
        masking.settle()
        return masking, paged

    def _judge(self, recording: Recording, examination: Examination, writer: JournalWriter | None) -> list[str]:
        examination.know(recording.knowledge)
        cuts = []
        several = "" if len(self.files) == 1 else f" of {recording.name}"
        for count, entry in enumerate(recording):
            if isinstance(entry, Recorded):
                examination.judge(entry, writer, f"entry {count + 1:,}{several}")
            elif isinstance(entry, Unjudged):
                examination.unjudged.add(entry.reason, f"entry {count + 1:,}{several}", entry.detail)
            else:
                cuts.append(f"{recording.name} {entry.reason}")
            if not count & 1023:
                condenser = examination.condenser
                self.progress(condenser.exchanges, condenser.failures, recording.name)
        return cuts


def strictly(judgement: Judgement) -> Judgement:
    """Return the judgement with every known departure and all advice as failures."""
    if all(finding.fails for finding in judgement.findings):
        return judgement
    findings: tuple[Finding, ...] = tuple(
        replace(finding, departure=None, advice=False) for finding in judgement.findings
    )
    broken = {(finding.requirement, finding.operation) for finding in findings}
    return Judgement(judgement.held - broken, findings)


def unjudged_lines(checked: Checked) -> Iterable[str]:
    """Yield how many entries were not judged, or judged in part, for each reason, and which pages stand alone."""
    yield from checked.unjudged.lines("Not judged:")
    yield from checked.left_out.lines("Judged in part:")
    yield from checked.not_shown.lines("Not shown:")
    yield from checked.sessions


def evidence_lines(report: Report) -> Iterable[str]:
    """Yield, for each known departure that showed, how often it did and on what evidence it is known."""
    for use in report.departures:
        known = Contract.load().departures.get(use.id)
        evidence = known.evidence if known is not None else "None that this version knows."
        times = f"{use.count:,} {'exchange' if use.count == 1 else 'exchanges'}"
        what = f"expected {use.expected}, seen {use.seen}"
        yield f"{use.id}, seen on {times}, at {use.place}: {what}. Known from: {evidence}"


def now() -> str:
    """Return this moment, RFC 3339 in UTC."""
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
