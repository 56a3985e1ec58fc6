"""T-*: restore jobs of dedicated clusters, as one answer shows them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from atlas_conformance.contracts.addresses import is_https
from atlas_conformance.contracts.dates import UTC, instant
from atlas_conformance.contracts.outcomes import HELD, Failure, Outcome, ValueFailure, holds, shown, summed
from atlas_conformance.contracts.rulebook import rule
from atlas_conformance.contracts.views import CreationView, JobView


def _meaningless(job: JobView, requirement: str, expected: str) -> Outcome | Sequence[Outcome] | None:
    """Hold that no property shows that the table finds meaningless for the job's deliveryType, by this requirement."""
    if job.delivery is None:
        return None
    fields = job.delivery.kept_out.get(requirement, ())
    failures = [
        holds(False, expected.format(field), job.document[field], f"{job.pointer}/{field}")
        for field in fields
        if job.document.get(field) is not None
    ]
    return summed(failures, len(fields))


@rule("T-ONLY-TARGET", on=JobView)
def a_download_shows_no_target(job: JobView) -> Outcome | Sequence[Outcome] | None:
    """A download shows neither a target cluster nor its project."""
    return _meaningless(job, "T-ONLY-TARGET", "no {} on a download")


@rule("T-ONLY-POINT", on=JobView)
def only_a_point_in_time_restore_shows_a_moment(job: JobView) -> Outcome | Sequence[Outcome] | None:
    """Only a pointInTime job shows a moment."""
    return _meaningless(job, "T-ONLY-POINT", "no {} but for pointInTime")


@rule("T-ONLY-URL", on=JobView)
def only_a_download_shows_addresses(job: JobView) -> Iterator[Outcome]:
    """Only a download shows addresses, each an absolute https URL; the array may be empty elsewhere (K-EMPTY-URL)."""
    if job.delivery is None:
        return
    is_download = job.delivery.type == "download"
    urls = job.document.get("deliveryUrl")
    if isinstance(urls, list) and not urls and not is_download:
        where = f"{job.pointer}/deliveryUrl"
        yield ValueFailure("no deliveryUrl but for download", urls, where, "/deliveryUrl", job.document)
    found = list(_addresses(job, urls))
    for where, url in found:
        if not is_download:
            yield Failure("a URL only for download", "a URL", where)
        elif is_https(url):
            yield HELD
        else:
            yield holds(False, "an absolute https URL", f"no https URL: {shown(url)}", where)
    if not found:
        yield HELD


def _addresses(job: JobView, urls: Any) -> Iterator[tuple[str, Any]]:
    """Yield each download address that a job shows, and where."""
    if isinstance(urls, list):
        yield from ((f"{job.pointer}/deliveryUrl/{i}", url) for i, url in enumerate(urls))
    components = job.document.get("components")
    for i, component in enumerate(components if isinstance(components, list) else ()):
        if isinstance(component, dict) and component.get("downloadUrl") is not None:
            yield f"{job.pointer}/components/{i}/downloadUrl", component["downloadUrl"]


@rule("T-URL", on=JobView)
def a_finished_download_can_be_fetched(job: JobView) -> Outcome | None:
    """A download that finished well shows an address: in deliveryUrl, or in every member of components.

    An `expiresAt` alone may show before the end, so without any address it is left to a later read.
    """
    document = job.document
    if job.delivery is None or job.delivery.type != "download" or job.operation.kind == "create":
        return None
    if any(document.get(flag) is True for flag in ("failed", "cancelled", "expired")):
        return None
    urls, components = document.get("deliveryUrl"), document.get("components")
    parts = components if isinstance(components, list) else []
    fetchable = [isinstance(part, dict) and bool(part.get("downloadUrl")) for part in parts]
    everywhere = bool(urls) or (bool(parts) and all(fetchable))
    if document.get("finishedAt") is None and not (document.get("expiresAt") and (everywhere or any(fetchable))):
        return None
    expected = "an address in deliveryUrl, or in every member of components, once the download has finished"
    seen = "only in some members of components" if any(fetchable) else "none"
    return holds(everywhere, expected, seen, f"{job.pointer}/deliveryUrl")


@rule("T-TIME", on=JobView)
def dates_are_in_utc(job: JobView) -> Outcome | Sequence[Outcome] | None:
    """Every date is an ISO 8601 date-time in UTC."""
    dates = [(field, job.document.get(field)) for field in job.operation.resource.dates]
    desired = job.document.get("desiredTimestamp")
    if isinstance(desired, dict):
        dates.append(("desiredTimestamp/date", desired.get("date")))
    there = [(field, value) for field, value in dates if value is not None]
    failures = [
        Failure(UTC, shown(value), f"{job.pointer}/{field}") for field, value in there if instant(value) is None
    ]
    return summed(failures, len(there))


@rule("T-PARTS", on=JobView)
def components_name_different_replica_sets(job: JobView) -> Outcome | Sequence[Outcome] | None:
    """Members of components that show a replicaSetName show different, non-empty ones."""
    components = job.document.get("components")
    if not isinstance(components, list):
        return None
    named: set[str] = set()
    failures: list[Outcome] = []
    looked = 0
    for i, part in enumerate(components):
        name = part.get("replicaSetName") if isinstance(part, dict) else None
        if not isinstance(name, str):
            continue
        looked += 1
        where = f"{job.pointer}/components/{i}/replicaSetName"
        if not name:
            failures.append(Failure("a replicaSetName that is not empty", shown(name), where))
        elif name in named:
            failures.append(Failure("each replicaSetName once", f"{shown(name)} twice", where))
        named.add(name)
    return summed(failures, looked)


@rule("T-FLAGS", on=JobView)
def no_job_both_failed_and_was_cancelled(job: JobView) -> Outcome | None:
    """A job never shows both failed and cancelled as true."""
    if job.delivery is None:
        return None
    both = job.document.get("failed") is True and job.document.get("cancelled") is True
    return holds(not both, "failed and cancelled never both true", "both true", f"{job.pointer}/failed")


@rule("T-ECHO", on=CreationView)
def a_new_job_repeats_what_was_asked_for(new: CreationView) -> Iterator[Outcome]:
    """A new job repeats the deliveryType and any snapshot of the request, and for an automated restore its target
    too.
    """
    return _echoed(new, "T-ECHO")


@rule("T-ECHO", on=CreationView)
def a_new_job_repeats_its_moment(new: CreationView) -> Outcome | None:
    """A new pointInTime job shows its moment as sent; where the request gave several, at least one of them."""
    if new.sent is None or new.delivery is None:
        return None
    sent, document = new.sent, new.document
    given = [sorted(group) for group in new.delivery.alternatives if all(field in sent for field in group)]
    if not given:
        return None
    if any(all(document.get(field) == sent[field] for field in group) for group in given):
        return HELD
    lacking = next((f for f in given[0] if document.get(f) != sent[f]), given[0][0])
    expected = f"{lacking} {shown(sent[lacking])}, as sent"
    return holds(False, expected, document.get(lacking), f"{new.pointer}/{lacking}")


@rule("T-ONLY-POINT", on=CreationView)
def a_new_job_shows_the_moment_that_was_asked_for(new: CreationView) -> Iterator[Outcome]:
    """The moment that a new pointInTime job shows is that of the request."""
    return _echoed(new, "T-ONLY-POINT")


_ALWAYS = {"deliveryType": "T-ECHO"}
_WHERE_SHOWN = {"snapshotId": "T-ECHO"}


def _echoed(new: CreationView, requirement: str) -> Iterator[Outcome]:
    if new.sent is None:
        return
    row = new.delivery
    always, where_shown = (_ALWAYS, _WHERE_SHOWN) if row is None else (row.echoed, row.echoed_where_shown)
    for fields, silent in ((always, False), (where_shown, True)):
        for field, named in fields.items():
            if named == requirement and field in new.sent:
                seen, sent = new.document.get(field), new.sent[field]
                if not silent or seen is not None:
                    yield holds(seen == sent, f"{field} {shown(sent)}, as sent", seen, f"{new.pointer}/{field}")
