"""Reading a request: which rules it breaks, where an endpoint is free, and whether a success can be demanded.

A request is read against the contract alone, whatever the test that sent it had in mind: so recorded traffic, fuzzing
and load are judged by the same rules as the suites' own requests.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeAlias

from atlas_conformance.contracts.body_reading import REFUSED, BodyReading, read_body
from atlas_conformance.contracts.contract import Contract
from atlas_conformance.contracts.exchange import Request
from atlas_conformance.contracts.knowledge import Knowledge
from atlas_conformance.contracts.media import Accepts, accepts, content_type_statuses
from atlas_conformance.contracts.obligations import Freedom, Violation
from atlas_conformance.contracts.operation import Operation
from atlas_conformance.contracts.patterns import compile_pattern
from atlas_conformance.contracts.rulebook import reads

HEX24 = compile_pattern("^([a-f0-9]{24})$")
NAME = compile_pattern("^[a-zA-Z0-9][a-zA-Z0-9-]*$")

LARGE_BODY = 16_384
"""Bytes from which an endpoint may answer 413 instead of reading a body."""
LONG_TARGET = 2_048
"""Characters from which an endpoint may answer 414 or 431 instead of reading a request target."""
LONG_HEADERS = 1_536
"""Characters from which an endpoint may answer 431 instead of reading the headers."""

_ORDINARY_HEADERS = frozenset({"accept", "accept-encoding", "content-length", "content-type", "host", "user-agent"})
_LATEST, _PATHS = 32, 1_024
"""How many requests are remembered with their readings, and how many paths: most requests of a run share a few."""
_BUSY = Freedom("a target that may be busy", REFUSED)
_BUSY_THOUGH_MALFORMED = Freedom("a target that may be busy", frozenset({409}))
_PathReading: TypeAlias = tuple[Sequence[Violation], Sequence[Freedom], bool]
_LIST_PARAMETERS = frozenset({"itemsPerPage", "pageNum", "includeCount"})


@dataclass(frozen=True)
class Reading:
    """What a request means to its operation.

    `document` is the parsed body (None where there is none or it could not be read). `envelope` and `pretty` are true,
    false, or None where the request leaves it open. `accepts` says what the `Accept` header asks of a v2 success.
    `undocumented` are the properties of the body that are undocumented. `too_large` are the statuses that HTTP has for
    what is large, as far as the request is. `path_is_malformed` says that a parameter of the path is malformed, which
    an endpoint may say to anybody.

    What a request does wrong is a violation only if the requirement that says so binds the operation. Otherwise it is
    a freedom: the endpoint may refuse the request, and no rule asks for that.
    """

    operation: Operation
    parameters: Mapping[str, str]
    document: Any = None
    violations: tuple[Violation, ...] = ()
    freedoms: tuple[Freedom, ...] = ()
    envelope: bool | None = False
    pretty: bool | None = False
    accepts: Accepts = field(default_factory=Accepts)
    undocumented: tuple[str, ...] = ()
    too_large: frozenset[int] = frozenset()
    path_is_malformed: bool = False

    @property
    def flag_is_odd(self) -> bool:
        """Whether `envelope` or `pretty` has a value that is no boolean."""
        return self.envelope is None or self.pretty is None

    @property
    def flag_alone_is_odd(self) -> bool:
        """Whether such a flag is all that is wrong with the request."""
        return self.flag_is_odd and not self.violations

    @property
    def place(self) -> tuple[str, str]:
        """The (project, cluster) that the path names."""
        return self.operation.place(self.parameters)

    @property
    def item(self) -> str | None:
        """The id of the one thing that the path names, a job on a job's operation, or None."""
        return self.operation.item(self.parameters)

    @property
    def must_be_refused(self) -> bool:
        """Whether some rule forbids a success."""
        return bool(self.violations)

    @property
    def must_succeed(self) -> bool:
        """Whether every rule is kept, everything named is known to exist, and nothing leaves the endpoint free."""
        return not self.violations and not self.freedoms

    @property
    def must_succeed_or_refuse_by_name(self) -> bool:
        """Whether nothing but a success, or one of `refusals`, conforms."""
        return not self.violations and all(freedom.exact for freedom in self.freedoms)

    @property
    def refusals(self) -> frozenset[int]:
        """Every status that some violation or freedom allows."""
        return frozenset().union(*(v.statuses for v in self.violations), *(f.statuses for f in self.freedoms))


def with_busy_target(reading: Reading) -> Reading:
    """Return the reading where an earlier job may still hold the target that the request names."""
    if any(violation.pointer.startswith("/request/path/") for violation in reading.violations):
        return reading
    form = any(violation.requirement.startswith(("B-", "T-")) for violation in reading.violations)
    return replace(reading, freedoms=(*reading.freedoms, _BUSY_THOUGH_MALFORMED if form else _BUSY))


class Readings:
    """Reads requests in the light of `knowledge`, and the latest ones only once: a request is asked about repeatedly,
    from before it is sent until its answer is judged.
    """

    def __init__(self, knowledge: Knowledge, contract: Contract | None = None) -> None:
        self._knowledge = knowledge
        self._contract = contract if contract is not None else Contract.load()
        self._latest: dict[int, tuple[Request, Reading | None]] = {}
        self._paths: dict[tuple[str, str], _PathReading] = {}

    def of(self, request: Request) -> Reading | None:
        """Read `request`; None when it belongs to no offered operation."""
        known = self._latest.get(id(request))
        if known is not None and known[0] is request:
            return known[1]
        if len(self._paths) >= _PATHS:
            self._paths.clear()
        reading = _read(request, self._knowledge, self._contract, self._paths)
        if len(self._latest) >= _LATEST:
            self._latest.clear()
        self._latest[id(request)] = (request, reading)
        return reading


def _read(
    request: Request, knowledge: Knowledge, contract: Contract, paths: dict[tuple[str, str], _PathReading]
) -> Reading | None:
    """Read a request; `paths` are those read before in the same light, by operation, and this one's is added."""
    found = contract.match(request.method, request.path)
    if found is None or not knowledge.offers(found[0].id):
        return None
    operation, parameters = found
    place = (operation.id, request.path)
    known = paths.get(place)
    if known is None:
        known = paths[place] = _read_path(operation, parameters, knowledge)
    violations, freedoms = list(known[0]), list(known[1])
    envelope = _flag(request, "envelope")
    pretty = _flag(request, "pretty")
    _read_query(operation, request, freedoms)
    if envelope is None or pretty is None:
        freedoms.append(Freedom("a query flag that is no boolean", frozenset({400})))
    asked = accepts(operation, request, contract.versions, knowledge.latest_date)
    if asked.refusals:
        freedoms.append(Freedom("an Accept header that may be refused", asked.refusals, exact=asked.named))
    body = BodyReading(None)
    if operation.request_schema is not None:
        body = _read_create(operation, parameters, request, knowledge, contract)
        violations.extend(body.violations)
        freedoms.extend(body.freedoms)
    elif request.body:
        freedoms.append(Freedom("a body where none is expected", frozenset({400, 415})))
    if any(name.lower() not in _ORDINARY_HEADERS for name, _ in request.headers or ()):
        freedoms.append(Freedom("a header that no rule names", frozenset({400, 415})))
    too_large = _too_large(request)
    if too_large:
        freedoms.append(Freedom("a large request", too_large | {400}))
    if violations:
        violations = _bound(violations, operation, contract, freedoms)
    return Reading(
        operation,
        parameters,
        body.document,
        tuple(violations),
        tuple(freedoms),
        envelope,
        pretty,
        asked,
        body.undocumented,
        too_large,
        known[2],
    )


def _bound(
    violations: Sequence[Violation], operation: Operation, contract: Contract, freedoms: list[Freedom]
) -> list[Violation]:
    """Return the violations of what binds the operation; of each other one, note that the endpoint may refuse it."""
    bound: list[Violation] = []
    for violation in violations:
        if contract.binds(violation.requirement, operation.id):
            bound.append(violation)
        else:
            freedoms.append(Freedom(violation.expected, violation.statuses))
    return bound


def _too_large(request: Request) -> frozenset[int]:
    """Return the statuses that HTTP has for what is large, as far as a request is, or may have been."""
    statuses: set[int] = set()
    if len(request.body or b"") > LARGE_BODY or not request.body_recorded:
        statuses.add(413)
    if len(request.target) > LONG_TARGET:
        statuses |= {414, 431}
    if request.headers is None or sum(len(name) + len(value) for name, value in request.headers) > LONG_HEADERS:
        statuses.add(431)
    return frozenset(statuses)


@reads("P-GROUP", "P-NAME", "P-JOB", "P-SNAPSHOT")
def _read_path(operation: Operation, parameters: Mapping[str, str], knowledge: Knowledge) -> _PathReading:
    """P-*: each parameter is well-formed; and N-* where all are: what they name exists."""
    violations: list[Violation] = []
    freedoms: list[Freedom] = []
    malformed = False
    for parameter in operation.parameters:
        if not parameter.fits(parameters[parameter.name]):
            malformed = True
            what = f"a malformed {parameter.name} refused"
            if parameter.malformed is not None:
                pointer = f"/request/path/{parameter.name}"
                violations.append(Violation(parameter.malformed, pointer, frozenset({400, 404}), what))
            else:
                freedoms.append(Freedom("a malformed name that no rule refuses", frozenset({400, 404})))
    if not malformed:
        _read_existence(operation, parameters, knowledge, violations, freedoms)
    return violations, freedoms, malformed


@reads("N-GROUP", "N-CLUSTER", "N-JOB", "N-SNAPSHOT")
def _read_existence(
    operation: Operation,
    parameters: Mapping[str, str],
    knowledge: Knowledge,
    violations: list[Violation],
    freedoms: list[Freedom],
) -> None:
    """N-*: what the path names exists."""
    inventory, absent = knowledge.inventory, knowledge.inventory.absent
    conflict = {409} if operation.kind == "create" else set()

    def refuse(role: str, expected: str, *statuses: int) -> None:
        parameter = operation.parameter(role)
        if parameter is not None and parameter.absent is not None:
            pointer = f"/request/path/{parameter.name}"
            violations.append(Violation(parameter.absent, pointer, frozenset(statuses), expected))
        else:
            freedoms.append(Freedom(expected, frozenset(statuses)))

    project, name = operation.place(parameters)
    things = [one.role for one in operation.parameters if one.role not in ("project", "cluster")]
    absent_things = [what for what in things if parameters[operation.roles[what]] == inventory.absent_id(what)]
    for what in things:
        if what not in absent_things and not inventory.takes_any:
            # A job that exists elsewhere may be refused as such (L-SCOPE), whatever else is wrong.
            statuses, of_item = frozenset({400, 401, 403, 404}), what == operation.resource.what
            freedoms.append(Freedom(f"a {what} that may not exist", statuses, of_item=of_item))
    if absent is not None and project == absent.project:
        refuse("project", "an absent project not found", 401, 403, 404)
        return
    cluster = knowledge.cluster(project, name)
    kind = operation.resource.cluster_kind
    if cluster is None:
        if absent is not None and name == absent.cluster:
            refuse("cluster", "an absent cluster not found", 404)
            if project not in knowledge.projects():
                freedoms.append(Freedom("a project that may not exist", frozenset({401, 403, 404})))
            return
        if not inventory.takes_any:
            statuses = frozenset({400, 401, 403, 404})
            freedoms.append(Freedom("a project or cluster that may not exist", statuses, of_place=True))
    elif kind is not None and cluster.kind != kind and inventory.invented:
        freedoms.append(Freedom("a cluster that may be of another kind", frozenset({400, 403, 404})))
    elif kind is not None and cluster.kind != kind:
        if cluster.kind not in operation.resource.kindred_kinds:
            refuse("cluster", f"a {cluster.kind} cluster refused here", 400, 404)
            return
        statuses = frozenset({400, 403, 404, 410} | conflict)
        freedoms.append(Freedom(f"a {cluster.kind} cluster through the {kind} route", statuses))
    if operation.sharded and (cluster is None or not cluster.sharded or inventory.invented):
        freedoms.append(Freedom("a cluster that is not known to be sharded", frozenset({400, 404})))
    for what in absent_things:
        refuse(what, f"an absent {what} not found", 404)


def _flag(request: Request, name: str) -> bool | None:
    """Read a boolean query flag: false where absent, None where it is no boolean or given twice."""
    values = [value for key, value in request.query if key == name]
    if not values:
        return False
    return {"true": True, "false": False}.get(values[0]) if len(values) == 1 else None


def _read_query(operation: Operation, request: Request, freedoms: list[Freedom]) -> None:
    """Note parameters that no rule names, and page parameters outside their ranges."""
    for name, value in request.query:
        if name in ("envelope", "pretty"):
            continue
        if operation.paged and name in _LIST_PARAMETERS and _page_parameter_fits(name, value):
            continue
        freedoms.append(Freedom("a query parameter that no rule settles", frozenset({400, 404})))


def _page_parameter_fits(name: str, value: str) -> bool:
    if name == "includeCount":
        return value in ("true", "false")
    if not value.isascii() or not value.isdigit() or len(value) > 9 or value.startswith("0"):
        return False
    return int(value) >= 1 and (name != "itemsPerPage" or int(value) <= 500)


def _read_create(
    operation: Operation,
    parameters: Mapping[str, str],
    request: Request,
    knowledge: Knowledge,
    contract: Contract,
) -> BodyReading:
    if not request.body_recorded:
        unknown = Freedom("the request body was not recorded", frozenset({400, 403, 404, 409, 413, 415}))
        return BodyReading(None, freedoms=(unknown,))
    media_statuses = content_type_statuses(operation, request)
    body = read_body(operation, parameters, request.body or b"", knowledge, contract)
    if not media_statuses:
        return body
    return replace(
        body,
        violations=tuple(replace(v, statuses=v.statuses | media_statuses) for v in body.violations),
        freedoms=(Freedom("a content type that no rule settles", media_statuses), *body.freedoms),
    )
