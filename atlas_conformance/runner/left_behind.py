"""What a run leaves behind: every job that it created, every snapshot that it took, and the last that was seen of it.

At the end the jobs that had not finished when they were last seen are looked at once more, by lists where there are
any; then those of dedicated clusters that can be cancelled are, and the run's own snapshots are deleted. Like all else
that is sent, this is judged.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterator
from functools import partial

from atlas_conformance.contracts.history import JobHistory
from atlas_conformance.contracts.operation import Operation
from atlas_conformance.reports.records import JobRecord
from atlas_conformance.runner.endpoint import Endpoint
from atlas_conformance.runner.jobs import is_settled, place, reads_of
from atlas_conformance.runner.outcomes import EndpointLost, RunEnded
from atlas_conformance.strategies.requests import build

UNKNOWN = "unknown"
"""The id and state of a job that may be there: its create was never answered."""

_MOST_READS = 40
"""How many jobs are read one by one; of the others the last known state is reported."""


def tidy_up(endpoint: Endpoint, *, seconds: float) -> None:
    """Look at what has not finished, and cancel what can be cancelled, for a limited number of seconds.

    What the endpoint does not answer in time, or no longer at all, stays as it was last seen. A run that stops at the
    first finding leaves everything as it is.
    """
    if endpoint.recorder.stops_early or not (_open(endpoint) or _snapshots(endpoint)):
        return
    endpoint.client.resume()
    timer = threading.Timer(seconds, endpoint.client.end, ["the run is over"])
    timer.daemon = True
    timer.start()
    endpoint = endpoint.for_test("left behind")
    try:
        with endpoint.in_passing():
            look_at(endpoint, partial(_open, endpoint))
            _cancel(endpoint)
            _delete(endpoint)
    except (RunEnded, EndpointLost):
        return  # the endpoint is gone, or slow: nothing more can be learnt of its jobs
    finally:
        timer.cancel()


def jobs_left(endpoint: Endpoint) -> Iterator[JobRecord]:
    """Yield a record of every job that the run created, or may have: those that the judge followed, those that only
    the guard saw made, and the creates that no answer came to. So of every snapshot that it took and did not delete.
    """
    known: set[tuple[str, str, str, str]] = set()
    for job in _own(endpoint, "job"):
        known.add((job.resource.name, job.project, job.cluster, job.job))
        yield JobRecord(job.job, job.resource.label, job.project, job.cluster, _state(job))
    for operation, project, cluster, item in endpoint.client.guard.created_by:
        resource = endpoint.contract.operations[operation].resource
        key = (resource.name, project, cluster, item)
        history = endpoint.chronicle.store.get(item, resource, (project, cluster))
        deleted = history is not None and history.deleted_ended is not None
        if key not in known and not deleted:
            known.add(key)
            state = UNKNOWN if history is None else _state(history)
            yield JobRecord(item, _called(endpoint.contract.operations[operation]), project, cluster, state)
    for (label, project, cluster), count in _unanswered(endpoint).items():
        creates = "its create" if count == 1 else f"{count} creates"
        yield JobRecord(UNKNOWN, label, project, cluster, f"unknown: {creates} had no answer")


def _unanswered(endpoint: Endpoint) -> Counter[tuple[str, str, str]]:
    """Count, by what a record calls it and place, the creates without an answer that may have made a job there."""
    absent = endpoint.knowledge.inventory.absent
    found: Counter[tuple[str, str, str]] = Counter()
    for request in endpoint.recorder.unsettled:
        reading = endpoint.chronicle.reading(request)
        if reading is not None:
            place = reading.place
            if absent is None or (place[0] != absent.project and place[1] != absent.cluster):
                found[(_called(reading.operation), *place)] += 1
    return found


def _called(create: Operation) -> str:
    """Return what a record calls what a create makes: the kind of cluster, and whether it is a snapshot."""
    label, what = create.resource.label, create.resource.what
    return label if what == "job" else f"{label} {what}"


def _snapshots(endpoint: Endpoint) -> list[JobHistory]:
    """The snapshots that the run took and has not deleted."""
    return [seen for seen in _own(endpoint, "snapshot") if not seen.deleted_ended]


def _delete(endpoint: Endpoint) -> None:
    """Delete the snapshots that the run took."""
    delete = endpoint.contract.operations["snapshot-delete"]
    if endpoint.offers(delete.id):
        endpoint.send_all(build(delete, place(delete, snapshot)) for snapshot in _snapshots(endpoint))


def _state(job: JobHistory) -> str:
    """The state last seen; an accepted cancel counts as seen."""
    if job.cancel_ended is not None and not job.finished:
        return "cancelled"
    return "delivered" if job.delivered and not job.finished else job.last_state


def _open(endpoint: Endpoint) -> list[JobHistory]:
    return [j for j in _own(endpoint, "job") if not is_settled(j) and j.cancel_ended is None]


def _own(endpoint: Endpoint, what: str) -> list[JobHistory]:
    """What this process created: the others tell of theirs."""
    made = endpoint.chronicle.made()
    return [one for one in made if one.resource.what == what and one.key not in endpoint.recorder.foreign]


def look_at(endpoint: Endpoint, still_open: Callable[[], list[JobHistory]]) -> None:
    """Look once at the jobs that are still open: by lists if there are any, else one by one, up to a limit."""
    lists: dict[tuple[str, str, str], Operation] = {}
    for job in still_open():
        listing = endpoint.contract.find(job.resource.name, "list")
        if listing is not None and endpoint.offers(listing.id):
            lists[job.resource.name, job.project, job.cluster] = listing
    endpoint.send_all(
        build(listing, listing.values(project, cluster), query={"itemsPerPage": "500"})
        for (_, project, cluster), listing in lists.items()
    )
    unread = [(o, j) for o, j in reads_of(still_open()) if endpoint.offers(o.id) and _unlisted(j, lists)]
    endpoint.send_all(build(operation, place(operation, job)) for operation, job in unread[:_MOST_READS])


def _unlisted(job: JobHistory, lists: dict[tuple[str, str, str], Operation]) -> bool:
    return (job.resource.name, job.project, job.cluster) not in lists or job.listed_ended == float("inf")


def _cancel(endpoint: Endpoint) -> None:
    """Cancel what is still under way on dedicated clusters; who created it does not matter to the operation."""
    cancel = endpoint.contract.operations["cluster-cancel"]
    if not endpoint.offers(cancel.id):
        return
    mine = [j for j in _open(endpoint) if j.resource is cancel.resource and j.create_operation is not None]
    endpoint.send_all(build(cancel, place(cancel, job)) for job in mine)
