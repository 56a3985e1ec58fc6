"""What rules look at: one exchange from several sides, each with what its rules need."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from atlas_conformance.contracts.contract import ERROR_SCHEMA, Contract
from atlas_conformance.contracts.decision import Delivery
from atlas_conformance.contracts.exchange import NOBODY, Exchange, Request, Response
from atlas_conformance.contracts.knowledge import Knowledge
from atlas_conformance.contracts.listing import page_of
from atlas_conformance.contracts.media import JSON
from atlas_conformance.contracts.operation import Operation
from atlas_conformance.contracts.outcomes import shown
from atlas_conformance.contracts.reading import Reading
from atlas_conformance.contracts.validation import NotJson, SchemaError, parse_json

STATUS = "/response/status"
BODY = "/response/body"
CONTENT_TYPE = "/response/headers/content-type"

ANYWHERE: frozenset[int] = frozenset({405, 406, 415, 429})
"""Statuses that HTTP itself may answer on every operation, to whatever is asked."""
TOO_LARGE: frozenset[int] = frozenset({413, 414, 431})
"""Statuses that HTTP itself may answer on every operation to what is large."""
GONE = 410
"""The status of an operation, or of a version, that the vendor has removed."""

UNREADABLE: Any = object()
"""Stands for a body that is no JSON."""

_LONG_BODY = 256 * 1024
_MOST_CONTAINERS = 400_000
"""No answer of this API holds more objects and arrays: to read one that does would take hundreds of megabytes."""


def parsed(response: Response) -> Any:
    """Return the document of a response's body, or UNREADABLE."""
    body = response.body
    if len(body) > _LONG_BODY and body.count(b"{") + body.count(b"[") > _MOST_CONTAINERS:
        return UNREADABLE
    try:
        return parse_json(body)
    except NotJson:
        return UNREADABLE


def unread(response: Response) -> str:
    """Say what a body is that cannot be read as JSON."""
    if not response.body.strip():
        return "an empty body"
    return f"no JSON: {shown(response.body[:60].decode('utf-8', 'backslashreplace'))}"


def envelope_key(document: Any) -> str | None:
    """Return the key under which a document holds a wrapped one, or None."""
    if not isinstance(document, dict):
        return None
    return next((key for key in ("content", "envelope") if isinstance(document.get(key), dict)), None)


def is_integer(value: Any) -> bool:
    """Tell whether a value is a JSON integer."""
    return isinstance(value, int) and not isinstance(value, bool)


@dataclass(eq=False)
class RequestView:
    """A request, what it owes and leaves open, and the status that answered it.

    `idle` says that nobody's job holds the target that it names.
    """

    exchange: Exchange
    reading: Reading
    knowledge: Knowledge
    contract: Contract
    idle: bool = False

    def __post_init__(self) -> None:
        """Name what most rules ask for."""
        self.request = self.exchange.request
        self.status = status = self.exchange.response.status
        """The status of the answer."""
        self.operation = operation = self.reading.operation
        self.documented = (
            status == operation.success
            or (status >= 400 and (status in operation.statuses or status in ANYWHERE))
            or status in self.reading.refusals
            or self._is_gone
            or self._is_not_modified
        )
        """Whether the status is one that the operation, HTTP, or a rule or freedom at stake allows."""

    @property
    def hidden_error(self) -> Any:
        """The number of the error that a success holds in an envelope, in a list of one; None where it holds none."""
        response = self.exchange.response
        if self.reading.envelope is False or response.status >= 300 or b'"error"' not in response.body:
            return None
        document = parsed(response)
        key = envelope_key(document)
        inner = document[key] if key is not None else None
        if inner is None or not {"error", "errorCode"} <= inner.keys() or "id" in inner:
            return None
        return [inner["error"]]

    @property
    def lacks_credentials(self) -> bool:
        """Whether it carries no good credentials, and an answer must say so."""
        nobody = self.request.credential in NOBODY
        return nobody and self.status not in self.reading.too_large

    @property
    def _is_gone(self) -> bool:
        return self.status == GONE and self.operation.sunset

    @property
    def _is_not_modified(self) -> bool:
        """Whether it says that what the client has is still current, to a client that asked for that."""
        if self.status != 304 or self.request.method != "GET":
            return False
        asked = self.request.headers is None or any(
            self.request.header(name) is not None for name in ("if-none-match", "if-modified-since")
        )
        return asked and not self.reading.violations

    @property
    def says_nothing(self) -> bool:
        """Whether the answer is one that any request may have: the operation is gone, or nothing was modified."""
        return self._is_gone or self._is_not_modified

    @property
    def lacks_the_role(self) -> bool:
        """Whether a lesser role asks for what only a Project Owner may do."""
        return self.request.credential == "reader" and self.contract.binds("A-ROLE", self.operation.id)

    @property
    def settled(self) -> bool:
        """Whether who asked settles the answer, so that nothing else can be demanded of its status."""
        request, status = self.request, self.status
        if not self.knowledge.credentials:
            return status == 401
        if request.credential in NOBODY or request.credential == "off-list" or self.lacks_the_role:
            return True
        if request.credential == "unknown":
            return status == 401
        if request.credential == "owner":
            return request.scheme in ("digest", "bearer") and status == 401
        return status in (401, 403)

    @property
    def must_be_taken(self) -> bool:
        """Whether the request keeps every rule, its sender is known to be let in, and no refusal that the contract
        names was the answer.
        """
        reading = self.reading
        return (
            self.documented
            and reading.must_succeed_or_refuse_by_name
            and self.status not in reading.refusals
            and self.request.credential != "unknown"
        )

    @property
    def is_refused_for_its_form(self) -> bool:
        """Whether a request that breaks no rule is refused for its media types, which it has a right to."""
        reading = self.reading
        return self.status in (406, 415) and not reading.violations and self.status not in reading.refusals


class AccessView(RequestView):
    """A request and its answer, for the rules on who may ask."""


class StatusView(RequestView):
    """A request whose answer is not settled by who asked, for the rules on its status."""


@dataclass(eq=False)
class TokenView:
    """The answer of the token endpoint to valid client credentials."""

    response: Response

    @cached_property
    def document(self) -> Any:
        """The answer's document, or UNREADABLE."""
        return parsed(self.response)

    @property
    def gives(self) -> bool:
        """Whether the answer holds a token."""
        return isinstance(self.document, dict) and bool(self.document.get("access_token"))


@dataclass(eq=False)
class BystanderView:
    """The answer to a method that an offered operation's path does not have.

    `methods` are those that the path is known to have; `sunset` says that the vendor has removed the operation.
    """

    request: Request
    response: Response
    methods: frozenset[str] = frozenset()
    sunset: bool = False


@dataclass(eq=False)
class EmptyView:
    """A success that has no body."""

    response: Response


@dataclass(eq=False)
class SuccessView:
    """A success with a body, as the request asked for it."""

    response: Response
    reading: Reading
    contract: Contract

    def __post_init__(self) -> None:
        """Read the body."""
        self.document = document = parsed(self.response)
        """The document of the body, or UNREADABLE."""
        self.key = key = envelope_key(document)
        """The key under which the answer may be wrapped."""
        self.shown_status = document.get("status") if isinstance(document, dict) else None
        """The property `status` of the answer."""
        self.lists = isinstance(document, dict) and isinstance(document.get("results"), list)
        """Whether the answer has results."""
        self.wrapped = (
            key is not None and "results" not in document and (is_integer(self.shown_status) or "id" not in document)
        )
        """Whether the answer stands in an envelope."""
        self.unwrapped = None if document is UNREADABLE else self._unwrapped()
        """The answer's own document and the pointer to it, or None where an envelope hides it."""

    def _unwrapped(self) -> tuple[Any, str] | None:
        document, key = self.document, self.key
        if self.reading.envelope:
            if self.reading.operation.kind != "list":
                if key is None:
                    return None if is_integer(self.shown_status) else (document, BODY)
                return document[key], f"{BODY}/{key}"
            if self.lists:
                return document, BODY
        return (document[key], f"{BODY}/{key}") if self.wrapped and key is not None else (document, BODY)

    @property
    def open_version(self) -> bool:
        """Whether the request leaves open which version answers it."""
        asked = self.reading.accepts
        return (asked.free or not asked.known) and self.reading.operation.api == "v2"

    @property
    def own_version(self) -> bool:
        """Whether the answer says that it is of the version that the contract describes."""
        return self.response.content_type == self.reading.operation.media_type

    @property
    def described(self) -> bool:
        """Whether the contract describes the answer: it does not where it is of another version."""
        return self.own_version or (not self.open_version and self.response.content_type == JSON)


@dataclass(eq=False)
class ErrorView:
    """An error answer; `envelope` is what the request says of one, None where it leaves that open."""

    response: Response
    envelope: bool | None
    contract: Contract

    def __post_init__(self) -> None:
        """Read the body."""
        self.whole = whole = parsed(self.response)
        """The document of the body, in its envelope where it has one, or UNREADABLE."""
        may_wrap = self.envelope is not False and isinstance(whole, dict) and "error" not in whole
        self.key = key = envelope_key(whole) if may_wrap else None
        """The key under which the error is wrapped, or None."""
        self.document = whole if key is None else whole[key]
        """The error's own document."""
        self.pointer = BODY if key is None else f"{BODY}/{key}"
        """Where the error's own document stands."""
        known = isinstance(self.document, dict)
        self.errors: list[SchemaError] = self.contract.validator(ERROR_SCHEMA).errors(self.document) if known else []
        """What the error schema refuses of the document, where it is an object."""

    def member(self, name: str) -> Any:
        """Return a property of the error, None where it has none."""
        return self.document.get(name) if isinstance(self.document, dict) else None


@dataclass(eq=False)
class ItemView:
    """One thing as an answer shows it: a job, a snapshot.

    `place` is the (project, cluster) of the path, `pointer` where the thing stands in the exchange.
    """

    operation: Operation
    place: tuple[str, str]
    document: Mapping[str, Any]
    pointer: str
    deliveries: Mapping[str, Delivery]


@dataclass(eq=False)
class JobView(ItemView):
    """One restore job as an answer shows it."""

    def __post_init__(self) -> None:
        """Look its deliveryType up."""
        named = self.document.get("deliveryType")
        self.delivery = self.deliveries.get(named) if isinstance(named, str) else None
        """The row of the decision table for its deliveryType; None if a dedicated cluster has no such type."""


@dataclass(eq=False)
class CreationView(ItemView):
    """What a create answered; `sent` are the properties of the request's body, null ones left out, None where not
    known.
    """

    sent: Mapping[str, Any] | None

    @property
    def delivery(self) -> Delivery | None:
        """The row of the decision table for the deliveryType that was sent."""
        named = (self.sent or {}).get("deliveryType")
        return self.deliveries.get(named) if isinstance(named, str) else None


class SnapshotView(ItemView):
    """One snapshot as an answer shows it."""


ITEM_VIEWS: Mapping[str, type[ItemView]] = {"job": JobView, "snapshot": SnapshotView}
"""The views of what operations show; of anything else the plain one."""


@dataclass(eq=False)
class PageView:
    """One page of a list that was asked for within its ranges; `paged` says that the list takes page parameters."""

    request: Request
    document: Mapping[str, Any]
    pointer: str
    paged: bool = True

    def __post_init__(self) -> None:
        """Read what was asked for."""
        self.asked = page_of(self.request) if self.paged and isinstance(self.document.get("results"), list) else None
        """The (itemsPerPage, pageNum) asked for, or None where they are out of range, or there are no results."""

    @property
    def relations(self) -> frozenset[str] | None:
        """The relations of the page's links; None where it shows no links."""
        links = self.document.get("links")
        if not isinstance(links, list):
            return None
        return frozenset(str(link.get("rel")) for link in links if isinstance(link, dict))

    def leads_to(self, relation: str) -> str | None:
        """Return where the page's link of a relation leads; None where there is no such link, or it has no address."""
        links = self.document.get("links")
        shown = [link for link in links if isinstance(link, dict)] if isinstance(links, list) else []
        found = (link.get("href") for link in shown if link.get("rel") == relation)
        return next((address for address in found if isinstance(address, str)), None)

    @property
    def total(self) -> int | None:
        """The number of items that the page tells."""
        total = self.document.get("totalCount")
        return total if isinstance(total, int) and not isinstance(total, bool) and total >= 0 else None
