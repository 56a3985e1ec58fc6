"""The safety guard: what the mode, the list of destroyable clusters and the budget do not allow is never sent."""

from __future__ import annotations

import threading
from collections import Counter
from typing import TypeAlias

from atlas_conformance.contracts.contract import Contract
from atlas_conformance.contracts.exchange import Request, Response
from atlas_conformance.contracts.validation import NotJson, parse_json
from atlas_conformance.http.failures import Withheld
from atlas_conformance.http.guard.fronts import Turn
from atlas_conformance.http.guard.harm import harm_of, leads_nowhere, objection_to_restore
from atlas_conformance.http.guard.reach import (
    Atlas,
    Place,
    fold,
    names_of,
    overrides_method,
    place_of,
    query_text,
)
from atlas_conformance.http.target import USUAL_MAX_JOBS, USUAL_MAX_SNAPSHOTS, Mode, Target

_Key: TypeAlias = tuple[str, str, bytes | None]
_LONGEST_JOB = 1024 * 1024
"""No answer of more bytes is read for the id of a job: it would only cost memory."""
READS = frozenset({"GET", "HEAD", "OPTIONS"})
"""Methods that change nothing."""


class Guard:
    """Decides on each request of one run; safe to use from several threads.

    A create that could touch something reserves one of the run's `max_jobs` when it is checked, a request for a
    snapshot one of its `max_snapshots`; `settle` gives the place back where the endpoint refused it.

    `turn` is shared with the guards of other processes that take part in the run: what one of them finds out about the
    endpoint, all know.
    """

    def __init__(self, target: Target, turn: Turn | None = None) -> None:
        self._safety = target.safety
        self._atlas = Atlas(target.inventory)
        self._lock = threading.Condition()
        self._reserved: Counter[str] = Counter()
        """How many places of each budget are taken: those of jobs, those of snapshots."""
        self._under_way: Counter[str] = Counter()
        self._places: Counter[_Key] = Counter()
        """The requests under way that have a place of the budget, and how many each."""
        self._created: dict[tuple[str, str, str], str] = {}
        self._deleted: set[tuple[str, str, str]] = set()
        self._elsewhere = not target.loopback
        self._shared = turn is not None
        self.turn = Turn() if turn is None else turn

    @property
    def remote(self) -> bool:
        """Whether the endpoint is another machine, or fronts one."""
        return self._elsewhere or bool(self.turn)

    @property
    def remote_because(self) -> str:
        """Why it is remote; empty where it is not."""
        return "its host is not loopback" if self._elsewhere else self.turn.because

    @property
    def mode(self) -> Mode:
        """The mode in force.

        On a remote endpoint it is `read` unless asked for otherwise, and `restore` only if a person confirmed it when
        starting the run; what a target file alone says counts there as `refusals` at most.
        """
        wanted = self._safety.mode or ("read" if self.remote else "restore")
        if wanted == "restore" and self.remote and (not self._safety.confirmed or (self._shared and self.turn)):
            # Processes that started on loopback have no common account of the jobs that they may create.
            return "refusals"
        return wanted

    @property
    def created(self) -> tuple[tuple[str, str, str], ...]:
        """The (project, cluster, job id) of every job that this run is known to have created, in order."""
        with self._lock:
            return tuple(job for job, operation in self._created.items() if _makes(operation) == "job")

    @property
    def created_by(self) -> tuple[tuple[str, str, str, str], ...]:
        """The same of every job and snapshot, each after the id of the operation that created it."""
        with self._lock:
            return tuple((operation, *job) for job, operation in self._created.items())

    @property
    def snapshots_kept(self) -> tuple[tuple[str, str, str], ...]:
        """The (project, cluster, snapshot id) of every snapshot that this run took and did not delete, in order."""
        with self._lock:
            made = [item for item, operation in self._created.items() if _makes(operation) == "snapshot"]
            return tuple(item for item in made if item not in self._deleted)

    @property
    def budget(self) -> int | None:
        """How many jobs the run may create; None for any number, which is so on loopback unless the target says."""
        return USUAL_MAX_JOBS if self._safety.max_jobs is None and not self._free else self._safety.max_jobs

    @property
    def jobs_left(self) -> int | None:
        """How many creates the budget still allows; None where there is no budget."""
        return None if self.budget is None else max(0, self.budget - self._reserved["job"])

    @property
    def snapshots_left(self) -> int | None:
        """How many snapshots the run may still take; None for any number."""
        most = self.max_snapshots
        return None if most is None else max(0, most - self._reserved["snapshot"])

    @property
    def max_snapshots(self) -> int | None:
        """How many snapshots the run may take; None for any number, which is so on loopback unless the target says."""
        usual = None if self._free else USUAL_MAX_SNAPSHOTS
        return usual if self._safety.max_snapshots is None else self._safety.max_snapshots

    def forget(self, project: str, cluster: str, job: str) -> None:
        """Forget a job of this run that has ended: it needs no cancelling, and a long run has many of them."""
        with self._lock:
            self._created.pop((project, cluster, job), None)

    def treat_as_remote(self, because: str) -> None:
        """From now on hold the endpoint for a remote one, as what answers there fronts one."""
        with self._lock:
            if not self.turn:
                # What was created before counts too.
                made = Counter(_makes(operation) for operation in self._created.values())
                self._reserved |= made
            self._lock.notify_all()
        self.turn.note(because)

    def recheck(self, request: Request) -> None:
        """Raise Withheld where a request that was checked may no longer be sent, as the endpoint turned out to be
        remote since then.
        """
        if not self.turn:
            return
        reason = self._objection(request, wait=False, again=True)
        if reason is not None:
            raise Withheld(request, reason)

    def check(self, request: Request, *, wait: bool = False) -> None:
        """Return if the request may be sent (reserving its place in the budget); raise Withheld otherwise.

        Where the budget is used up, but by creates that are under way and may yet be refused, `wait` waits for how they
        end. Each of them must be settled by another thread.
        """
        reason = self._objection_when_free(request, wait) if self._free else self._objection(request, wait)
        if reason is not None:
            raise Withheld(request, reason)

    def settle(self, request: Request, response: Response | None, *, sent: bool = True) -> None:
        """Note how a checked request ended; a response of None means that its effect is not known.

        `sent` false means that it never left.
        """
        place = place_of(request)
        done = response is not None and 200 <= response.status < 300
        if request.method == "DELETE" and done and place is not None and place.item is not None:
            with self._lock:
                self._deleted.add((place.project, place.cluster, place.item))
        if request.method != "POST":
            return
        if place is None or not _is_create(request, place):
            return
        took = response is not None and 200 <= response.status < 300
        with self._lock:
            if self._places[_key(request)] > 0:
                self._places[_key(request)] -= 1
                self._under_way[place.makes] -= 1
                if not sent or (response is not None and 300 <= response.status < 500):
                    # What broke with a 5xx may have come as far as making a job.
                    self._reserved[place.makes] -= 1
                self._lock.notify_all()
            self._places += Counter()  # forgets those that have no place any more
            job = _job_id(response) if took and response is not None else None
            if job is not None:
                create = next(operation.id for operation in place.operations if operation.kind == "create")
                self._created.setdefault((place.project, place.cluster, job), create)

    def repeatable(self, request: Request) -> bool:
        """Return whether a request that may have arrived may be retried."""
        return request.method in READS or not self.remote

    @property
    def _free(self) -> bool:
        return not self.remote and self._safety.mode in (None, "restore")

    def _objection_when_free(self, request: Request, wait: bool) -> str | None:
        """Judge a request to loopback in the mode `restore`: budgets may keep it back, and snapshots of others stay."""
        if request.method == "DELETE":
            place = place_of(request)
            return self._objection_to_delete(place) if place is not None and place.is_of_snapshots else None
        if request.method != "POST" or (self.budget is None and self.max_snapshots is None):
            return None
        place = place_of(request)
        if place is None or not _is_create(request, place):
            return None
        if place.makes == "job" and (self.budget is None or harm_of(request, place, self._atlas) is None):
            return None
        return self._reserve(request, place, wait)

    def _objection_to_delete(self, place: Place) -> str | None:
        """Judge the delete of a snapshot on loopback: it may be one of this run's, or one that exists nowhere."""
        if (
            place.item is None
            or leads_nowhere(place, self._atlas)
            or self._atlas.id_standing(place.item) in ("absent", "malformed")
        ):
            return None
        with self._lock:
            taken = {fold(item) for (_, _, item), operation in self._created.items() if _makes(operation) == "snapshot"}
        return None if fold(place.item) in taken else "it would delete a snapshot that this run did not take"

    def _taken_of(self, project: str, cluster: str) -> set[str]:
        """Return the ids of the snapshots that this run took of a cluster."""
        with self._lock:
            made = [item for item, operation in self._created.items() if _makes(operation) == "snapshot"]
        return {item for *place, item in made if place == [project, cluster]}

    def _reserve(self, request: Request, place: Place, wait: bool) -> str | None:
        """Take a place of the budget of what a create makes, or say that there is none."""
        what = place.makes
        most = self.budget if what == "job" else self.max_snapshots
        with self._lock:
            while most is not None and self._reserved[what] >= most:
                if not (wait and self._under_way[what]):
                    return f"the budget of {most} {what}s is used up"
                self._lock.wait()
            self._reserved[what] += 1
            self._under_way[what] += 1
            self._places[_key(request)] += 1
        return None

    def _objection(self, request: Request, wait: bool, *, again: bool = False) -> str | None:
        """Judge a request to a remote endpoint; `again`: it was checked before, and has its place if it needed one."""
        if overrides_method(request):
            return "a header asks for another host, method, path or framing than the request itself has"
        if request.method in READS:
            # A peer that skips a read's body would take it for the next request.
            return "a read carries a body" if request.body else None
        if self.mode == "read":
            since = f"; the endpoint counts as remote, as {self.turn.because}" if self.turn else ""
            return f"the mode is read, which sends no request that could change anything{since}"
        place = place_of(request)
        if place is None:
            return "its path is not plainly one of the contract's"
        if mentioned := self._atlas.mentions(query_text(request)):
            return f"its query holds {mentioned}"
        if not _is_create(request, place):
            return self._objection_to_other(request, place)
        return self._objection_to_create(request, place, wait, again=again)

    def _objection_to_other(self, request: Request, place: Place) -> str | None:
        """Judge a DELETE, or a method that the path does not have."""
        if leads_nowhere(place, self._atlas):
            return None
        if place.item is not None:
            standing = self._atlas.id_standing(place.item)
            if standing in ("absent", "malformed"):
                return None
            if request.method == "DELETE" and self.mode == "restore":
                what = "snapshot" if place.is_of_snapshots else "job"
                with self._lock:
                    made = self._created.get((place.project, place.cluster, place.item))
                if made is not None and _makes(made) == what:
                    return None
                if what == "snapshot":
                    return "it would delete a snapshot that this run did not take"
                return "it would cancel a job that this run did not create"
        return "it could change something that exists"

    def _objection_to_create(self, request: Request, place: Place, wait: bool, *, again: bool) -> str | None:
        harm = harm_of(request, place, self._atlas)
        if harm is None:
            return None
        if self.mode == "refusals":
            return f"the mode is refusals, and {harm}"
        if place.makes == "snapshot":
            listed = self._atlas.id_standing(place.project) == "known"
            listed = listed and self._atlas.name_standing(place.cluster, item=False) == "known"
            reason = None if listed else "its cluster is not listed in the target file"
        else:
            names = names_of(request.body, place)
            if names is None:
                return harm
            taken = self._taken_of(place.project, place.cluster)
            reason = objection_to_restore(place, names, self._atlas, taken, self._safety.destroyable)
        if reason is not None or not again:
            return reason or self._reserve(request, place, wait)
        has_place = self._places[_key(request)] > 0
        return None if has_place else "the endpoint turned out to be remote while it waited to be sent"


def _makes(operation: str) -> str:
    """Return what a create makes, by its id: a job or a snapshot."""
    return Contract.load().operations[operation].resource.what


def _key(request: Request) -> _Key:
    """Return what of a request stays the same however it is authenticated."""
    return request.method, request.target, request.body


def _is_create(request: Request, place: Place) -> bool:
    return request.method == "POST" and any(operation.kind == "create" for operation in place.operations)


def _job_id(response: Response) -> str | None:
    """Return the id of the job that a 2xx to a create shows, through an envelope too, or None."""
    if len(response.body) > _LONGEST_JOB:
        return None
    try:
        document = parse_json(response.body)
    except NotJson:
        return None
    if not isinstance(document, dict):
        return None
    for key in ("content", "envelope"):
        if isinstance(document.get(key), dict) and "id" not in document:
            document = document[key]
    job = document.get("id")
    return job if isinstance(job, str) else None
