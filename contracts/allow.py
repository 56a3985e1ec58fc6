"""The `Allow` header of a 405 (RFC 9110, sections 10.2.1 and 15.5.6): which methods the path does have.

That a 405 carries it is a *should*: what is found here is advice and no failure, so the judge does not ask for it.
Whoever reports advice calls `advice_on_allow` where `judge` meets a method that its path does not have.
"""

from __future__ import annotations

from collections.abc import Set

from atlas_conformance.contracts.contract import Contract
from atlas_conformance.contracts.exchange import Exchange, Response
from atlas_conformance.contracts.finding import Finding
from atlas_conformance.contracts.knowledge import Knowledge
from atlas_conformance.contracts.patterns import compile_pattern

REQUIREMENT = "C-ALLOW"
POINTER = "/response/headers/allow"
_TOKEN = compile_pattern("^[!#$%&'*+.^_`|~0-9A-Za-z-]+$")


def advice_on_allow(exchange: Exchange, knowledge: Knowledge, contract: Contract | None = None) -> Finding | None:
    """Return what is wrong with the `Allow` header of a 405 on the path of an offered operation; None where all is well
    or the answer is another one.
    """
    found = (contract or Contract.load()).operations_at(exchange.request.path)
    here = [operation for operation, _ in found if knowledge.offers(operation.id)]
    if exchange.response.status != 405 or not here:
        return None
    methods = frozenset(operation.method for operation in here)
    seen = wrong_allow(exchange.response, exchange.request.method, methods)
    if seen is None:
        return None
    expected = f"an Allow header that names {', '.join(sorted(methods))}"
    return Finding(REQUIREMENT, here[0].id, expected, seen, POINTER)


def wrong_allow(response: Response, refused: str, methods: Set[str]) -> str | None:
    """Return what is wrong with the `Allow` header of a 405 to the method `refused`, or None.

    It names `methods`, which the path is known to have, and not the refused one; others are its own
    business. A path that is known to have none may send an empty header, but sends one.
    """
    values = [value for name, value in response.headers if name.lower() == "allow"]
    if not values:
        return "no Allow header"
    names = [name.strip() for value in values for name in value.split(",") if name.strip()]
    if odd := next((name for name in names if not _TOKEN.matches(name)), None):
        return f"{odd!r} in Allow, which is no method"
    if refused in names:
        return f"{refused} refused and allowed"
    missing = sorted(methods - {refused} - set(names))
    return f"Allow without {', '.join(missing)}" if missing else None
