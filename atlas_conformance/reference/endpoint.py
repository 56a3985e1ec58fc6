"""The endpoint's pipeline: a call goes through the steps of its operation and comes out as an answer."""

from __future__ import annotations

import sys
import traceback
from collections.abc import Collection
from dataclasses import replace
from typing import Any

import orjson

from atlas_conformance.contracts.operation import Operation
from atlas_conformance.reference.authentication import REVOKE_PATH, TOKEN_PATH
from atlas_conformance.reference.backend import Backend
from atlas_conformance.reference.callers import ADVERTISED_RATE
from atlas_conformance.reference.creation import shards_of
from atlas_conformance.reference.documents import MOST_ITEMS, MOST_PAGES, USUAL_ITEMS, page_links
from atlas_conformance.reference.fault import NOWHERE, TOKEN, Fault, Page
from atlas_conformance.reference.fixtures import Snapshot
from atlas_conformance.reference.jobs import Job
from atlas_conformance.reference.messages import Answer, Call, Refusal, error_document
from atlas_conformance.reference.neighbours import neighbour_answer
from atlas_conformance.reference.resources import SNAPSHOTS, job_document, new_job
from atlas_conformance.reference.routes import Routes
from atlas_conformance.reference.steps import pipeline

RawHeaders = list[tuple[bytes, bytes]]


class Endpoint:
    """Answers calls. It holds no state of its own but what `backend` holds."""

    def __init__(
        self, backend: Backend, *, url: str, fault: Fault | None = None, offered: Collection[str] | None = None
    ) -> None:
        """Put the pipelines together; raises ValueError where `fault` names a step or an operation that doesn't
        exist.
        """
        self.backend = backend
        self.url = url
        self.pause = 0.0 if fault is None else fault.pause
        """Seconds for which every call is to be held open before it is handled."""
        operations = backend.contract.operations
        self._routes = Routes(operations.values(), backend.level, offered)
        steps = {place: pipeline(operation, backend.free) for place, operation in operations.items()}
        steps[NOWHERE] = pipeline(None, backend.free)
        self._faults: dict[str, Fault] = {}
        for part in (fault.parts or (fault,)) if fault is not None else ():
            for place in part.operations:
                if place not in steps and place != TOKEN:
                    raise ValueError(f"the fault {part.id} names the operation {place}, which there is not")
                self._faults[place] = part
                if place != TOKEN:
                    steps[place] = part.steps(steps[place])
            if part.start is not None:
                part.start(backend)
        self._checks = {place: tuple(step.check for step in found) for place, found in steps.items()}

    def handle(self, call: Call) -> tuple[int, RawHeaders, bytes]:
        """Return the status, headers and body that a call is answered with. Raises nothing."""
        try:
            place = self.place(call)
            fault = self._faults.get(place)
            return self._encode(call, fault, self._answer(call, place, fault))
        except Exception:
            # The last resort: our own mistake must not take the connection down, and must be seen.
            traceback.print_exc(file=sys.stderr)
            refusal = Refusal(500, "UNEXPECTED_ERROR", "The endpoint failed.")
            document = error_document(refusal, self.backend.free, self.backend.imitate)
            return 500, [(b"content-type", b"application/json")], orjson.dumps(document)

    # Routing

    def place(self, call: Call) -> str:
        """Note the operation and its parameters on the call; return the operation's id, `TOKEN` or `NOWHERE`."""
        if call.path in (TOKEN_PATH, REVOKE_PATH) and "bearer" in self.backend.authentication.schemes:
            return TOKEN
        operations, parameters = self._routes.find(call.path)
        if call.query_string:
            call.envelope = call.parameter("envelope") == "true"
            call.pretty = call.parameter("pretty") == "true"
        operation = operations.get(call.method)
        if operation is None:
            return NOWHERE
        call.operation = operation
        call.project, call.cluster_name = parameters[0], parameters[1]
        if len(parameters) == 3:
            call.job_id = parameters[2]
        return operation.id

    def _nothing_here(self, call: Call) -> Refusal:
        operations, _ = self._routes.find(call.path)
        allow = (("Allow", ", ".join(sorted(operations))),)
        missing = Refusal(404, "RESOURCE_NOT_FOUND", "There is no such resource.")
        refused = Refusal(405, "METHOD_NOT_ALLOWED", "The resource does not have this method.", headers=allow)
        if self._routes.lacks(call.method, call.path):
            return self._not_offered(missing, refused)
        return refused if operations and self.backend.free["wrong-method"] == "405" else missing

    def _not_offered(self, missing: Refusal, refused: Refusal) -> Refusal:
        """Return what the endpoint says about an operation that it leaves out."""
        match self.backend.free["extended-absent"]:
            case "405":
                return refused
            case "410":
                return Refusal(410, "RESOURCE_REMOVED", "This operation has been removed.")
            case "501":
                return Refusal(501, "NOT_IMPLEMENTED", "This operation is not there.")
        return missing

    # Answers

    def _answer(self, call: Call, place: str, fault: Fault | None) -> Answer:
        if fault is not None and fault.request is not None:
            fault.request(self.backend, call)
        try:
            if place == TOKEN:
                answer = self.backend.authentication.token(call)
            else:
                for check in self._checks[place]:
                    check(self.backend, call)
                answer = self._act(call, fault)
        except Refusal as refusal:
            answer = self._refuse(call, fault, refusal)
        if fault is not None and fault.answer is not None:
            answer = fault.answer(self.backend, call, answer)
        return answer

    def _refuse(self, call: Call, fault: Fault | None, refusal: Refusal) -> Answer:
        if fault is not None and fault.refused is not None:
            instead = fault.refused(self.backend, call, refusal)
            if isinstance(instead, Answer):
                return instead
            refusal = instead
        document = error_document(refusal, self.backend.free, self.backend.imitate)
        headers = list(refusal.headers)
        if self.backend.free["error-code-header"] == "shown":
            headers.append(("X-Error-Code", refusal.code))
        return Answer(refusal.status, document, headers=headers, error=True)

    def _act(self, call: Call, fault: Fault | None) -> Answer:
        operation = call.operation
        if operation is None:
            listed = neighbour_answer(self.backend, call, self.url)
            if listed is None:
                raise self._nothing_here(call)
            return listed
        if operation.resource.what == "snapshot":
            return self._act_on_snapshot(call, fault, operation)
        match operation.kind:
            case "create":
                document: Any = self._create(call, fault)
            case "list":
                document = self._list(call, fault)
            case "get" if call.job is not None:
                document = self._view(call, fault, call.job)
            case "cancel" if call.job is not None:
                if not call.job.is_over(call.now):
                    self.backend.jobs.cancel(call.job.id, call.now)
                return Answer(operation.success, None)
            case _:
                raise Refusal(404, "RESTORE_JOB_NOT_FOUND", "There is no such restore job.")
        return Answer(operation.success, document, call.media_type)

    def _act_on_snapshot(self, call: Call, fault: Fault | None, operation: Operation) -> Answer:
        match operation.kind:
            case "create":
                snapshot = self.backend.new_snapshot(call)
                if fault is not None and fault.snapshot is not None:
                    snapshot = fault.snapshot(self.backend, call, snapshot)
                self.backend.snapshots.add(snapshot)
                document: Any = self._show(call, fault, snapshot)
            case "list":
                document = self._list_snapshots(call, fault, operation)
            case "get" if call.snapshot is not None:
                document = self._show(call, fault, call.snapshot)
            case "delete" if call.snapshot is not None:
                if fault is None or fault.delete is None or fault.delete(self.backend, call, call.snapshot):
                    self.backend.snapshots.delete(call.snapshot.id)
                return Answer(operation.success, None)
            case _:
                raise Refusal(404, "SNAPSHOT_NOT_FOUND", "There is no such snapshot.")
        return Answer(operation.success, document, call.media_type)

    def _show(self, call: Call, fault: Fault | None, snapshot: Snapshot) -> dict[str, Any]:
        backend = self.backend
        assert call.operation is not None
        backend.reads[snapshot.id] += 1
        now = call.now
        if fault is not None and fault.snapshot_moment is not None:
            now = fault.snapshot_moment(backend, call, snapshot)
        shards = shards_of(backend.fixtures.clusters.get((snapshot.project, snapshot.cluster)))
        show = SNAPSHOTS[call.operation.resource].show
        document = show(snapshot, call.operation, now, backend.free, backend.imitate, shards, self.url)
        if fault is not None and fault.snapshot_view is not None:
            document = fault.snapshot_view(backend, call, snapshot, document)
        return document

    def _list_snapshots(self, call: Call, fault: Fault | None, operation: Operation) -> dict[str, Any]:
        found = self.backend.snapshots_of(call)
        if fault is not None and fault.snapshots is not None:
            found = fault.snapshots(self.backend, call, found)
        if not operation.paged:
            results = [self._show(call, fault, snapshot) for snapshot in found]
            return {"links": page_links(self.url, call.path, 1, MOST_ITEMS, False, True), "results": results}
        items = self._number(call, "itemsPerPage", USUAL_ITEMS, MOST_ITEMS)
        number = self._number(call, "pageNum", 1, MOST_PAGES)
        counted = call.parameter("includeCount") != "false"
        start = (number - 1) * items
        page = Page((), number, items, len(found), counted, number * items < len(found), tuple(found[start:][:items]))
        if fault is not None and fault.listing is not None:
            page = fault.listing(self.backend, call, page)
        links = page_links(self.url, call.path, page.number, page.items, page.more, page.counted)
        document: dict[str, Any] = {"links": links, "results": [self._show(call, fault, s) for s in page.snapshots]}
        if page.counted:
            document["totalCount"] = page.total
        return document

    def _create(self, call: Call, fault: Fault | None) -> dict[str, Any]:
        job = new_job(self.backend, call)
        if fault is not None and fault.job is not None:
            job = fault.job(self.backend, call, job)
        self.backend.jobs.add(job)
        return self._view(call, fault, job)

    def _view(self, call: Call, fault: Fault | None, job: Job) -> dict[str, Any]:
        backend = self.backend
        assert call.operation is not None
        backend.reads[job.id] += 1
        now = call.now
        if fault is not None and fault.moment is not None:
            now = fault.moment(backend, call, job)
        document = job_document(job, call.operation, now, backend.free, backend.imitate, self.url)
        if fault is not None and fault.view is not None:
            document = fault.view(backend, call, job, document)
        return document

    def _list(self, call: Call, fault: Fault | None) -> dict[str, Any]:
        page = self._page(call)
        if fault is not None and fault.listing is not None:
            page = fault.listing(self.backend, call, page)
        links = page_links(self.url, call.path, page.number, page.items, page.more, page.counted)
        document: dict[str, Any] = {"links": links, "results": [self._view(call, fault, job) for job in page.jobs]}
        if page.counted:
            estimated = self.backend.free["total-count"] == "estimated"
            document["totalCount"] = page.total - page.total % 5 + 5 if estimated else page.total
        return document

    def _page(self, call: Call) -> Page:
        """Return the page asked for (`L-PAGE`)."""
        items = self._number(call, "itemsPerPage", USUAL_ITEMS, MOST_ITEMS)
        number = self._number(call, "pageNum", 1, MOST_PAGES)
        jobs = self.backend.jobs
        total = jobs.count(call.project, call.cluster_name)
        order = self.backend.free["list-order"]
        found = jobs.page(call.project, call.cluster_name, order, items, (number - 1) * items)
        counted = call.parameter("includeCount") != "false" and self.backend.free["total-count"] != "absent"
        return Page(tuple(found), number, items, total, counted, number * items < total)

    def _number(self, call: Call, name: str, usual: int, most: int) -> int:
        text = call.parameter(name)
        if text is None:
            return usual
        # More digits than any bound has are too many, whatever they say.
        value = int(text[:12]) if text.isascii() and text.isdigit() else 0
        if 1 <= value <= most:
            return value
        if self.backend.free["page-range"] == "clamped":
            return most if value > most else usual
        raise Refusal(400, "INVALID_QUERY_PARAMETER", f"{name} must be between 1 and {most}.", parameters=(name,))

    # Representation

    def _encode(self, call: Call, fault: Fault | None, answer: Answer) -> tuple[int, RawHeaders, bytes]:
        answer = self._represent(call, answer)
        if fault is not None and fault.represented is not None:
            answer = fault.represented(self.backend, call, answer)
        body = b""
        if answer.document is not None:
            body = orjson.dumps(answer.document, option=orjson.OPT_INDENT_2 if call.pretty else None)
        if fault is not None and fault.encoded is not None:
            body = fault.encoded(self.backend, call, answer, body)
        headers = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in answer.headers]
        if body or answer.document is not None:
            headers.append((b"content-type", answer.media_type.encode("latin-1")))
        if answer.status != 204:
            headers.append((b"content-length", str(len(body)).encode()))
        if self.backend.free["deprecation"] == "shown" and call.operation is not None and call.operation.api != "v2":
            headers.append((b"deprecation", b"Wed, 01 Jan 2025 00:00:00 GMT"))
            headers.append((b"sunset", b"Fri, 01 Jan 2027 00:00:00 GMT"))
        if self.backend.free["rate-headers"] == "shown" and call.role is not None:
            headers += self._rate_headers(call)
        return answer.status, headers, body

    def _represent(self, call: Call, answer: Answer) -> Answer:
        """Put the answer in an envelope where one is asked for (`V-ENVELOPE`), and name the charset."""
        free = self.backend.free
        if free["charset"] == "all" or (free["charset"] == "success" and not answer.error):
            answer = replace(answer, media_type=answer.media_type + ";charset=utf-8")
        if not call.envelope or answer.document is None or (answer.error and free["envelope-on-error"] == "plain"):
            return answer
        listed = not answer.error and (answer.listed or (call.operation is not None and call.operation.kind == "list"))
        if listed and isinstance(answer.document, dict):
            return replace(answer, document={**answer.document, "status": answer.status})
        return replace(answer, document={"status": answer.status, free["envelope-key"]: answer.document})

    def _rate_headers(self, call: Call) -> RawHeaders:
        rate = self.backend.rate
        limit = ADVERTISED_RATE if rate is None else rate
        # Without a limit nothing is used up, and a client that watches these headers need never wait.
        used = 1 if rate is None else self.backend.used.get(call.role or "", (0, 0))[1]
        return [(b"ratelimit-limit", str(limit).encode()), (b"ratelimit-remaining", str(max(0, limit - used)).encode())]
