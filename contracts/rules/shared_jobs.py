"""S-*: restore jobs of flex and tenant clusters, as one answer shows them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from atlas_conformance.contracts.addresses import is_https
from atlas_conformance.contracts.dates import UTC, instant
from atlas_conformance.contracts.history import SightView
from atlas_conformance.contracts.outcomes import HELD, Failure, Outcome, holds, shown, summed
from atlas_conformance.contracts.resources import Resource
from atlas_conformance.contracts.rulebook import common_rule, rule
from atlas_conformance.contracts.views import CreationView, JobView


@rule("S-ECHO", on=JobView)
def a_job_shows_the_place_of_the_path(job: JobView) -> Outcome | Sequence[Outcome] | None:
    """A job shows the project and the cluster of the path."""
    names = job.operation.resource.place_fields
    failures = [
        holds(False, f"{field} {owed!r}, as in the path", job.document.get(field), f"{job.pointer}/{field}")
        for field, owed in zip(names, job.place, strict=False)
        if job.document.get(field) != owed
    ]
    return summed(failures, len(names))


@rule("S-STATUS", on=JobView)
def a_job_has_a_known_status(job: JobView) -> Outcome | None:
    """The status is one of the documented ones."""
    ranks, status = job.operation.resource.ranks, job.document.get("status")
    if isinstance(status, str) and status in ranks:
        return HELD
    return holds(False, f"one of {', '.join(ranks)}", status, f"{job.pointer}/status")


@rule("S-DELIVERY", on=JobView)
def a_job_restores_or_is_downloaded(job: JobView) -> Outcome | None:
    """The deliveryType is RESTORE or DOWNLOAD."""
    delivery = job.document.get("deliveryType")
    return holds(delivery in ("RESTORE", "DOWNLOAD"), "RESTORE or DOWNLOAD", delivery, f"{job.pointer}/deliveryType")


@rule("S-URL", on=JobView)
def only_a_download_shows_an_address(job: JobView) -> Outcome | None:
    """A snapshotUrl shows only on a DOWNLOAD, as an absolute https URL, and on one that is COMPLETED it must."""
    url, where = job.document.get("snapshotUrl"), f"{job.pointer}/snapshotUrl"
    delivery = job.document.get("deliveryType")
    if delivery == "RESTORE":
        return holds(url is None, "no snapshotUrl but for DOWNLOAD", url, where)
    if delivery != "DOWNLOAD":
        return None
    if url is not None:
        return HELD if is_https(url) else Failure("an absolute https URL", f"no https URL: {shown(url)}", where)
    if job.document.get("status") == "COMPLETED":
        return Failure("a snapshotUrl on a COMPLETED DOWNLOAD", "none", where)
    return HELD


@rule("S-FINISHED", on=JobView)
def the_end_is_dated_exactly_when_reached(job: JobView) -> Outcome | None:
    """A restoreFinishedDate shows exactly when the job has ended."""
    resource, status = job.operation.resource, job.document.get("status")
    field = resource.end_field
    if field is not None and isinstance(status, str) and status in resource.ranks:
        date, owed = job.document.get(field), status in resource.terminal
        if (date is not None) == owed:
            return HELD
        expected = f"{field} shown" if owed else f"no {field}"
        seen = date if date is not None else "none"
        return holds(False, f"{expected} while {status}", seen, f"{job.pointer}/{field}")
    return None


@rule("S-TIME", on=JobView)
def dates_are_utc_and_in_order(job: JobView) -> Outcome | Sequence[Outcome] | None:
    """Every date is ISO 8601 in UTC, and none is before what must come first."""
    resource, moments = job.operation.resource, {}
    failures: list[Outcome] = []
    for field in resource.dates:
        value = job.document.get(field)
        if value is not None:
            moments[field] = moment = instant(value)
            if moment is None:
                failures.append(Failure(UTC, shown(value), f"{job.pointer}/{field}"))
    looked = len(moments)
    for earlier, later in resource.order:
        first, second = moments.get(earlier), moments.get(later)
        if first is None or second is None:
            continue
        looked += 1
        if first > second:
            seen = f"{job.document[earlier]} and {job.document[later]}"
            failures.append(Failure(f"{earlier} not after {later}", shown(seen), f"{job.pointer}/{later}"))
    return summed(failures, looked)


@rule("S-ECHO", on=CreationView)
def a_new_job_repeats_its_request(new: CreationView) -> Iterator[Outcome]:
    """A new job shows the snapshot, the target, and the target's project of its request."""
    target = new.operation.resource.target
    if new.sent is None or target is None:
        return
    project_field, name_field = target
    for field in ("snapshotId", name_field, project_field):
        if field != project_field or field in new.sent:
            seen, sent = new.document.get(field), new.sent.get(field)
            yield holds(seen == sent, f"{field} {shown(sent)}, as sent", seen, f"{new.pointer}/{field}")
    seen = new.document.get(project_field)
    if project_field not in new.sent and seen is not None:
        expected = f"{project_field} the path's project where it is left out"
        yield holds(seen == new.place[0], expected, seen, f"{new.pointer}/{project_field}")


@rule("S-DELIVERY", on=CreationView)
def a_new_job_with_a_target_restores(new: CreationView) -> Outcome | None:
    """A job that restores to a target is RESTORE, one that the download operation made DOWNLOAD."""
    delivery, owed = new.document.get("deliveryType"), new.operation.delivery or "RESTORE"
    if (new.sent is not None or new.operation.delivery) and delivery in ("RESTORE", "DOWNLOAD"):
        expected = f"{owed} for a job that {_MADE[owed]}"
        return holds(delivery == owed, expected, delivery, f"{new.pointer}/deliveryType")
    return None


_MADE = {"RESTORE": "restores to a target", "DOWNLOAD": "offers a snapshot for download"}


@rule("S-DELIVERY", on=CreationView)
def a_new_download_shows_no_target(new: CreationView) -> Iterator[Outcome]:
    """A job that the download operation made shows no target."""
    if new.operation.delivery == "DOWNLOAD":
        yield from _no_target(new.operation.resource, new.document, new.pointer)


@rule("S-DELIVERY", on=SightView)
def a_download_stays_one_and_shows_no_target(sight: SightView) -> Iterator[Outcome]:
    """A job that the download operation made is DOWNLOAD in every read, and shows no target."""
    created, document, pointer = sight.history.created, sight.seen.document, sight.seen.pointer
    if created is not None and created.operation.delivery == "DOWNLOAD" and not sight.seen.created:
        delivery = document.get("deliveryType")
        yield holds(delivery == "DOWNLOAD", "DOWNLOAD in every read", delivery, f"{pointer}/deliveryType")
        yield from _no_target(sight.resource, document, pointer)


def _no_target(resource: Resource, document: Mapping[str, Any], pointer: str) -> Iterator[Outcome]:
    for field in resource.target or ():
        seen = document.get(field)
        yield holds(seen is None, f"no {field} on a download", seen, f"{pointer}/{field}")


@common_rule("new", on=CreationView)
def a_new_job_has_an_id_and_has_not_ended(new: CreationView) -> Iterator[Outcome]:
    """A fresh job has an id, and shows nothing that only one that has ended may show (S-NEW, T-NEW)."""
    resource, document, pointer = new.operation.resource, new.document, new.pointer
    seen = document.get("id")
    yield holds(isinstance(seen, str), "an id on a fresh job", seen, f"{pointer}/id")
    if resource.states:
        status = document.get("status")
        delivered = document.get("deliveryType") == "DOWNLOAD" and status == "COMPLETED"
        held = delivered or status not in resource.terminal
        yield holds(held, "a fresh job not yet terminal", status, f"{pointer}/status")
        return
    if resource.end_field is not None:
        seen = document.get(resource.end_field)
        yield holds(seen is None, f"no {resource.end_field} on a fresh job", seen, f"{pointer}/{resource.end_field}")
    for flag in resource.flags:
        seen = document.get(flag)
        yield holds(seen in (None, False), f"{flag} false on a fresh job", seen, f"{pointer}/{flag}")
