"""The look before the leap: with GETs alone, find out whether the endpoint is there, lets us in, and what it offers."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from random import Random
from types import MappingProxyType
from typing import Literal, TypeAlias
from urllib.parse import unquote, urlsplit

from atlas_conformance.contracts.contract import Contract
from atlas_conformance.contracts.exchange import Credential, Exchange, Request, Response
from atlas_conformance.contracts.operation import Operation, takes_in
from atlas_conformance.contracts.validation import NotJson, parse_json
from atlas_conformance.http.client import Attempt, Client
from atlas_conformance.http.failures import MissingCredentials, NoAnswer, NotSent, PreflightFailed
from atlas_conformance.http.guard import fronts
from atlas_conformance.http.target import Target, draw_absent

Offered: TypeAlias = Literal["yes", "no", "unknown"]

_PROJECT_CODE = re.compile(r"(?:GROUP|PROJECT)(?:_ID)?_NOT_FOUND|NO_SUCH_(?:GROUP|PROJECT)")
_NOT_THERE = (404, 405, 410, 501)
"""What a route that is not there is answered."""
_SHORT = 4
_OF_THE_MOMENT = re.compile(r"[0-9a-fA-F]{6,}|[0-9]+")
_FATAL = frozenset({"unreachable", "refused", "tls", "timeout", "stopped"})


@dataclass(frozen=True)
class PreflightReport:
    """What was found out.

    `offered` says of every operation whether the endpoint has it: `unknown` where GETs alone cannot tell, with why in
    `reasons`. `schemes` are the authentication schemes seen to be offered or to work. `open`: it answers without
    credentials. `takes_any`: it answers a success for ids that nobody made. `fronts` is the header that gave
    away the real service behind a loopback address, or None. `lost` is what a path that no operation has is answered.
    `exchanges` are all that were made, to be judged too.
    """

    takes_any: bool
    open: bool
    offered: Mapping[str, Offered]
    reasons: Mapping[str, str]
    schemes: frozenset[str]
    fronts: str | None
    lost: Exchange | None = field(repr=False, default=None)
    exchanges: tuple[Exchange, ...] = field(repr=False, default=())


@dataclass(frozen=True, slots=True)
class _Probe:
    operation: Operation
    request: Request
    known: bool


def preflight(client: Client, *, seed: int = 0) -> PreflightReport:
    """Probe the client's target; ids that should not exist are drawn from `seed`.

    Raises PreflightFailed where the endpoint cannot be reached, is no such API, refuses the credentials, or lacks the
    projects that the target names. A single odd answer does not: that is for the judge.
    """
    target = client.target
    known = bool(target.inventory.clusters)
    probes = [
        _probe(operation, target, seed)
        for operation in Contract.load().operations.values()
        if operation.kind in ("get", "list")
    ]
    probes.sort(key=lambda probe: probe.operation.id != "flex-get")
    first = _attempt(client, probes[0].request)
    if isinstance(first, NoAnswer) and first.cause in _FATAL:
        raise PreflightFailed(first.reason)
    if isinstance(first, MissingCredentials):
        raise PreflightFailed(first.reason)
    rest = client.attempt_all([probe.request for probe in probes[1:]])
    attempts = dict(zip((probe.operation.id for probe in probes), (first, *rest), strict=True))
    exchanges = [attempt for attempt in attempts.values() if isinstance(attempt, Exchange)]
    _require_answers(list(attempts.values()), target)
    require_entry(exchanges, target)
    if known:
        _require_projects(exchanges)
    front = next((found for exchange in exchanges if (found := fronted_by(exchange.response))), None)
    if front is not None and not client.guard.remote:
        client.guard.treat_as_remote(f"its answers carry {front}")
    bare = _attempt(client, Request("GET", probes[0].request.target, probes[0].request.headers, credential="none"))
    lost = _attempt(client, Request("GET", _unrouted(probes[0].request), (("Accept", "application/json"),)))
    exchanges += [attempt for attempt in (bare, lost) if isinstance(attempt, Exchange)]
    offered, reasons = _offers(target, probes, attempts, lost)
    takes_any = not known and any(200 <= exchange.response.status < 300 for exchange in exchanges[: len(probes)])
    schemes = _schemes(client, bare, exchanges)
    is_open = isinstance(bare, Exchange) and bare.response.status != 401
    return PreflightReport(
        takes_any,
        is_open,
        MappingProxyType(offered),
        MappingProxyType(reasons),
        schemes,
        front,
        lost if isinstance(lost, Exchange) else None,
        tuple(exchanges),
    )


def fronted_by(response: Response) -> str | None:
    """Return the header by which an answer gives away the real service or a proxy behind it, or None."""
    raw = ((name.encode("utf-8", "replace"), value.encode("utf-8", "replace")) for name, value in response.headers)
    return fronts.fronted_by(raw)


def _probe(operation: Operation, target: Target, seed: int) -> _Probe:
    """Make a read of the operation: in a known cluster of its kind where there is one, of a job that does not exist."""
    absent = target.inventory.absent or draw_absent(seed ^ Random(seed).getrandbits(32))
    kind = operation.cluster_kind
    fitting = [item for item in target.inventory.clusters if item.kind == kind]
    cluster = min(fitting, key=lambda item: item.sharded is not operation.sharded, default=None)
    project, name = (cluster.project, cluster.name) if cluster else (absent.project, absent.cluster)
    item = absent.named(operation.resource.what) or absent.job
    values = dict(zip(operation.path_parameters, (project, name, item), strict=False))
    headers = (("Accept", operation.media_type or "application/json"),)
    return _Probe(operation, Request("GET", operation.expand(values), headers), cluster is not None)


def _unrouted(request: Request) -> str:
    """Return a target beside the request's that no operation has."""
    head, _, _ = request.path.partition("/backup/")
    return f"{head}/backup/nothingOfThisName"


def _attempt(client: Client, request: Request) -> Attempt:
    try:
        return client.send(request)
    except NotSent as failure:
        return failure


def _require_answers(attempts: list[Attempt], target: Target) -> None:
    """Raise unless at least one answer is JSON, or a bare 401 that says how to log in."""
    responses = [attempt.response for attempt in attempts if isinstance(attempt, Exchange)]
    if not responses:
        failure = next(attempt for attempt in attempts if isinstance(attempt, NotSent))
        raise PreflightFailed(failure.reason)
    if all(300 <= response.status < 400 for response in responses):
        place = responses[0].header("location") or ""
        host = urlsplit(place).netloc.rpartition("@")[2] or "another place"
        raise PreflightFailed(
            f"{target.base_url} redirects to {host}; redirects are not followed, so make that the base URL"
        )
    if any(_is_json(response) or response.status == 401 for response in responses):
        return
    response = responses[0]
    start = response.body[:200].lstrip().lower()
    if "html" in response.content_type or start.startswith((b"<!doctype html", b"<html")):
        said = "HTML"
    else:
        said = f"{response.content_type or 'no content type'}, which is no JSON" if response.body else "an empty body"
    raise PreflightFailed(f"{target.base_url} answers {response.status} with {said}; is this the base URL of the API?")


def require_entry(exchanges: Iterable[Exchange], target: Target) -> None:
    """Raise PreflightFailed where the endpoint lets nobody in: every operation that is there answers 401, or 403.

    What a missing route is answered says nothing of the credentials, nor does an operation that the target leaves out.
    """
    statuses = {e.response.status for e in exchanges if e.request.credential == "owner" and _is_asked_for(e, target)}
    if 401 in statuses and statuses <= {401, *_NOT_THERE}:
        if "owner" not in target.credentials:
            raise PreflightFailed(
                "the endpoint asks for credentials and the target names none; set MONGODB_ATLAS_PUBLIC_API_KEY and"
                " MONGODB_ATLAS_PRIVATE_API_KEY, MONGODB_ATLAS_CLIENT_ID and MONGODB_ATLAS_CLIENT_SECRET,"
                " or MONGODB_ATLAS_ACCESS_TOKEN"
            )
        names = " and ".join(sorted(target.credentials["owner"].names.values())) or "the target's"
        raise PreflightFailed(f"the endpoint refuses the credentials from {names} (401)")
    if statuses == {403} and target.inventory.clusters:
        raise PreflightFailed(
            "the endpoint answers 403 to the owner's credentials; they need the Project Owner role, and this address"
            " must be on the API access list"
        )


def _is_asked_for(exchange: Exchange, target: Target) -> bool:
    """Whether an exchange is of an operation that the target has, or may have."""
    named = Contract.load().match(exchange.request.method, exchange.request.path)
    return named is not None and (target.operations is None or named[0].id in target.operations)


def _require_projects(exchanges: list[Exchange]) -> None:
    """Raise where every read in a known place is answered by: no such project."""
    if exchanges and all(
        exchange.response.status == 404 and _PROJECT_CODE.search(_code(exchange.response)) for exchange in exchanges
    ):
        project = exchanges[0].request.path.partition("/groups/")[2].partition("/")[0]
        raise PreflightFailed(f"the endpoint knows no project {project} ({_code(exchanges[0].response)})")


def _offers(
    target: Target, probes: list[_Probe], attempts: Mapping[str, Attempt], lost: Attempt
) -> tuple[dict[str, Offered], dict[str, str]]:
    offered: dict[str, Offered] = {}
    reasons: dict[str, str] = {}
    by_id = {probe.operation.id: probe for probe in probes}
    for operation in Contract.load().operations.values():
        if target.operations is not None:
            says: tuple[Offered, str] = (
                ("yes", "") if operation.id in target.operations else ("no", "the target leaves it out")
            )
        elif operation.level == "core" and target.level is None and operation.id in by_id:
            # Whether a 404 speaks of the route, only a job that exists can tell.
            status = _status(attempts[operation.id])
            says = ("no", f"GET is answered {status}") if status in (405, 410, 501) else ("yes", "")
        elif operation.level == "core":
            says = ("yes", "")
        elif target.level is not None:
            claimed = takes_in(target.level, operation.level)
            says = ("yes", "") if claimed else ("no", f"the target claims the level {target.level} alone")
        elif operation.id in by_id:
            says = _tell(by_id[operation.id], attempts[operation.id], lost)
        elif operation.kind in ("cancel", "delete"):
            read = next(o for o in by_id.values() if o.operation.template == operation.template)
            says = _tell_ending(attempts[read.operation.id], lost)
        else:
            says = ("unknown", f"only a {operation.method} could tell")
        offered[operation.id], reason = says
        if reason:
            reasons[operation.id] = reason
    return offered, reasons


def _status(attempt: Attempt) -> int | None:
    return attempt.response.status if isinstance(attempt, Exchange) else None


def _tell(probe: _Probe, attempt: Attempt, lost: Attempt) -> tuple[Offered, str]:
    """Tell from a read whether the endpoint has the operation."""
    if not isinstance(attempt, Exchange):
        return "unknown", attempt.reason
    status = attempt.response.status
    if status in (405, 410, 501):
        return "no", f"GET is answered {status}"
    if status != 404:
        return "yes", ""
    if isinstance(lost, Exchange) and lost.response.status == 404:
        if not same_as_lost(attempt, lost):
            return "yes", ""
        if (probe.operation.kind == "list" and probe.known) or not says_error(attempt.response):
            return "no", "GET is answered 404, like an undocumented path"
    return "unknown", "GET is answered 404, which may mean the job or the operation"


def _tell_ending(read: Attempt, lost: Attempt) -> tuple[Offered, str]:
    """Tell from a read on the same path whether there is a DELETE; only a DELETE could be sure."""
    if isinstance(read, Exchange):
        allow = read.response.header("allow")
        if allow is not None:
            names = {name.strip().upper() for name in allow.split(",")}
            return ("yes", "") if "DELETE" in names else ("no", f"the path allows {allow}")
        same = isinstance(lost, Exchange) and same_as_lost(read, lost)
        if read.response.status in (404, 501) and same and not says_error(read.response):
            return "no", "its path is answered like an undocumented one"
    return "unknown", "only a DELETE could tell"


def _schemes(client: Client, bare: Attempt, exchanges: list[Exchange]) -> frozenset[str]:
    schemes: set[str] = set()
    if isinstance(bare, Exchange):
        challenges = " ".join(v for name, v in bare.response.headers if name.lower() == "www-authenticate").lower()
        schemes.update(scheme for scheme in ("digest", "bearer") if scheme in challenges)
    owner: Credential = "owner"
    identity = client.target.credentials.get(owner)
    entered = any(e.request.credential == owner and e.response.status != 401 for e in exchanges)
    if identity is not None and entered:
        schemes.add("bearer" if identity.bearer else "digest")
    return frozenset(schemes)


def _document(response: Response) -> object:
    try:
        return parse_json(response.body)
    except NotJson:
        return None


def _is_json(response: Response) -> bool:
    try:
        parse_json(response.body)
    except NotJson:
        return False
    return True


def says_error(response: Response) -> bool:
    """Whether the body is an error of the API's own form, as against one that a router makes by itself."""
    document = _document(response)
    return isinstance(document, dict) and "errorCode" in document


def _code(response: Response) -> str:
    document = _document(response)
    code = document.get("errorCode") if isinstance(document, dict) else None
    return code if isinstance(code, str) else response.header("x-error-code") or ""


def job_id_of(response: Response) -> str | None:
    """Return the id of the job that a success shows, or None."""
    document = _document(response)
    job = document.get("id") if isinstance(document, dict) else None
    return job if isinstance(job, str) else None


def same_as_lost(exchange: Exchange, lost: Exchange) -> bool:
    """Whether an answer is what a path without any operation gets.

    Errors of the API's own form are distinguished by their code, others by their words, but for those that repeat the
    request and for numbers, which may be of the moment.
    """
    one, other = exchange.response, lost.response
    if (one.status, one.content_type, _code(one)) != (other.status, other.content_type, _code(other)):
        return False
    return says_error(one) or _words(exchange) == _words(lost)


def _words(exchange: Exchange) -> str:
    """Return what an answer says, without what it repeats of the request."""
    request = exchange.request
    text = exchange.response.body[:4_096].decode("utf-8", "replace")
    for repeated in (request.target, request.path, unquote(request.path)):
        text = text.replace(repeated, "")
    for segment in sorted(unquote(request.path).split("/"), key=len, reverse=True):
        if len(segment) > _SHORT:
            text = text.replace(segment, "")
    return _OF_THE_MOMENT.sub("", text.replace(request.method, ""))
