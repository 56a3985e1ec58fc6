"""Faults in snapshots: their states, dates, takes, deletes and lists (`SNAP-*`)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from atlas_conformance.contracts.contract import Contract
from atlas_conformance.contracts.resources import DEDICATED_SNAPSHOT, FLEX_SNAPSHOT, Resource
from atlas_conformance.reference.backend import Backend
from atlas_conformance.reference.bodies import is_identifier
from atlas_conformance.reference.fault import Class, Fault, Page
from atlas_conformance.reference.fault_parts import failing, on_success, resource_of, shifted
from atlas_conformance.reference.fixtures import DAY, Snapshot
from atlas_conformance.reference.messages import Answer, Call, Refusal

_SNAPSHOTS = tuple(one for one in Contract.load().operations.values() if one.resource.what == "snapshot")
SHOWN = tuple(one.id for one in _SNAPSHOTS if one.media_type is not None)
GETS = tuple(one.id for one in _SNAPSHOTS if one.kind == "get")
LISTS = tuple(one.id for one in _SNAPSHOTS if one.kind == "list")
_ENDS = frozenset(one.resource.restorable for one in _SNAPSHOTS)

View = Callable[[Backend, Call, Snapshot, dict[str, Any]], dict[str, Any]]


def _fault(operation: str, what: str, requirement: str, sentence: str, kind: Class, **hooks: Any) -> Fault:
    return Fault(f"{operation}/{what}", requirement, (operation,), sentence, kind, **hooks)


def _where(wanted: Callable[[dict[str, Any]], bool], change: Callable[[dict[str, Any]], dict[str, Any]]) -> View:
    """Return a view that changes the snapshots of a kind."""
    return lambda backend, call, snapshot, document: change(document) if wanted(document) else document


def _later(reads: int, change: Callable[[dict[str, Any]], dict[str, Any]]) -> View:
    """Return a view that changes a finished snapshot once it was shown a number of times."""

    def view(backend: Backend, call: Call, snapshot: Snapshot, document: dict[str, Any]) -> dict[str, Any]:
        finished = document.get("status") in _ENDS
        return change(document) if finished and backend.reads[snapshot.id] > reads else document

    return view


def _without(*names: str) -> Callable[[dict[str, Any]], dict[str, Any]]:
    return lambda document: {key: value for key, value in document.items() if key not in names}


def _with(**values: Any) -> Callable[[dict[str, Any]], dict[str, Any]]:
    return lambda document: document | values


def _moved(name: str, seconds: float) -> Callable[[dict[str, Any]], dict[str, Any]]:
    return lambda document: document | {name: shifted(seconds)(document[name])} if name in document else document


def _cut(name: str, end: str, length: int = -1) -> Callable[[dict[str, Any]], dict[str, Any]]:
    return lambda document: document | {name: document[name][:length] + end}


def _drifting(name: str) -> View:
    """Return a view in which a date moves by a second a read."""

    def view(backend: Backend, call: Call, snapshot: Snapshot, document: dict[str, Any]) -> dict[str, Any]:
        return _moved(name, backend.reads[snapshot.id])(document)

    return view


def _always(document: dict[str, Any]) -> bool:
    return True


def _is(*states: str) -> Callable[[dict[str, Any]], bool]:
    return lambda document: document.get("status") in states


def _of_another_type(document: dict[str, Any]) -> dict[str, Any]:
    return document | {"type": "replicaSet" if document["type"] == "shardedCluster" else "shardedCluster"}


_MISDATED: Mapping[Resource, tuple[str, float]] = {
    FLEX_SNAPSHOT: ("scheduledTime", 3_600),
    DEDICATED_SNAPSHOT: ("expiresAt", -400 * DAY),
}
"""A date, and by how much it must be moved to lie on the wrong side of the date on which the snapshot was done."""

_CHANGES: Mapping[Resource, tuple[tuple[str, str, Callable[[dict[str, Any]], dict[str, Any]]], ...]] = {
    FLEX_SNAPSHOT: (("schedule", "scheduledTime", _moved("scheduledTime", -60)),),
    DEDICATED_SNAPSHOT: (
        ("type", "type", _of_another_type),
        ("snapshotType", "snapshotType", _with(snapshotType="fallback")),
        ("description", "description", _with(description="something else")),
    ),
}
"""What must stay as it is and changes: (what, property, change)."""


def _states_and_dates() -> Iterator[Fault]:
    for operation in SHOWN:
        resource = resource_of(operation)
        first, end, date, last = resource.states[0][0], *_done(resource), resource.dates[-1]
        for what, swapped in (("status-unknown", "done"), ("status-other-case", end.swapcase())):
            wanted = _always if operation == "snapshot-take" else _is(end)
            view = _where(wanted, _with(status=swapped))
            yield _fault(operation, what, "SNAP-STATUS", f"A status is {swapped}.", "shape", snapshot_view=view)
        offset = _where(_always, _cut(last, "+01:00"))
        yield _fault(operation, "date-not-utc", "SNAP-TIME", f"{last} is not in UTC.", "shape", snapshot_view=offset)
        short = _where(_always, _cut(last, "", 10))
        yield _fault(operation, "date-without-time", "SNAP-TIME", f"{last} has no time.", "shape", snapshot_view=short)
        if operation != "snapshot-take":
            moved, seconds = _MISDATED[resource]
            sentence = f"{moved} is on the wrong side of {date}."
            view = _where(_is(end), _moved(moved, seconds))
            yield _fault(operation, "dates-out-of-order", "SNAP-TIME", sentence, "shape", snapshot_view=view)
            yield from _over_time(operation, resource)
            sentence = f"A snapshot that is {end} shows no {date}."
            hidden = _where(_is(end), _without(date))
            yield _fault(operation, "done-without-date", "SNAP-DONE", sentence, "shape", snapshot_view=hidden)
        if operation in ("snapshot-take", "flex-snapshot-list"):
            dated = _where(_is(first, "QUEUED", "RUNNING"), _with(**{date: "2026-01-01T00:00:00Z"}))
            sentence = f"A snapshot that is not done shows a {date}."
            yield _fault(operation, "date-too-early", "SNAP-DONE", sentence, "shape", snapshot_view=dated)


def _done(resource: Resource) -> tuple[str, str]:
    """Return the state of a snapshot that is done, and the date that says since when."""
    assert resource.restorable is not None
    assert resource.dated_by is not None
    return resource.restorable, resource.dated_by


def _over_time(operation: str, resource: Resource) -> Iterator[Fault]:
    first, (end, date) = resource.states[0][0], _done(resource)
    back = _later(3, lambda document: _without(date)(document) | {"status": first})
    yield _fault(operation, "status-moves-back", "SNAP-FLOW", "A finished snapshot begins again.", "stateful",
                 snapshot_view=back)  # fmt: skip
    failed = next(state for state in resource.terminal if state != end)
    yield _fault(operation, "end-changes", "SNAP-FLOW", "A completed snapshot turns out to have failed.", "stateful",
                 snapshot_view=_later(3, _with(status=failed)))  # fmt: skip
    yield _fault(operation, "date-drifts", "SNAP-FIXED", f"{date} moves at each read.", "stateful",
                 snapshot_view=_drifting(date))  # fmt: skip
    for what, name, change in _CHANGES[resource]:
        yield _fault(operation, f"{what}-changes", "SNAP-FIXED", f"{name} changes after some reads.", "stateful",
                     snapshot_view=_later(3, change))  # fmt: skip


def _repeated_id(backend: Backend, call: Call, snapshot: Snapshot) -> Snapshot:
    return replace(snapshot, id=backend.notes.setdefault("the id", snapshot.id))


def _taking() -> Iterator[Fault]:
    operation = "snapshot-take"

    def new(what: str, sentence: str, change: Callable[[dict[str, Any]], dict[str, Any]]) -> Fault:
        return _fault(operation, what, "SNAP-NEW", sentence, "shape", snapshot_view=_where(_always, change))

    done = _with(status="completed", createdAt="2026-01-01T00:00:00Z")
    yield new("new-completed", "A snapshot is completed at once.", done)
    yield new("new-failed", "A snapshot has failed at once.", _with(status="failed"))
    yield new("new-without-status", "A new snapshot shows no status.", _without("status"))
    yield new("new-scheduled", "A taken snapshot is scheduled.", _with(snapshotType="scheduled"))
    yield new("new-without-id", "A new snapshot shows no id.", _without("id"))
    yield new("description-lost", "The description is not repeated.", _without("description"))
    yield new("description-other", "The description is another one.", _with(description="a snapshot"))
    yield _fault(
        operation, "id-repeats", "SNAP-NEW", "Every snapshot has the same id.", "stateful", snapshot=_repeated_id
    )
    yield _fault(operation, "not-kept", "SNAP-FOUND", "A taken snapshot is not kept.", "stateful", answer=_dropping)
    cut = "A description is cut off at 20 characters."
    yield _fault(operation, "description-cut", "SNAP-NEW", cut, "subtle",
                 snapshot=lambda b, c, s: replace(s, description=s.description and s.description[:20]))  # fmt: skip
    yield _fault(operation, "answers-201", "C-STATUS", "A taken snapshot is answered with 201.", "shape",
                 answer=on_success(lambda answer: replace(answer, status=201)))  # fmt: skip
    yield _fault(
        operation, "without-role", "A-ROLE", "Any role takes snapshots.", "negative", skip=frozenset({"A-ROLE"})
    )
    for step, requirement, sentence in (
        ("B-RANGE/retentionInDays/minimum", "B-RANGE", "A retention of no days is taken."),
        ("B-RANGE/retentionInDays/maximum", "B-RANGE", "A retention beyond 32 bits is taken."),
        ("B-TYPE/description", "B-TYPE", "A description of any type is taken."),
        ("B-TYPE/retentionInDays", "B-TYPE", "A retention of any type is taken."),
    ):
        what = f"{step.lower().replace('/', '-')}-unchecked"
        yield _fault(operation, what, requirement, sentence, "negative", skip=frozenset({step}), snapshot=_plain)
    yield _fault(operation, "b-json-object-unchecked", "B-JSON", "A body that is no object is taken.", "negative",
                 replace={"B-JSON/object": _as_object})  # fmt: skip


def _as_object(backend: Backend, call: Call) -> None:
    """Take whatever is no object for an empty one."""
    call.document = call.fields = dict(call.document) if isinstance(call.document, dict) else {}


def _plain(backend: Backend, call: Call, snapshot: Snapshot) -> Snapshot:
    return replace(snapshot, description="x" if snapshot.description is not None else None, days=1)


def _dropping(backend: Backend, call: Call, answer: Answer) -> Answer:
    if not answer.error and isinstance(answer.document, dict):
        backend.snapshots.delete(answer.document["id"])
    return answer


def _keep(backend: Backend, call: Call, snapshot: Snapshot) -> bool:
    """A delete that does nothing."""
    return False


def _remember(backend: Backend, call: Call, snapshot: Snapshot) -> bool:
    """A delete that some operations have not heard of."""
    backend.notes.setdefault("deleted", {})[snapshot.id] = snapshot
    return True


def _unheard(backend: Backend, call: Call) -> None:
    """Find a snapshot that was deleted all the same."""
    call.snapshot = backend.snapshots.find(call.job_id) or backend.notes.get("deleted", {}).get(call.job_id)
    if call.snapshot is None:
        raise Refusal(404, "SNAPSHOT_NOT_FOUND", "There is no such snapshot.")


def _spread(operation: str, what: str, sentence: str, **hooks: Any) -> Fault:
    """A fault of `operation` that rests on what deletes note."""
    places = (operation, "snapshot-delete")
    return Fault(f"{operation}/{what}", "SNAP-FOUND", places, sentence, "stateful", delete=_remember, **hooks)


def _ghosts(backend: Backend, call: Call, found: list[Snapshot]) -> list[Snapshot]:
    ghosts = backend.notes.get("deleted", {}).values()
    return [*found, *(s for s in ghosts if (s.project, s.cluster) == (call.project, call.cluster_name))]


def _finding() -> Iterator[Fault]:
    yield _fault("snapshot-delete", "deletes-nothing", "SNAP-FOUND", "A delete does nothing.", "stateful", delete=_keep)
    yield _fault("snapshot-delete", "answers-200", "C-STATUS", "A delete is answered with 200.", "shape",
                 answer=on_success(lambda answer: replace(answer, status=200)))  # fmt: skip
    yield _fault("snapshot-delete", "without-role", "A-ROLE", "Any role deletes snapshots.", "negative",
                 skip=frozenset({"A-ROLE"}))  # fmt: skip
    for operation in ("snapshot-get", "sharded-snapshot-get"):
        yield _spread(operation, "deleted-still-shown", "A deleted snapshot is still shown.",
                      replace={"N-SNAPSHOT": _of_deletes(_unheard)})  # fmt: skip
        yield _fault(operation, "taken-not-found", "SNAP-FOUND", "A taken snapshot is not found by its id.", "stateful",
                     replace={"free/parts": _missing_taken})  # fmt: skip
    for operation in ("snapshot-list", "sharded-snapshot-list"):
        yield _spread(operation, "deleted-still-listed", "A deleted snapshot stays in the list.", snapshots=_ghosts)
        yield _fault(operation, "taken-not-listed", "SNAP-FOUND", "A taken snapshot is not in the list.", "stateful",
                     snapshots=lambda b, c, found: [s for s in found if s.begun is None])  # fmt: skip
    for operation in (*GETS, "snapshot-delete"):
        yield _fault(operation, "snapshot-any-case", "P-SNAPSHOT", "A snapshot in upper case is taken.", "subtle",
                     request=_cleaning(str.lower))  # fmt: skip
        yield _fault(operation, "snapshot-cut", "P-SNAPSHOT", "What follows the snapshot's 24th digit is ignored.",
                     "subtle", request=_cleaning(lambda t: t[:24] if is_identifier(t[:24]) else t))  # fmt: skip
        yield _fault(operation, "snapshot-500", "C-5XX", "A snapshot that is no identifier ends in a 500.", "negative",
                     replace={"P-SNAPSHOT": failing(lambda call: not is_identifier(call.job_id))})  # fmt: skip
        yield _fault(operation, "absent-snapshot-taken", "N-SNAPSHOT", "A snapshot that does not exist is a success.",
                     "negative", refused=_success)  # fmt: skip
        for scope in ("project", "cluster"):
            sentence = f"A snapshot is found through another {scope}."
            skipped = frozenset({f"L-SCOPE/{scope}", "L-SCOPE/cluster", "free/parts"})
            yield _fault(operation, f"through-other-{scope}", "L-SCOPE", sentence, "stateful", skip=skipped)
    for operation in LISTS:
        for what, sentence, kind, change in _PAGES:
            if Contract.load().operations[operation].paged:
                requirement = "L-TOTAL" if what.startswith("total-") else "L-PAGE"
                yield _fault(operation, what, requirement, sentence, kind, listing=change)
        yield _fault(operation, "no-results", "L-PAGE",
                     "A list shows no results.", "shape", answer=on_success(_no_results))  # fmt: skip


def _of_deletes(check: Callable[[Backend, Call], None]) -> Callable[[Backend, Call], None]:
    """Return a check for reads alone: a delete looks for its snapshot as always."""

    def checked(backend: Backend, call: Call) -> None:
        if call.operation is not None and call.operation.kind == "delete":
            call.snapshot = backend.snapshots.find(call.job_id)
            if call.snapshot is None:
                raise Refusal(404, "SNAPSHOT_NOT_FOUND", "There is no such snapshot.")
        else:
            check(backend, call)

    return checked


def _missing_taken(backend: Backend, call: Call) -> None:
    if call.snapshot is not None and call.snapshot.begun is not None:
        raise Refusal(404, "SNAPSHOT_NOT_FOUND", "There is no such snapshot.")


def _cleaning(change: Callable[[str], str]) -> Callable[[Backend, Call], None]:
    def clean(backend: Backend, call: Call) -> None:
        call.job_id = change(call.job_id)

    return clean


def _success(backend: Backend, call: Call, refusal: Refusal) -> Refusal | Answer:
    if refusal.code != "SNAPSHOT_NOT_FOUND" or call.operation is None:
        return refusal
    empty = call.operation.media_type is None
    return Answer(call.operation.success, None if empty else {}, call.media_type)


def _no_results(answer: Answer) -> Answer:
    document = {key: value for key, value in answer.document.items() if key != "results"}
    return replace(answer, document=document)


def _all(backend: Backend, call: Call) -> tuple[Snapshot, ...]:
    return tuple(backend.snapshots_of(call))


def _overlapping(backend: Backend, call: Call, page: Page) -> Page:
    start = (page.number - 1) * max(1, page.items - 1)
    return replace(page, snapshots=_all(backend, call)[start:][: page.items])


_PAGES: tuple[tuple[str, str, Class, Callable[[Backend, Call, Page], Page]], ...] = (
    ("total-off-by-one", "totalCount is one too many.", "shape", lambda b, c, p: replace(p, total=p.total + 1)),
    ("never-next", "No page has a next one.", "stateful", lambda b, c, page: replace(page, more=False)),
    ("always-next", "Every page has a next one.", "shape", lambda b, c, page: replace(page, more=True)),
    ("pages-overlap", "A page begins with the last snapshot of the one before.", "stateful", _overlapping),
    ("page-size-ignored", "itemsPerPage has no effect.", "rule", lambda b, c, p: replace(p, snapshots=_all(b, c))),
)


FAULTS: tuple[Fault, ...] = (*_states_and_dates(), *_taking(), *_finding())
"""Faults of this family."""
