"""Faults in what is found where: paths, existence, scope and lists (`P-*`, `N-*`, `L-*`, `V-QUERY`)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

from atlas_conformance.reference.backend import Backend
from atlas_conformance.reference.bodies import Check, is_identifier
from atlas_conformance.reference.fault import Class, Fault, Page
from atlas_conformance.reference.fault_parts import ALL, CREATES, READS, failing, is_there, resource_of, sound
from atlas_conformance.reference.messages import Answer, Call, Refusal
from atlas_conformance.reference.resources import new_job

LISTS = ("flex-list", "cluster-list")


def _fault(operation: str, what: str, requirement: str, sentence: str, kind: Class, **hooks: Any) -> Fault:
    return Fault(f"{operation}/{what}", requirement, (operation,), sentence, kind, **hooks)


def _cleaning(attribute: str, change: Callable[[str], str]) -> Callable[[Backend, Call], None]:
    """A request hook that cleans up a path parameter before it is checked."""

    def clean(backend: Backend, call: Call) -> None:
        setattr(call, attribute, change(getattr(call, attribute)))

    return clean


def _paths() -> Iterator[Fault]:
    for operation in ALL:
        yield _fault(
            operation,
            "group-any-case",
            "P-GROUP",
            "A project in upper case is taken.",
            "subtle",
            request=_cleaning("project", str.lower),
        )
        yield _fault(
            operation,
            "group-newline",
            "P-GROUP",
            "A newline after the project is taken.",
            "subtle",
            request=_cleaning("project", lambda text: text.removesuffix("\n")),
        )
        yield _fault(
            operation,
            "name-cut",
            "P-NAME",
            "A cluster name is cut off at the first character that it may not have.",
            "negative",
            request=_cleaning("cluster_name", _cut),
        )
        yield _fault(
            operation,
            "name-500",
            "C-5XX",
            "A cluster name that is not allowed ends in a 500.",
            "negative",
            replace={"P-NAME": _breaking(sound(operation, "P-NAME"))},
        )
    for operation in (*READS, "cluster-cancel"):
        yield _fault(
            operation,
            "job-any-case",
            "P-JOB",
            "A job in upper case is taken.",
            "subtle",
            request=_cleaning("job_id", str.lower),
        )
        yield _fault(
            operation,
            "job-cut",
            "P-JOB",
            "What follows the job's 24th digit is ignored.",
            "subtle",
            request=_cleaning("job_id", lambda text: text[:24] if is_identifier(text[:24]) else text),
        )
        yield _fault(
            operation,
            "job-500",
            "C-5XX",
            "A job that is no identifier ends in a 500.",
            "negative",
            replace={"P-JOB": _breaking(sound(operation, "P-JOB"))},
        )


def _cut(name: str) -> str:
    for operation, char in enumerate(name):
        if not (char.isascii() and (char.isalnum() or char == "-")):
            return name[:operation]
    return name[:64]


def _breaking(check: Check) -> Check:
    """The refusals of a check become 500s."""

    def broken(backend: Backend, call: Call) -> None:
        try:
            check(backend, call)
        except Refusal:
            failing(lambda _: True)(backend, call)

    return broken


def _empty_success(backend: Backend, call: Call, refusal: Refusal) -> Refusal | Answer:
    """Nothing found is no error: an empty document."""
    return Answer(200, {}, call.media_type) if refusal.status == 404 else refusal


def _creating_all_the_same(status: int) -> Callable[[Backend, Call, Refusal], Refusal]:
    """A refused create leaves a job behind."""

    def refused(backend: Backend, call: Call, refusal: Refusal) -> Refusal:
        if refusal.status == status and isinstance(call.fields.get("snapshotId"), str):
            backend.jobs.add(new_job(backend, call))
        return refusal

    return refused


def _existence() -> Iterator[Fault]:
    for operation in CREATES:
        for step, requirement, sentence in (
            ("N-GROUP", "N-GROUP", "A project that does not exist is taken."),
            ("N-CLUSTER", "N-CLUSTER", "A cluster that does not exist is taken."),
        ):
            others = {"N-CLUSTER", "N-CLUSTER/kind", "free/foreign-snapshot"} | {step}
            yield _fault(
                operation,
                f"{step.lower()}-unchecked",
                requirement,
                sentence,
                "negative",
                skip=frozenset(others),
                freedoms={"absent-target": "200"},
            )
        yield _fault(
            operation,
            "group-409",
            "N-GROUP",
            "A project that does not exist is answered with 409.",
            "negative",
            refused=lambda backend, call, refusal: (
                Refusal(409, refusal.code, refusal.detail) if refusal.code == "GROUP_NOT_FOUND" else refusal
            ),
        )
        yield _fault(
            operation,
            "snapshot-403",
            "N-SNAPSHOT",
            "A snapshot that does not exist is answered with 403.",
            "negative",
            refused=lambda backend, call, refusal: (
                Refusal(403, refusal.code, refusal.detail) if refusal.code == "SNAPSHOT_NOT_FOUND" else refusal
            ),
        )
        if is_there("list", resource_of(operation)):  # where it can be seen
            yield _fault(
                operation,
                "refused-and-created",
                "N-SNAPSHOT",
                "A create that is refused with 404 leaves a job behind.",
                "stateful",
                refused=_creating_all_the_same(404),
            )
    for operation in READS:
        yield _fault(
            operation,
            "absent-job-empty",
            "N-JOB",
            "A job that does not exist is an empty object.",
            "negative",
            refused=_empty_success,
        )
        yield _fault(
            operation,
            "absent-job-500",
            "C-5XX",
            "A job that does not exist ends in a 500.",
            "negative",
            replace={"N-JOB": _breaking(sound(operation, "N-JOB"))},
        )
        for scope in ("project", "cluster"):
            yield _fault(
                operation,
                f"through-other-{scope}",
                "L-SCOPE",
                f"A job shows through another {scope}.",
                "stateful",
                skip=frozenset({f"L-SCOPE/{scope}", "L-SCOPE/cluster"}),
            )
        yield _fault(
            operation,
            "read-deletes",
            "L-STABLE",
            "A job is gone after its fifth read.",
            "stateful",
            view=_forgetting(5),
        )
    for operation in LISTS:
        yield _fault(
            operation,
            "absent-cluster-empty",
            "N-CLUSTER",
            "A cluster that does not exist has an empty list.",
            "negative",
            skip=frozenset({"N-CLUSTER"}),
        )
        yield _fault(
            operation,
            "absent-group-empty",
            "N-GROUP",
            "A project that does not exist has an empty list.",
            "negative",
            skip=frozenset({"N-GROUP", "N-CLUSTER"}),
        )


def _forgetting(reads: int) -> Callable[..., dict[str, Any]]:
    def view(backend: Backend, call: Call, job: Any, document: dict[str, Any]) -> dict[str, Any]:
        if backend.reads[job.id] >= reads:
            backend.jobs.forget(job.id)
        return document

    return view


def _without_newest(backend: Backend, call: Call, page: Page) -> Page:
    """The list is that of all jobs but the newest, page by page, as a copy that lags behind has it."""
    order, start = backend.free["list-order"], (page.number - 1) * page.items
    newest = 1 if order == "newest" else 0
    jobs = backend.jobs.page(call.project, call.cluster_name, order, page.items, start + newest)
    total = max(0, page.total - 1)
    return replace(page, jobs=tuple(jobs), total=total, more=start + page.items < total)


def _lists() -> Iterator[Fault]:
    changes: tuple[tuple[str, str, Class, Callable[[Backend, Call, Page], Page]], ...] = (
        (
            "total-of-page",
            "totalCount is the number of jobs on the page.",
            "stateful",
            lambda b, c, page: replace(page, total=len(page.jobs)),
        ),
        (
            "total-off-by-one",
            "totalCount is one too many.",
            "shape",
            lambda b, c, page: replace(page, total=page.total + 1),
        ),
        ("never-next", "No page has a next one.", "stateful", lambda b, c, page: replace(page, more=False)),
        ("always-next", "Every page has a next one.", "shape", lambda b, c, page: replace(page, more=True)),
        ("pages-overlap", "A page begins with the last job of the one before.", "stateful", _overlapping),
        ("pages-lose", "Each page after the first lacks its first job.", "stateful", _losing),
        ("page-size-ignored", "itemsPerPage has no effect.", "rule", _sizeless),
        ("page-zero-based", "Pages are counted from 0.", "rule", _zero_based),
    )
    for operation in LISTS:
        for what, sentence, kind, change in changes:
            requirement = "L-TOTAL" if what.startswith("total-") else "L-PAGE"
            yield _fault(operation, what, requirement, sentence, kind, listing=change)
        yield _fault(
            operation,
            "newest-missing",
            "L-FOUND",
            "The newest job is not in the list.",
            "stateful",
            listing=_without_newest,
        )
        yield _fault(
            operation,
            "other-clusters",
            "L-SCOPE",
            "The list holds jobs of the project's other clusters.",
            "stateful",
            listing=_of_all_clusters,
        )
        yield _fault(
            operation,
            "flag-500",
            "V-QUERY",
            "A value of envelope that is no boolean ends in a 500.",
            "negative",
            replace={"V-QUERY": failing(_junk_flag)},
        )
    for operation in (*CREATES, *READS):
        yield _fault(
            operation,
            "flag-500",
            "V-QUERY",
            "A value of envelope or pretty that is no boolean ends in a 500.",
            "negative",
            replace={"V-QUERY": failing(_junk_flag)},
        )


def _junk_flag(call: Call) -> bool:
    return any(name in {"envelope", "pretty"} and value not in {"true", "false"} for name, value in call.query)


def _jobs_from(backend: Backend, call: Call, items: int, offset: int) -> tuple[Any, ...]:
    order = backend.free["list-order"]
    return tuple(backend.jobs.page(call.project, call.cluster_name, order, items, max(0, offset)))


def _overlapping(backend: Backend, call: Call, page: Page) -> Page:
    return replace(page, jobs=_jobs_from(backend, call, page.items, (page.number - 1) * (page.items - 1)))


def _losing(backend: Backend, call: Call, page: Page) -> Page:
    return replace(page, jobs=page.jobs[1:]) if page.number > 1 else page


def _sizeless(backend: Backend, call: Call, page: Page) -> Page:
    return replace(page, jobs=_jobs_from(backend, call, 100, (page.number - 1) * 100))


def _zero_based(backend: Backend, call: Call, page: Page) -> Page:
    if call.parameter("pageNum") is None:
        return page
    return replace(page, jobs=_jobs_from(backend, call, page.items, page.number * page.items))


def _of_all_clusters(backend: Backend, call: Call, page: Page) -> Page:
    assert call.operation is not None
    kind, clusters = call.operation.cluster_kind, backend.fixtures.inventory.clusters
    others = [one for one in clusters if one.kind == kind and one.project == call.project]
    found = tuple(job for one in others for job in backend.jobs.page(one.project, one.name, "newest", page.items, 0))
    return replace(page, jobs=found, total=len(found), more=False)


FAULTS: tuple[Fault, ...] = (*_paths(), *_existence(), *_lists())
"""Faults of this family."""
