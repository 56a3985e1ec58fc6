"""One operation of the contract, as `openapi.yaml` describes it, and the way from a path to the operations on it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import PurePosixPath
from types import MappingProxyType
from typing import Any, Literal, TypeAlias, get_args
from urllib.parse import quote

from atlas_conformance.contracts.contract_error import ContractError
from atlas_conformance.contracts.exchange import decoded_segments
from atlas_conformance.contracts.inventory import Kind
from atlas_conformance.contracts.patterns import Matcher, compile_pattern
from atlas_conformance.contracts.resources import Resource, resource_named
from atlas_conformance.contracts.schema_check import check_schema

HTTP_STATUSES = frozenset({405, 406, 410, 413, 414, 415, 429, 431, 503})
"""Statuses that HTTP itself may answer on every operation, beside the documented ones."""

METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")

Level: TypeAlias = Literal["core", "extended", "workflow"]
"""How much an endpoint offers; each level takes in those before it."""

LEVELS: tuple[Level, ...] = get_args(Level)
"""Every level, the least first."""


def takes_in(claimed: Level, level: Level) -> bool:
    """Tell whether an endpoint that claims a level has the operations of another."""
    return LEVELS.index(level) <= LEVELS.index(claimed)


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter of a path: its name, what it names (`role`), what it must look like, and the requirements at stake.

    `malformed` is the requirement that refuses a value that does not fit, `absent` refuses the name of
    something that does not exist; None where the contract has none.
    """

    name: str
    role: str
    pattern: Matcher | None
    longest: int | None
    malformed: str | None
    absent: str | None

    def fits(self, value: str) -> bool:
        """Tell whether a percent-decoded value is well-formed."""
        if self.longest is not None and len(value) > self.longest:
            return False
        return self.pattern is None or self.pattern.matches(value)


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation of the contract page.

    `id` is the page's id and the operationId; `api` is "v2" or "v1.0"; `resource` is what it is about, `kind` is
    "create", "get", "list", "cancel" or "delete". `media_type` is that of a success, None where a success has no
    body, and `kindred_media_type` that of the operations of its resource and version that have one. `item_template` is
    the path template of the first of those that reads a single thing. `statuses` are the documented ones, success
    included, without those of `HTTP_STATUSES`. The schemas are file names. `parameters` are those of the path, in
    order, `roles` their names by what they name. `links` are the ids of the operations that OpenAPI links to, by the
    links' names: `read`, `cancel`, `delete`, `list`. `delivery` is the deliveryType of the jobs that it creates, where
    it settles that. A `sharded` operation serves sharded clusters alone; a list is `paged` where it takes page
    parameters. `takes_no_body` says that a create's body may be left out, `sunset` that the vendor has removed it, so
    that it may be answered with 410 always.
    """

    id: str
    method: str
    template: str
    level: Level
    api: str
    resource: Resource = field(hash=False)
    kind: str
    media_type: str | None
    statuses: frozenset[int]
    success: int
    request_schema: str | None
    response_schema: str | None
    kindred_media_type: str | None
    parameters: tuple[Parameter, ...] = field(hash=False)
    roles: Mapping[str, str] = field(hash=False)
    links: Mapping[str, str] = field(hash=False)
    item_template: str | None = None
    delivery: str | None = None
    sharded: bool = False
    paged: bool = False
    takes_no_body: bool = False
    sunset: bool = False

    @property
    def cluster_kind(self) -> Kind | None:
        """The kind of cluster that it serves."""
        return self.resource.cluster_kind

    @property
    def names_target(self) -> bool:
        """Whether the body of its requests is one that may name a target to restore to."""
        return self.kind == "create" and self.resource.target is not None and self.delivery is None

    @property
    def path_parameters(self) -> tuple[str, ...]:
        """The names of the path's parameters, in order."""
        return tuple(parameter.name for parameter in self.parameters)

    def parameter(self, role: str) -> Parameter | None:
        """Return the path parameter that names something in this role (project, cluster, job, ...), or None."""
        return next((parameter for parameter in self.parameters if parameter.role == role), None)

    def path(self, **named: str) -> str:
        """Return the path with each role's value percent-encoded into it: `path(project=..., cluster=...)`.

        Raises ValueError where a role is missing or is not one of the operation's.
        """
        roles = tuple(parameter.role for parameter in self.parameters)
        if set(named) != set(roles):
            given = ", ".join(sorted(named)) or "none"
            raise ValueError(f"the path of {self.id} takes {', '.join(roles)}, not {given}")
        return self.expand({parameter.name: named[parameter.role] for parameter in self.parameters})

    def expand(self, values: Mapping[str, str]) -> str:
        """Return the path with each parameter, by its name, percent-encoded into it. Raises ValueError as `path`
        does.
        """
        if set(values) != set(self.path_parameters):
            wanted, given = ", ".join(self.path_parameters), ", ".join(sorted(values))
            raise ValueError(f"{self.id} takes the path parameters {wanted}, not {given or 'none'}")
        return "/".join(
            segment if (name := _parameter(segment)) is None else _quoted(values[name])
            for segment in self.template.split("/")
        )

    def values(self, project: str, cluster: str, item: str = "") -> dict[str, str]:
        """Return the path parameters, by their names, that lead to a cluster and to one thing (`item`) of it."""
        known = {"project": project, "cluster": cluster}
        return {parameter.name: known.get(parameter.role, item) for parameter in self.parameters}

    def place(self, values: Mapping[str, str]) -> tuple[str, str]:
        """Return the (project, cluster) that path values name; empty where the path has no such parameter."""
        return values.get(self.roles.get("project", ""), ""), values.get(self.roles.get("cluster", ""), "")

    def item(self, values: Mapping[str, str]) -> str | None:
        """Return the id of the one thing that the path names, a job on a job's operation; None where it names none."""
        return values.get(self.roles.get(self.resource.what, ""))


def _parameter(segment: str) -> str | None:
    """Return the name of a template segment such as `{groupId}`, or None for a literal one."""
    return segment[1:-1] if segment.startswith("{") and segment.endswith("}") else None


def read_operations(document: Mapping[str, Any]) -> Mapping[str, Operation]:
    """Return the operations of an OpenAPI document by id, in the order of `x-order`, and then as they stand.

    The document has the form of `openapi.yaml`. Raises ContractError where what it says does not fit together.
    """
    found = [
        _operation(document, template, method, item, described)
        for template, item in document["paths"].items()
        for method, described in item.items()
        if method in METHODS
    ]
    order = {operation_id: place for place, operation_id in enumerate(document.get("x-order", ()))}
    operations = {operation.id: operation for operation in sorted(found, key=lambda o: order.get(o.id, len(order)))}
    for operation in found:
        if operations[operation.id] is not operation:
            places = " and ".join(f"{o.method} {o.template}" for o in found if o.id == operation.id)
            raise ContractError(
                f"openapi.yaml: {places} have one operationId, {operation.id}; each needs one of its own"
            )
        for name, linked in operation.links.items():
            if linked not in operations:
                where = f"openapi.yaml: the link {name} of {operation.id}"
                raise ContractError(f"{where} leads to {linked}, which is not there")
    return MappingProxyType(operations)


def _operation(
    document: Mapping[str, Any], template: str, method: str, item: Mapping[str, Any], described: Mapping[str, Any]
) -> Operation:
    operation_id = described["operationId"]
    where = f"openapi.yaml: {operation_id}"
    responses = {int(status): response for status, response in described["responses"].items()}
    success = _success(responses, where)
    answer = _resolved(document, responses[success], f"{where} › responses › {success}")
    content = answer.get("content")
    body = _resolved(document, described.get("requestBody", {}), f"{where} › requestBody")
    given = (*item.get("parameters", ()), *described.get("parameters", ()))
    listed = [_resolved(document, one, f"{where} › parameters") for one in given]
    parameters = {p["name"]: p for p in listed if p["in"] == "path"}
    links = answer.get("links", {})
    names = filter(None, map(_parameter, template.split("/")))
    in_path = tuple(_path_parameter(operation_id, name, parameters) for name in names)
    _check_roles(operation_id, in_path)
    kindred = _kindred(document, template, described["x-resource"])
    return Operation(
        id=operation_id,
        method=method.upper(),
        template=template,
        level=described["x-level"],
        api=template.split("/")[3],
        resource=resource_named(described["x-resource"]),
        kind=described["x-kind"],
        media_type=next(iter(content)) if content else None,
        kindred_media_type=_media_type(document, (one for _, one in kindred)),
        statuses=frozenset(responses) - HTTP_STATUSES,
        success=success,
        request_schema=_schema_file(body.get("content"), f"{where} › requestBody"),
        response_schema=_schema_file(content, f"{where} › responses › {success}"),
        parameters=in_path,
        roles=MappingProxyType({parameter.role: parameter.name for parameter in in_path}),
        links=MappingProxyType({name: link["operationId"] for name, link in links.items()}),
        item_template=next((t for t, one in kindred if one["x-kind"] == "get"), None),
        delivery=described.get("x-delivery"),
        sharded=described.get("x-sharded", False),
        paged=any(p["name"] == "itemsPerPage" for p in listed),
        takes_no_body=not body.get("required", True),
        sunset=described.get("x-sunset", False),
    )


def _kindred(document: Mapping[str, Any], template: str, resource: str) -> list[tuple[str, Mapping[str, Any]]]:
    """Return the operations of a resource in the version that a template is of, each as (template, description)."""
    api = template.split("/")[3]
    return [
        (other, described)
        for other, item in document["paths"].items()
        for method, described in item.items()
        if method in METHODS and described["x-resource"] == resource and other.split("/")[3] == api
    ]


def _success(responses: Iterable[int], where: str) -> int:
    """Return the one status of a success."""
    successes = [status for status in responses if 200 <= status < 300]
    if len(successes) != 1:
        seen = ", ".join(map(str, successes)) or "none"
        raise ContractError(f"{where} › responses: there is exactly one status from 200 to 299, not {seen}")
    return successes[0]


def _media_type(document: Mapping[str, Any], operations: Iterable[Mapping[str, Any]]) -> str | None:
    """Return the media type of the first of these operations whose success has a body."""
    for described in operations:
        for status, response in described["responses"].items():
            if status.startswith("2"):
                where = f"openapi.yaml: {described['operationId']} › responses › {status}"
                content = _resolved(document, response, where).get("content")
                if content:
                    return str(next(iter(content)))
    return None


def _quoted(value: str) -> str:
    """Percent-encode a value; an id that an endpoint gave may hold a lone surrogate, which UTF-8 proper has not."""
    return quote(value, safe="", errors="surrogatepass")


def _resolved(document: Mapping[str, Any], node: Mapping[str, Any], where: str) -> Mapping[str, Any]:
    """Follow a reference inside the document. Raises ContractError where it leads to nothing, or back to itself."""
    followed: list[str] = []
    while "$ref" in node:
        reference = node["$ref"]
        if reference in followed:
            raise ContractError(f"{where}: the $ref {reference} leads back to itself; it must end at an object")
        followed.append(reference)
        found: Any = document
        for step in reference.removeprefix("#/").split("/"):
            name = step.replace("~1", "/").replace("~0", "~")
            found = found.get(name) if isinstance(found, Mapping) else None
        if not isinstance(found, Mapping):
            raise ContractError(f"{where}: the $ref {reference} leads to no object of this file")
        node = found
    return node


def _path_parameter(operation: str, name: str, described: Mapping[str, Mapping[str, Any]]) -> Parameter:
    parameter = described.get(name, {})
    if "x-role" not in parameter:
        raise ContractError(f"openapi.yaml: the path parameter {name} of {operation} needs x-role: what it names")
    schema = parameter.get("schema", {})
    check_schema(schema, f"openapi.yaml: the path parameter {name} of {operation} › schema")
    pattern = compile_pattern(schema["pattern"]) if "pattern" in schema else None
    longest = schema.get("maxLength")
    return Parameter(
        name, parameter["x-role"], pattern, longest, parameter.get("x-malformed"), parameter.get("x-absent")
    )


def _check_roles(operation: str, parameters: Iterable[Parameter]) -> None:
    """Raise ContractError where two parameters of a path name the same sort of thing."""
    known: dict[str, str] = {}
    for parameter in parameters:
        other = known.setdefault(parameter.role, parameter.name)
        if other != parameter.name:
            both = f"{other} and {parameter.name} of {operation}"
            raise ContractError(f"openapi.yaml: {both} have one x-role, {parameter.role}; each needs one of its own")


def _schema_file(content: Mapping[str, Any] | None, where: str) -> str | None:
    """Return the schema file of the only media type; of alternatives (plain or in an envelope) it is the first."""
    if not content:
        return None
    if len(content) > 1:
        raise ContractError(f"{where} › content: there is exactly one media type, not {', '.join(content)}")
    (media,) = content.values()
    schema = media["schema"]
    schema = schema.get("anyOf", [schema])[0]
    return PurePosixPath(schema["$ref"]).name


class Paths:
    """Finds the operations at a path."""

    def __init__(self, operations: Iterable[Operation]) -> None:
        self._templates: dict[str, list[Operation]] = {}
        for operation in operations:
            self._templates.setdefault(operation.template, []).append(operation)
        self._segments = {template: tuple(template.split("/")) for template in self._templates}
        self.at = lru_cache(maxsize=2_048)(self._at)

    def _at(self, path: str) -> tuple[tuple[Operation, Mapping[str, str]], ...]:
        """Return every operation, of whatever method, whose template matches a percent-encoded path without its query.

        Each comes with its path parameters, percent-decoded; an empty parameter matches nothing. A trailing slash may
        be left out. Of several templates that match, the one with the fewest parameters counts, as OpenAPI
        has it.
        """
        segments = decoded_segments(path)
        places = ((template, _same_place(wanted, segments)) for template, wanted in self._segments.items())
        found = [(template, MappingProxyType(values)) for template, values in places if values is not None]
        if not found:
            return ()
        template, values = min(found, key=lambda place: len(place[1]))
        return tuple((operation, values) for operation in self._templates[template])


def _same_place(wanted: tuple[str, ...], segments: tuple[str, ...]) -> dict[str, str] | None:
    """Return the parameters of a path's decoded segments under a template, or None where they don't match."""
    if wanted[-1] == "" and segments[-1] != "":
        wanted = wanted[:-1]  # one page has the trailing slash, another one has not: both paths are taken
    if len(wanted) != len(segments):
        return None
    parameters: dict[str, str] = {}
    for expected, seen in zip(wanted, segments, strict=True):
        name = _parameter(expected)
        if name is None:
            if expected != seen:
                return None
        elif seen:
            parameters[name] = seen
        else:
            return None
    return parameters
