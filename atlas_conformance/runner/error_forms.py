"""Comparing an error with the same error under `envelope` and `pretty` (V-ENVELOPE, V-PRETTY)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from atlas_conformance.contracts.finding import Finding
from atlas_conformance.contracts.operation import Operation
from atlas_conformance.contracts.validation import NotJson, parse_json
from atlas_conformance.contracts.views import envelope_key
from atlas_conformance.runner.endpoint import Endpoint
from atlas_conformance.runner.outcomes import Judged
from atlas_conformance.strategies.requests import build, with_query
from atlas_conformance.strategies.scenes import path_parameters

_SAME = ("error", "errorCode", "reason")
"""What two answers to the same mistake tell alike; their words may hold a time, or a number of their own."""
_OWN = frozenset({400, 403, 404, 409})
"""Statuses of errors that an endpoint writes itself; others come from whatever stands before it."""
_ASKED = 3
"""Operations that are asked whether the endpoint indents its errors."""


@dataclass(frozen=True)
class _Error:
    """An error as an answer shows it, out of its envelope."""

    judged: Judged

    @cached_property
    def document(self) -> dict[str, Any] | None:
        """The error's document; None where there is none to read."""
        try:
            whole = parse_json(self.judged.exchange.response.body)
        except NotJson:
            return None
        key = envelope_key(whole) if isinstance(whole, dict) and "error" not in whole else None
        document = whole if key is None else whole[key]
        return document if isinstance(document, dict) else None

    @property
    def indented(self) -> bool:
        """Whether it is spread over several lines."""
        return b"\n" in self.judged.exchange.response.body.strip()


def compare_errors(endpoint: Endpoint, operation: Operation, plain: Judged | None, formed: Judged | None) -> bool:
    """Hold an error in another form against the plain one, and fail on what the form changes; return whether it does.

    What differs is looked at a second time: only what differs again in the same way comes from the form.
    """
    if plain is None or formed is None or plain.status < 400:
        return False
    found = list(_differences(endpoint, operation, plain, formed))
    if not found:
        return False
    with endpoint.in_passing():
        once_more = [endpoint.send(one.exchange.request) for one in (plain, formed)]
    if once_more[0] is None or once_more[1] is None:
        return False
    again = {finding.key for finding in _differences(endpoint, operation, once_more[0], once_more[1])}
    repeated = [finding for finding in found if finding.key in again]
    endpoint.report(formed, *repeated, related=[plain])
    return bool(repeated)


def _differences(endpoint: Endpoint, operation: Operation, plain: Judged, formed: Judged) -> Iterator[Finding]:
    request = formed.exchange.request
    requirement = "V-ENVELOPE" if request.parameter("envelope") == "true" else "V-PRETTY"
    if formed.status != plain.status:
        if not {formed.status, plain.status} & {401, 429} and max(formed.status, plain.status) < 500:
            expected = f"{plain.status}, as without the flag"
            yield Finding(requirement, operation.id, expected, str(formed.status), "/response/status")
        return
    first, second = _Error(plain), _Error(formed)
    if first.document is None or second.document is None:
        return
    for name in _SAME:
        owed, seen = first.document.get(name), second.document.get(name)
        if owed != seen:
            expected = f"{name} {owed!r}, as without the flag"
            yield Finding(requirement, operation.id, expected, repr(seen), f"/response/body/{name}")
    lacking = sorted(first.document.keys() - second.document.keys() - set(_SAME))
    if lacking:
        expected = "every property of the error without the flag"
        yield Finding(requirement, operation.id, expected, f"without {', '.join(lacking)}", "/response/body")
    asked = request.parameter("pretty") == "true"
    if second.indented != asked and formed.status in _OWN and (not asked or _indents_errors(endpoint)):
        expected = "indented lines with pretty=true, as other errors have" if asked else "one line by default"
        seen = "several lines" if second.indented else "one line"
        yield Finding("V-PRETTY", operation.id, expected, seen, "/response/body")


def _indents_errors(endpoint: Endpoint) -> bool:
    """Whether errors of the endpoint are indented with `pretty=true` anywhere: the contract speaks of the body, and
    there are endpoints that take that for the body of a success.
    """

    def anywhere() -> bool:
        known = endpoint.contract.operations.values()
        reads = [o for o in known if o.kind in ("get", "list") and endpoint.offers(o.id)]
        return any(_is_indented(endpoint, operation) for operation in reads[:: -(-len(reads) // _ASKED)])

    return endpoint.traits.has("indents errors", anywhere)


def _is_indented(endpoint: Endpoint, operation: Operation) -> bool:
    scene = endpoint.scenes_of(operation)[0]
    parameters = path_parameters(operation, scene, endpoint.absent_item(operation))
    with endpoint.in_passing():
        malformed = build(operation, parameters | {"groupId": scene.project[:-1] + "G"})
        judged = endpoint.send(with_query(malformed, "pretty=true"))
    return judged is not None and judged.status >= 400 and _Error(judged).indented
