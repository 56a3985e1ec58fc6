"""Hypothesis strategies for answers that a conforming endpoint may give to a request: successes, pages, refusals.

Every answer that is drawn is silent under the judge, whatever is known of the endpoint.
"""

from __future__ import annotations

import http
import json
from collections.abc import Mapping
from typing import Any

from hypothesis import strategies as st

from atlas_conformance.contracts.contract import Contract
from atlas_conformance.contracts.exchange import NOBODY, Headers, Request, Response
from atlas_conformance.contracts.judge import Judge
from atlas_conformance.contracts.knowledge import Knowledge
from atlas_conformance.contracts.listing import page_of
from atlas_conformance.contracts.reading import Reading
from atlas_conformance.strategies.jobs import Asked, Draw, shown
from atlas_conformance.strategies.values import documents, values

_JSON = "application/json"
_CODES = ("INVALID_ATTRIBUTE", "RESOURCE_NOT_FOUND", "NO_CURRENT_PRIMARY", "X", "E11000_DUPLICATE")
_WORDS = st.sampled_from(("", "Something is wrong.", 'The "name" is odd: 数据', "a\nb"))
_MOST_JOBS = 4
_OPEN_PHRASES = frozenset({413, 414, 422})
"""Statuses whose standard phrase has changed over the years."""


def conforming_answers(
    request: Request, knowledge: Knowledge | None = None, contract: Contract | None = None
) -> st.SearchStrategy[Response]:
    """Draw answers that a conforming endpoint may give to `request` in the light of `knowledge`.

    A request that must be refused is answered with errors, one that must be accepted with successes, any other with
    either; each may be asked to come later (429). Raises ValueError for a request of no offered operation.
    """
    judge = Judge(contract, knowledge)
    contract, knowledge = judge.contract, judge.knowledge
    reading = judge.readings.of(request)
    if reading is None:
        raise ValueError(f"{request.method} {request.path} belongs to no operation that is offered")
    statuses = _statuses(request, reading)
    drawn = [_refusals(reading, knowledge, statuses - {reading.operation.success})]
    if reading.operation.success in statuses:
        drawn.insert(0, _successes(contract, request, reading))
    return st.one_of(drawn)


def conforming_documents(
    resource: str, *, project: str, cluster: str, item: str, contract: Contract | None = None
) -> st.SearchStrategy[dict[str, Any]]:
    """Draw what a conforming endpoint shows of one resource, such as `flex job`: the body of a read, without envelope.

    `project`, `cluster` and `item` (the id of the job, the snapshot, ...) are those that the read's path names. Raises
    ValueError for a resource that no operation reads, and where no document can be drawn from its schema.
    """
    contract = contract or Contract.load()
    reads = [o for o in contract.operations.values() if o.kind == "get" and o.response_schema is not None]
    found = next((operation for operation in reads if operation.resource.name == resource), None)
    if found is None or found.response_schema is None:
        names = dict.fromkeys(operation.resource.name for operation in reads)
        raise ValueError(f"no operation reads a {resource!r}; those that are read are {', '.join(names)}")
    parameters = found.values(project, cluster, item)
    return shown(contract, Asked(found, parameters), found.response_schema)


def _statuses(request: Request, reading: Reading) -> frozenset[int]:
    """Return the statuses that a conforming endpoint may answer."""
    operation = reading.operation
    if request.credential in NOBODY:
        return frozenset({401, 429})
    if request.credential == "off-list" or (request.credential == "reader" and operation.kind not in ("get", "list")):
        return frozenset({401, 403, 429})
    if reading.must_be_refused:
        # Of several violations, any one's status will do; a 5xx never.
        return frozenset(status for status in reading.refusals if status < 500) | {429}
    free = frozenset(status for status in reading.refusals if status < 500)
    unsettled = {401, 404} if request.credential == "unknown" else set()
    return free | unsettled | {operation.success, 429}


@st.composite
def _refusals(draw: Draw, reading: Reading, knowledge: Knowledge, statuses: frozenset[int]) -> Response:
    """E-*: an error body, in any of its forms."""
    status = draw(st.sampled_from(sorted(statuses)))
    # What is refused for what it names does not say that its body is wrong.
    named = reading.must_be_refused and status in (403, 404)
    code = draw(st.sampled_from(_CODES[1:] if named else _CODES))
    body: dict[str, Any] = {"error": status, "errorCode": code}
    optional: dict[str, st.SearchStrategy[Any]] = {
        "detail": st.none() | _WORDS,
        "parameters": st.lists(st.sampled_from(({}, {"name": "x"}, "x", 1, 1.5, True)), max_size=2),
        "badRequestDetail": st.none() | st.just({}) | st.fixed_dictionaries({"fields": st.lists(_FIELDS, max_size=2)}),
        "reason": st.none() if status in _OPEN_PHRASES else st.none() | st.just(http.HTTPStatus(status).phrase),
        "help": _WORDS,
    }
    for name, drawn in optional.items():
        if draw(st.booleans()):
            body[name] = draw(drawn)
    headers = [("Content-Type", draw(_media(_JSON)))]
    if draw(st.booleans()):
        headers.append(("X-Error-Code", code))
    if status == 401 and (knowledge.digest or draw(st.booleans())):
        headers.append(("WWW-Authenticate", 'Digest realm="MMS Public API", nonce="n", qop="auth"'))
    if status == 429:
        wait = st.integers(0, 60).map(str) | st.just("Fri, 01 Jan 2027 00:00:00 GMT")
        headers.append(("Retry-After", draw(wait)))
    wrapped = reading.envelope is not False and draw(st.booleans())
    document = {"status": status, draw(st.sampled_from(("content", "envelope"))): body} if wrapped else body
    return Response(status, (*headers, *draw(_RATE)), _encoded(document, pretty=reading.pretty is True))


def _successes(contract: Contract, request: Request, reading: Reading) -> st.SearchStrategy[Response]:
    operation = reading.operation
    if operation.media_type is None or operation.response_schema is None:
        return _RATE.map(lambda headers: Response(operation.success, headers, b""))
    sent = reading.document if isinstance(reading.document, Mapping) else {}
    asked = Asked(operation, reading.parameters, {name: value for name, value in sent.items() if value is not None})
    if operation.kind == "list":
        bodies = _pages(contract, request, asked)
    else:
        bodies = shown(contract, asked, operation.response_schema)

    @st.composite
    def success(draw: Draw) -> Response:
        document = draw(bodies)
        if reading.envelope and operation.kind == "list":
            document = {**document, "status": operation.success}
        elif reading.envelope:
            document = {"status": operation.success, draw(st.sampled_from(("content", "envelope"))): document}
        headers: Headers = (("Content-Type", draw(_media(operation.media_type or _JSON))), *draw(_RATE))
        return Response(operation.success, headers, _encoded(document, pretty=reading.pretty is True))

    return success()


def _pages(contract: Contract, request: Request, asked: Asked) -> st.SearchStrategy[dict[str, Any]]:
    """L-PAGE, L-TOTAL: a page whose results, count and links agree with each other and with the request."""
    assert asked.operation.response_schema is not None
    schema = asked.operation.response_schema
    properties = contract.schemas.documents[schema].get("properties", {})
    items: st.SearchStrategy[Any] | None = None
    if "results" in properties:
        items = _items(contract, asked, schema, properties["results"].get("items"))
    elif not contract.binds("L-PAGE", asked.operation.id):
        return documents(contract, schema)
    others = _other_properties(contract, schema)
    size, number = page_of(request) or (100, 1)
    declined = request.parameter("includeCount") == "false"

    @st.composite
    def drawn(draw: Draw) -> dict[str, Any]:
        most = min(size, _MOST_JOBS)
        results = [] if items is None else draw(st.lists(items, max_size=most, unique_by=_identity))
        before = (number - 1) * size
        if not results:
            total = draw(st.integers(0, before))
        elif len(results) < size:
            total = before + len(results)
        else:
            total = before + len(results) + draw(st.sampled_from((0, 1, size)))
        document: dict[str, Any] = {**draw(others), "results": results}
        if not declined and draw(st.booleans()):
            document["totalCount"] = total
        if draw(st.booleans()):
            pages = {"self": number}
            pages |= {"next": number + 1} if total > size * number else {}
            pages |= {"previous": number - 1} if number > 1 else {}
            href = f"https://cloud.example{request.path}?pageNum="
            document["links"] = [{"href": f"{href}{page}", "rel": relation} for relation, page in pages.items()]
        return document

    return drawn()


def _items(contract: Contract, asked: Asked, schema: str, described: Any) -> st.SearchStrategy[Any]:
    """Draw what a page shows, from the schema of its items: a file, or one that stands in the page's own."""
    if isinstance(described, Mapping) and described.keys() >= {"$ref"}:
        return shown(contract, asked, described["$ref"])
    drawn = values(contract, described, (schema,)) if isinstance(described, Mapping) else None
    if drawn is None:
        raise ValueError(f"{schema} describes no results that can be drawn")
    return drawn


def _other_properties(contract: Contract, schema: str) -> st.SearchStrategy[dict[str, Any]]:
    """Draw what a page needs besides what every page has."""
    page = contract.schemas.documents[schema]
    needed = [name for name in page.get("required", ()) if name not in ("results", "totalCount", "links")]
    found = {name: values(contract, page.get("properties", {}).get(name, {}), (schema,)) for name in needed}
    for name, drawn in found.items():
        if drawn is None:
            raise ValueError(f"{schema} needs {name}, which cannot be drawn")
    return st.fixed_dictionaries({name: drawn for name, drawn in found.items() if drawn is not None})


def _identity(item: Any) -> Any:
    """Return what tells one item of a page from another."""
    return item.get("id") if isinstance(item, Mapping) and "id" in item else json.dumps(item, sort_keys=True)


_FIELDS = st.fixed_dictionaries({"description": _WORDS, "field": st.sampled_from(("snapshotId", "", "a.b"))})
_RATE: st.SearchStrategy[Headers] = st.sampled_from(
    ((), (("RateLimit-Limit", "100"), ("RateLimit-Remaining", "0")), (("RateLimit-Remaining", "99"),))
)


def _media(name: str) -> st.SearchStrategy[str]:
    return st.sampled_from((name, f"{name};charset=utf-8", f"{name}; charset=UTF-8"))


def _encoded(document: Any, *, pretty: bool) -> bytes:
    """Encode a document on one line, or on indented ones."""
    if pretty:
        return json.dumps(document, ensure_ascii=False, indent=2).encode()
    return json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()
