"""What a recording leaves out, and which requirements it therefore cannot exercise."""

from __future__ import annotations

from collections.abc import Iterator

from atlas_conformance.contracts.contract import Contract
from atlas_conformance.contracts.exchange import Exchange
from atlas_conformance.reports.model import NOT_EXERCISED
from atlas_conformance.reports.records import StatusRecord

NO_BODY = "no request body was recorded"
NO_HEADERS = "no request headers were recorded"
NO_IDENTITY = "a recording does not tell whose credentials a request carried"
NO_INVENTORY = "a recording does not tell what exists behind the endpoint"
NO_CREATE = "the creation of no job that was read later was recorded"

_OF_BODIES = frozenset({"T-ENUM", "T-TARGET", "T-SNAPSHOT", "T-POINT", "T-ECHO", "N-SNAPSHOT"})
_OF_CREATES = frozenset({"S-SAME"})


class Narrowing:
    """Notes what exchanges lack, and says why requirements without exchanges could not have any."""

    def __init__(self) -> None:
        self._bodies: set[str] = set()
        self._headers: set[str] = set()
        self._identities = False

    def add(self, operation: str, exchange: Exchange) -> None:
        """Note one exchange of `operation`."""
        request = exchange.request
        if request.body_recorded:
            self._bodies.add(operation)
        if request.headers is not None:
            self._headers.add(operation)
        if request.credential != "unknown":
            self._identities = True

    def reasons(self) -> Iterator[StatusRecord]:
        """Yield the reason of each requirement and operation that the recordings cannot exercise."""
        for requirement in Contract.load().requirements.values():
            for operation in requirement.operations:
                reason = self._reason(requirement.id, operation)
                if reason is not None:
                    yield StatusRecord(NOT_EXERCISED, reason, requirement.id, operation)

    def _reason(self, requirement: str, operation: str) -> str | None:
        creates = Contract.load().operations[operation].kind == "create"
        of_body = requirement in _OF_BODIES or requirement.startswith("B-")
        if creates and of_body and operation not in self._bodies:
            return NO_BODY
        if requirement == "V-FLOOR" and operation not in self._headers:
            return NO_HEADERS
        if not self._identities:
            if requirement.startswith("A-") and requirement not in ("A-RATE", "A-RETRY"):
                return NO_IDENTITY
            if requirement == "L-FOUND":
                return NO_IDENTITY
            if requirement.startswith("N-"):
                return NO_INVENTORY
        if requirement in _OF_CREATES and not creates:
            return NO_CREATE
        return None
