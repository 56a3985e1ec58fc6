"""Finding jobs: by id, in lists, page by page, and not through somebody else's cluster."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from atlas_conformance.contracts.finding import Finding
from atlas_conformance.contracts.listing import judge_walk
from atlas_conformance.contracts.operation import Operation
from atlas_conformance.contracts.validation import NotJson, parse_json
from atlas_conformance.contracts.verdicts import Verdicts
from atlas_conformance.runner.endpoint import Endpoint
from atlas_conformance.runner.expectations import (
    expect_conforming,
    expect_refused,
    expect_unchanged,
)
from atlas_conformance.runner.jobs import CREATE_OF, create_job, finished_job, job_for, known_jobs, read_list, some_job
from atlas_conformance.runner.marks import EVERY, GETS, JOB_GETS, LISTS, PAGED_LISTS, covers, on
from atlas_conformance.runner.outcomes import Judged
from atlas_conformance.runner.rationing import CANCELLED
from atlas_conformance.runner.restless import shown_ids
from atlas_conformance.strategies.bodies import base_bodies
from atlas_conformance.strategies.scenes import Scene, request_in

_PAGES = ("L-PAGE", "L-TOTAL", "L-FOUND")
_WALKS = (1, 2, 7, 100)
_PRETTY_WALK = 2
_LARGEST = 500
_FEW_PAGES = 7
_MAY_LAG = (30.0, 30.0)
"""How long a list may lack a new job (L-FOUND), on loopback as anywhere; once one lacks it longer, others get less."""


@covers("L-SCOPE")
@on(tuple(operation for operation in EVERY if operation.kind in ("get", "cancel", "delete")))
def test_a_job_is_seen_through_its_own_cluster_alone(endpoint: Endpoint, operation: Operation) -> None:
    """The same id through another cluster of the kind, another project, and clusters of other kinds."""
    scene = endpoint.scenes_of(operation)[0]
    what = operation.resource.what
    job = (job_for if operation.kind in ("cancel", "delete") else some_job)(endpoint, operation, scene)
    job = job or (some_job(endpoint, operation, scene) if operation.kind == "cancel" else None)
    if job is None:
        endpoint.not_exercised("L-SCOPE", operation.id, f"there is no {what} to read, and none may be created")
        return
    inventory = endpoint.knowledge.inventory
    if inventory.invented and inventory.absent_job is None:
        endpoint.not_exercised("L-SCOPE", operation.id, "the endpoint keeps no jobs, so none belongs to one cluster")
        return
    kind = operation.cluster_kind
    clusters = sorted(endpoint.knowledge.inventory.clusters, key=lambda cluster: cluster.kind != kind)
    places = [(c.project, c.name) for c in clusters]
    places += [(scene.project, other) for _, other in places] + [(project, scene.cluster) for project, _ in places]
    absent = endpoint.knowledge.inventory.absent
    if absent is not None:
        places += [(absent.project, scene.cluster), (scene.project, absent.cluster)]
    elsewhere = [place for place in dict.fromkeys(places) if place != (scene.project, scene.cluster)]
    if not elsewhere:
        endpoint.not_exercised("L-SCOPE", operation.id, "the target names one cluster only")
    if endpoint.profile.name == "quick":
        elsewhere = elsewhere[:6]
    if operation.kind in ("cancel", "delete"):
        answers = _write_from_elsewhere(endpoint, operation, scene, elsewhere, job)
    else:
        answers = endpoint.send_all(
            request_in(operation, replace(scene, project=project, cluster=name), job) for project, name in elsewhere
        )
    expect_refused(endpoint, answers, by="L-SCOPE")


def _write_from_elsewhere(
    endpoint: Endpoint, operation: Operation, scene: Scene, elsewhere: Iterable[tuple[str, str]], job: str
) -> list[Judged | None]:
    """Cancel a job, or delete a snapshot, through other places, and look whether it was done all the same.

    A job that has ended is not cancelled either way, so each place gets one that is under way.
    """
    reads = [o for o in GETS if o.resource is operation.resource and o.sharded is scene.sharded and o.api == "v2"]
    read = reads[0] if reads and endpoint.offers(reads[0].id) else None
    answers = []
    for project, name in elsewhere:
        cancels = operation.kind == "cancel" and not endpoint.rationed
        fresh = job_for(endpoint, operation, scene) if cancels else None
        job = fresh or job
        sent = request_in(operation, replace(scene, project=project, cluster=name), job)
        written = endpoint.send(sent)
        answers.append(written)
        if written is None or written.status < 400 or read is None:
            continue
        with endpoint.in_passing():
            seen = endpoint.send(request_in(read, scene, job))
        if seen is not None and fresh is not None and _is_cancelled(seen):
            expected = "a job that is not cancelled through another cluster or project"
            found = Finding(
                "L-SCOPE", operation.id, expected, f"{written.status}, and cancelled true", "/response/status"
            )
            endpoint.report(written, found, related=[seen])
    return answers


def _is_cancelled(judged: Judged) -> bool:
    try:
        document = parse_json(judged.exchange.response.body)
    except NotJson:
        return False
    return isinstance(document, dict) and document.get("cancelled") is True


@covers("L-FOUND", "S-SAME")
@on(JOB_GETS)
def test_a_created_job_is_found_by_its_id(endpoint: Endpoint, operation: Operation) -> None:
    """Create and read at once."""
    scene = endpoint.scenes_of(operation)[0]
    job = create_job(endpoint, endpoint.contract.operations[CREATE_OF[operation.id]], scene) if scene.real else None
    if job is None:
        endpoint.not_exercised("L-FOUND", operation.id, "nothing could be created to be found")
        return
    expect_conforming(endpoint, endpoint.send(request_in(operation, scene, job)), to="L-FOUND")
    # Another one is first seen again in the list.
    if create_job(endpoint, endpoint.contract.operations[CREATE_OF[operation.id]], scene) is not None:
        read_list(endpoint, operation.resource, scene)


@covers(*_PAGES)
@on(PAGED_LISTS)
def test_pages_neither_overlap_nor_lose_a_job(endpoint: Endpoint, operation: Operation) -> None:
    """The list is walked in pages of several sizes; every created job is on one of them."""
    scene = endpoint.scenes_of(operation)[0]
    if operation.id in endpoint.restless:
        endpoint.not_exercised("L-PAGE", operation.id, "the list changes by itself, so its pages say nothing")
        return
    create = CREATE_OF.get(operation.id)
    with endpoint.in_passing():
        while create is not None and len(known_jobs(endpoint, operation, scene)) < 4 and scene.real:
            if create_job(endpoint, endpoint.contract.operations[create], scene) is None:
                break
        if create is not None and operation.resource.what == "job" and scene.real and not endpoint.rationed:
            # A list that lags behind lacks the newest: let that be one that it owes.
            create_job(endpoint, endpoint.contract.operations[create], scene)
        _cancel_one(endpoint, operation, scene)
    usual = endpoint.send(request_in(operation, scene))
    expect_conforming(endpoint, usual, to=_PAGES)
    _expect_pages_of_100(endpoint, operation, scene, usual)
    owed = _owed(endpoint, operation, scene)
    for size in _WALKS:
        seen = _expect_whole_list(
            endpoint, operation, scene, size, owed, **({"pretty": "true"} if size == _PRETTY_WALK else {})
        )
    # Two pages, the second of them not full, however many jobs there are; how many, is a matter of time.
    with endpoint.in_passing():
        _expect_whole_list(endpoint, operation, scene, min(seen // 2 + 1, _LARGEST), owed)
    _expect_whole_list(endpoint, operation, scene, 2, owed, includeCount="false", envelope="true")
    for other in endpoint.scenes_of(operation)[1:]:
        _expect_whole_list(endpoint, operation, other, 100, _owed(endpoint, operation, other))
    without = request_in(operation, scene, query={"includeCount": "false"})
    beyond = request_in(operation, scene, query={"pageNum": "1000", "itemsPerPage": "500"})
    counted = request_in(operation, scene, query={"includeCount": "true", "itemsPerPage": "1"})
    answers = endpoint.send_all([without, beyond, counted])
    expect_conforming(endpoint, answers, to=_PAGES)


def _cancel_one(endpoint: Endpoint, operation: Operation, scene: Scene) -> None:
    """Cancel a fresh job, which its list must go on showing; nothing where there is none to be cancelled."""
    cancel = endpoint.contract.operations["cluster-cancel"]
    if operation.id == "cluster-list" and endpoint.offers(cancel.id) and not endpoint.rationed:
        job = job_for(endpoint, cancel, scene)
        if job is not None:
            endpoint.send(request_in(cancel, scene, job))


def _expect_pages_of_100(endpoint: Endpoint, operation: Operation, scene: Scene, usual: Judged | None) -> None:
    """A page of no named size is as long as one of 100, which is the default."""
    with endpoint.in_passing():
        hundred = _page(endpoint, operation, scene, 100, 1, {})
        again = endpoint.send(request_in(operation, scene))
    sizes = [_length(judged) for judged in (usual, hundred, again)]
    if usual is None or hundred is None or None in sizes:
        return
    if sizes[0] == sizes[2] != sizes[1] and not endpoint.doubts():
        expected = f"{sizes[1]} results, as with itemsPerPage=100, which is the default"
        found = Finding("L-PAGE", operation.id, expected, str(sizes[0]), "/response/body/results")
        endpoint.report(usual, found, related=[hundred])


def _length(judged: Judged | None) -> int | None:
    """Return how many results a page shows; None where there is no page, as where the endpoint asks to wait."""
    try:
        page = parse_json(judged.exchange.response.body) if judged is not None and judged.status == 200 else None
    except NotJson:
        return None
    results = page.get("results") if isinstance(page, dict) else None
    return len(results) if isinstance(results, list) else None


def _owed(endpoint: Endpoint, operation: Operation, scene: Scene) -> frozenset[str]:
    """Return the jobs, or the snapshots, that the operation must list as this run made them."""
    create = CREATE_OF.get(operation.id)
    made = [j for j in known_jobs(endpoint, operation, scene) if create is not None and j.create_operation == create]
    kept = [j for j in made if j.delete_started == float("inf")]
    return frozenset(j.job for j in kept if j.resource.what == "job" or not scene.sharded)


def _expect_whole_list(
    endpoint: Endpoint, operation: Operation, scene: Scene, size: int, owed: frozenset[str], **query: str
) -> int:
    """All pages of one size show each job once. They are read again while one is missing, as a list has 30 seconds to
    show a new job. What stayed in one walk is not waited for in the next.

    The first page counts; how many more there are depends on how many jobs others make. Return how many jobs there are
    on the pages.
    """
    first = _page(endpoint, operation, scene, size, 1, query)
    with endpoint.waiting(_MAY_LAG) as later, endpoint.waiting((2.0, 30.0)) as again, endpoint.in_passing():
        while True:
            pages, exchanges = _pages(endpoint, operation, scene, size, query, first)
            first = None
            if not pages:
                return 0
            verdicts = Verdicts(operation.id)
            judge_walk(pages, owed if size == 100 else frozenset(), verdicts)
            judgement = verdicts.judgement()
            # A test that is rerun alone waits then: here others may create jobs, and a list that always lacks the
            # newest one would show it as soon as there is a newer one.
            if not endpoint.traits.may_pass(judgement.findings) or endpoint.recorder.doubtful:
                break
            if again():
                continue
            lacks = any(finding.requirement == "L-FOUND" for finding in judgement.findings)
            if not lacks or endpoint.traits.has_stayed("L-FOUND") or endpoint.doubts() or not later():
                break
    if any(finding.requirement == "L-FOUND" for finding in judgement.findings):
        verdicts = Verdicts(operation.id)
        judge_walk(pages, owed, verdicts, _shown_whole(endpoint, operation, scene))
        judgement = verdicts.judgement()
    if judgement.findings and not endpoint.doubts():
        endpoint.traits.stayed(judgement.findings)
        endpoint.report(exchanges[-1], *judgement.findings, related=exchanges[:-1])
    return sum(len(page["results"]) for page in pages)


def _shown_whole(endpoint: Endpoint, operation: Operation, scene: Scene) -> frozenset[str]:
    """Return the ids that the list shows on one large page: what pages lose of them is lost between two pages."""
    with endpoint.in_passing():
        page = _page(endpoint, operation, scene, _LARGEST, 1, {})
    return (page is not None and shown_ids(page.exchange)) or frozenset()


def _page(
    endpoint: Endpoint, operation: Operation, scene: Scene, size: int, number: int, also: Mapping[str, str]
) -> Judged | None:
    query = {"itemsPerPage": str(size), "pageNum": str(number), **also}
    return endpoint.send(request_in(operation, scene, query=query))


def _pages(
    endpoint: Endpoint, operation: Operation, scene: Scene, size: int, also: Mapping[str, str], first: Judged | None
) -> tuple[list[dict[str, Any]], list[Judged]]:
    """Read pages until one is not full, after the `first` where it is read already; a few of the smaller sizes, which
    is no walk but still tells overlaps.
    """
    pages: list[dict[str, Any]] = []
    exchanges: list[Judged] = []
    for number in range(1, _FEW_PAGES if size < 100 else 1_000):
        judged = first if first is not None and number == 1 else _page(endpoint, operation, scene, size, number, also)
        if judged is None or judged.status != 200:
            return [], exchanges
        try:
            page = parse_json(judged.exchange.response.body)
        except NotJson:
            return [], exchanges
        if not isinstance(page, dict) or not isinstance(page.get("results"), list):
            return [], exchanges
        pages.append(page)
        exchanges.append(judged)
        if len(page["results"]) < size:
            break
    else:
        # The walk did not reach the end, so the number of jobs on it says nothing of totalCount.
        pages = [{key: value for key, value in page.items() if key != "totalCount"} for page in pages]
    return pages, exchanges


@covers("T-CANCEL", "V-ENVELOPE", "C-STATUS")
@on(tuple(operation for operation in EVERY if operation.kind == "cancel"))
def test_a_cancelled_job_reads_back_cancelled(endpoint: Endpoint, operation: Operation) -> None:
    """Cancel a fresh job, read it back; cancel a finished one, which is refused."""
    create, read = endpoint.contract.operations["cluster-create"], endpoint.contract.operations["cluster-get"]
    first, *others = endpoint.scenes_of(operation)
    bodies = base_bodies(create, first)[: 1 if endpoint.rationed else None]
    for scene, body in [(first, body) for body in bodies] + [(scene, None) for scene in others]:
        job = create_job(endpoint, create, scene, body, lesson=CANCELLED) if scene.real else None
        if job is None or not endpoint.offers(read.id):
            endpoint.not_exercised("T-CANCEL", operation.id, "nothing could be created to be cancelled and read back")
            return
        cancel, read_back = request_in(operation, scene, job), request_in(read, scene, job)
        answers = [endpoint.send(request) for request in (cancel, read_back, cancel)]
        expect_conforming(endpoint, answers, to=("T-CANCEL", "C-STATUS"))
        read_list(endpoint, operation.resource, scene)
    _cancel_in_an_envelope(endpoint, operation, first)
    scene = endpoint.scenes_of(operation)[0]
    finished = finished_job(endpoint, read, scene)
    if finished is not None:
        late = endpoint.send(request_in(operation, scene, finished))
        after = endpoint.send(request_in(read, scene, finished))
        expect_refused(endpoint, late, by="T-CANCEL")
        expect_conforming(endpoint, after, to="T-CANCEL")


def _cancel_in_an_envelope(endpoint: Endpoint, operation: Operation, scene: Scene) -> None:
    """Cancel another job with `envelope` and `pretty`: a 204 stays one, and stays empty."""
    job = None if endpoint.rationed else job_for(endpoint, operation, scene)
    if job is not None:
        query = {"envelope": "true", "pretty": "true"}
        answer = endpoint.send(request_in(operation, scene, job, query=query))
        expect_conforming(endpoint, answer, to="C-STATUS")


@covers("L-STABLE", "S-FIXED")
@on(GETS + LISTS)
def test_a_read_changes_nothing(endpoint: Endpoint, operation: Operation) -> None:
    """A finished job, and a list of nothing but finished jobs, read the same however often they are read."""
    scene = endpoint.scenes_of(operation)[0]
    finished = finished_job(endpoint, operation, scene)
    if finished is None:
        endpoint.not_exercised("L-STABLE", operation.id, "no job had finished")
        return
    query = {"itemsPerPage": "500"} if operation.kind == "list" else None
    request = request_in(operation, scene, finished, query=query)
    with endpoint.in_passing():  # what the others are compared with
        first = endpoint.send(request)
    answers = endpoint.send_all([request] * 3)
    expect_unchanged(endpoint, [first, *answers], by=("L-STABLE", "S-FIXED", "SNAP-FIXED", "T-FLAGS"))
