"""The words and the text of reports: verdicts, commands, bodies, and text of an endpoint made harmless."""

from __future__ import annotations

import shlex
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from http import HTTPStatus

from atlas_conformance.contracts.contract import Contract
from atlas_conformance.contracts.exchange import Request, Response
from atlas_conformance.contracts.json_text import indented as indented
from atlas_conformance.contracts.json_text import is_json as is_json
from atlas_conformance.contracts.operation import Operation
from atlas_conformance.contracts.phrases import one_line as one_line
from atlas_conformance.contracts.phrases import plural as plural
from atlas_conformance.contracts.phrases import readable as readable
from atlas_conformance.contracts.phrases import shortened as shortened
from atlas_conformance.contracts.phrases import visible as visible
from atlas_conformance.contracts.requirement import FAMILIES as FAMILIES
from atlas_conformance.reports.model import (
    ADVICE,
    DEPARTURE,
    ERROR,
    EXCLUDED,
    FAILED,
    INCOMPLETE,
    NOT_EXERCISED,
    NOT_OFFERED,
    PASSED,
    UNREACHABLE,
    WITHHELD,
    Report,
    Row,
    Unexercised,
)
from atlas_conformance.reports.records import Header, JobRecord

Curl = Callable[[Request], str]
"""Makes the shell command that sends a request again, credentials left to environment variables."""

PROGRAM = "atlas-conformance"

CHECK = "check"
"""The mode in the header of a journal of recorded traffic, whose target names its `files`."""

MEANINGS: Mapping[str, str] = {
    PASSED: "it held in every exchange",
    FAILED: "at least one exchange broke it",
    ADVICE: "it should hold and does not; that fails nothing",
    DEPARTURE: "only as the real service is known to depart",
    ERROR: "the suite itself failed",
    WITHHELD: "the safety guard let no request out",
    NOT_EXERCISED: "nothing exercised it",
    NOT_OFFERED: "the endpoint does not offer the operation",
    EXCLUDED: "left out by --exclude; nothing is said of it",
}
"""What each status of a cell means."""


def status_line(response: Response) -> str:
    """Return the status, its standard phrase and the content type of a response, as in `404 Not Found, text/html`."""
    try:
        phrase = " " + HTTPStatus(response.status).phrase
    except ValueError:
        phrase = ""
    return one_line(f"{response.status}{phrase}, {response.header('content-type') or 'no content type'}")


def number(n: int) -> str:
    """Return `n` with thousands separated by commas."""
    return f"{n:,}"


OVER = frozenset({"COMPLETED", "FAILED", "finished", "failed", "cancelled", "delivered"})
"""States of jobs of which nothing more is to come."""


def jobs_in_order(report: Report) -> list[JobRecord]:
    """Return the jobs of a run, those first that may still be under way."""
    return sorted(report.jobs, key=lambda job: job.state in OVER)


def jobs_by_state(jobs: Iterable[JobRecord]) -> str:
    """Return how many jobs there are in each state, such as `7 COMPLETED, 1 PENDING`."""
    counts = Counter(job.state for job in jobs)
    return ", ".join(f"{count:,} {state}" for state, count in counts.most_common())


def duration(seconds: float) -> str:
    """Return a time span, as in `0.4 s`, `12 s` and `3 min 05 s`."""
    if seconds < 10:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    return f"{whole} s" if whole < 60 else f"{whole // 60} min {whole % 60:02d} s"


def verdict_word(report: Report) -> str:
    """Return the overall verdict in one or two capitalised words."""
    words = {NOT_EXERCISED: "NOTHING EXERCISED", UNREACHABLE: "ENDPOINT LOST"}
    return words.get(report.verdict, report.verdict.upper())


def verdict_sentence(report: Report) -> str:
    """Return the overall verdict in one or two plain sentences."""
    failed = len(report.requirements(FAILED))
    departed = len(report.requirements(DEPARTURE))
    advised = report.requirements(ADVICE)
    exercised = sum(row.exercised > 0 for row in report.rows.values())
    excluded = report.requirements(EXCLUDED)
    missing = sum(row.exercised == 0 and row.selected and row not in excluded for row in report.rows.values())
    if report.verdict == FAILED:
        verb = "does" if failed == 1 else "do"
        sentence = f"{failed} of {plural(exercised, 'exercised requirement')} {verb} not hold."
        if failed == exercised:
            sentence = f"No requirement of the {failed} exercised ones holds."
        if failed == exercised == 1:
            sentence = "The one exercised requirement does not hold."
        if report.unstable:
            unstable = plural(len(report.unstable), "failure is", "failures are")
            sentence += f" {unstable} unstable: the requirement held when the request was repeated."
        if report.errors:
            sentence += f" The suite itself failed {_times(len(report.errors))}."
        if report.partial:
            sentence += f" The run is partial: {report.partial}."
    elif report.verdict == ERROR:
        sentence = f"The suite itself failed {_times(len(report.errors))}; what it could judge holds."
    elif report.verdict == UNREACHABLE:
        sentence = f"The run ended early: {report.partial}."
        if failed:
            sentence += f" Up to then {failed} of {plural(exercised, 'exercised requirement')} did not hold."
        elif exercised:
            sentence += f" Up to then nothing had failed; {plural(exercised, 'requirement')} had been exercised."
    elif report.verdict == INCOMPLETE:
        sentence = f"Nothing failed as far as the run went, but it is partial: {report.partial}."
    elif report.verdict == NOT_EXERCISED:
        sentence = "No requirement was exercised, so nothing is known of the endpoint."
    else:
        held = exercised - len(advised)
        sentence = f"{'All ' if held > 1 and not advised else ''}{plural(held, 'exercised requirement')} hold"
        sentence += "s" if held == 1 else ""
        sentence += f", {departed} of them with known departures of the real service." if departed else "."
    if advised and report.verdict in (FAILED, PASSED, INCOMPLETE):
        sentence += f" Advice, which fails nothing: {', '.join(row.id for row in advised)}."
    if missing and report.verdict in (FAILED, PASSED):
        sentence += f" {plural(missing, 'requirement')} {'was' if missing == 1 else 'were'} not exercised."
    if excluded:
        was = "was" if len(excluded) == 1 else "were"
        sentence += f" {plural(len(excluded), 'requirement')} {was} excluded: {', '.join(row.id for row in excluded)}."
    return visible(sentence)


def _times(n: int) -> str:
    return {1: "once", 2: "twice"}.get(n, f"{n:,} times")


def rerun(header: Header, requirement: str | None = None) -> str:
    """Return the one-line command that runs `requirement` (or all that was selected) again as the run did."""
    if header.mode == CHECK:
        strict = ["--strict"] if header.strict else []
        return visible(shlex.join([PROGRAM, "check", *strict, *map(str, header.target.get("files") or ())]))
    load = header.target.get("load")
    words = [PROGRAM, "hammer" if load else "run"]
    source = str(header.target.get("source") or "")
    base_url = str(header.target.get("base_url") or "")
    app = header.target.get("app")
    if app:
        words += ["--app", str(app)]
    if source.startswith(("http://", "https://")) and not app:
        words += ["--base-url", base_url or source]
    elif source and source != "reference" and not source.startswith(("http://", "https://")):
        words += ["--target", source]
    if isinstance(load, Mapping):
        return visible(shlex.join([*words, *_load_options(header, load, requirement)]))
    selected: Iterable[str] = [requirement] if requirement else header.requirements or ()
    for name in selected:
        words += ["--requirement", name]
    for name in header.excluded:
        words += ["--exclude", name] if name != requirement else []
    words += ["--profile", header.profile, "--seed", str(header.seed)]
    words += ["--strict"] if header.strict else []
    if header.target.get("level"):
        words += ["--level", str(header.target["level"])]
    return visible(shlex.join(words))


def _load_options(header: Header, load: Mapping[str, object], requirement: str | None) -> list[str]:
    """Return the options of a run under load, ended at `requirement`, where one is named."""
    options = ["--users", str(load.get("users")), "--duration", f"{load.get('duration'):g}s"]
    options += ["--seed", str(header.seed)]
    if load.get("rate"):
        options += ["--rate", f"{load.get('rate'):g}/s"]
    return [*options, "--stop-at", requirement] if requirement else options


def curl_command(curl: Curl | None, request: Request, n: int, limit: int = 4000) -> str | None:
    """Return the curl command for the request of exchange `n`, a comment in its place where it is too long to show.

    None where no `curl` is given.
    """
    if curl is None:
        return None
    command = curl(request)
    if len(command) <= limit:
        return visible(command)
    return f"# The command has {len(command):,} characters; the journal holds the request as exchange {n}."


def listed(operations: Mapping[str, int]) -> str:
    """Return operations with counts, as in `flex-create (12), flex-get (3)`."""
    return ", ".join(f"{operation} ({count:,})" for operation, count in operations.items())


def families(report: Report) -> dict[str, list[Row]]:
    """Return the selected rows by the letter of their family, in order."""
    found: dict[str, list[Row]] = {}
    for row in report.rows.values():
        if row.selected:
            found.setdefault(row.family, []).append(row)
    return found


def columns(report: Report) -> dict[str, list[tuple[str, str]]]:
    """Return the operations of the report as (id, what it does) by their group.

    Groups are `flex`, `cluster`, `cluster v1` and `tenant`, and, around a restore, those that end in ` snapshots`.
    """
    found: dict[str, list[tuple[str, str]]] = {}
    order = ("flex", "cluster", "cluster v1", "tenant", "flex snapshots", "cluster snapshots", "sharded snapshots")
    for id in report.operations:
        known = Contract.load().operations.get(id)
        found.setdefault(_group(known), []).append((id, _does(known) if known else id))
    kinds = ("create", "take", "download", "get", "list", "cancel", "delete")
    names = [name for name in order if name in found] + [name for name in found if name not in order]
    return {
        name: sorted(found[name], key=lambda item: kinds.index(item[1]) if item[1] in kinds else len(kinds))
        for name in names
    }


def _group(known: Operation | None) -> str:
    if known is None:
        return "other"
    if known.level == "workflow":
        return ("sharded" if known.sharded else known.resource.label) + " snapshots"
    return known.resource.label + (" v1" if known.cluster_kind == "dedicated" and known.api == "v1.0" else "")


def _does(known: Operation) -> str:
    """Return the kind of an operation, in other words where it creates a snapshot or a download."""
    if known.level != "workflow" or known.kind != "create":
        return known.kind
    return "take" if known.resource.what == "snapshot" else "download"


def why_unexercised(reason: Unexercised, report: Report) -> str:
    """Return what a reason keeps from being exercised: operations, or requirements with operations where not all."""
    if reason.status == NOT_OFFERED:
        return ", ".join(dict.fromkeys(o for operations in reason.cells.values() for o in operations))
    parts = []
    for id, operations in reason.cells.items():
        whole = len(operations) == len(report.rows[id].cells)
        parts.append(id if whole else f"{id} ({', '.join(operations)})")
    return ", ".join(parts)
