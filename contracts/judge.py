"""The judge: from one exchange, by the contract and what is known of the endpoint, to what held and what did not."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from atlas_conformance.contracts import rules
from atlas_conformance.contracts.contract import Contract
from atlas_conformance.contracts.exchange import Exchange
from atlas_conformance.contracts.finding import Judgement
from atlas_conformance.contracts.knowledge import Knowledge, check_offered
from atlas_conformance.contracts.listing import listed
from atlas_conformance.contracts.meant import check_meant
from atlas_conformance.contracts.naming import kind_of
from atlas_conformance.contracts.operation import Operation
from atlas_conformance.contracts.reading import Reading, Readings, with_busy_target
from atlas_conformance.contracts.rulebook import rule_book
from atlas_conformance.contracts.rules.moments import Past, judge_future, latest_past
from atlas_conformance.contracts.rules.statuses import judge_refusal
from atlas_conformance.contracts.verdicts import Verdicts
from atlas_conformance.contracts.views import (
    BODY,
    ITEM_VIEWS,
    AccessView,
    BystanderView,
    CreationView,
    EmptyView,
    ErrorView,
    ItemView,
    PageView,
    RequestView,
    StatusView,
    SuccessView,
    TokenView,
)

__all__ = ["AnswerMemory", "Examined", "Judge", "rules"]

_NOTHING_KNOWN = Knowledge()


@dataclass(frozen=True)
class Examined:
    """One exchange, read and judged by the rules that it settles alone.

    `document` is the unwrapped body of a success (None where there is none to speak of) and `pointer` where it stands.
    """

    reading: Reading
    document: Mapping[str, Any] | None
    pointer: str
    verdicts: Verdicts


@dataclass(frozen=True)
class _Answer:
    """What a body alone shows: the unwrapped document, where it stands, the verdicts on it, and the latest date of what
    has happened.
    """

    document: Mapping[str, Any] | None
    pointer: str
    verdicts: Verdicts
    past: Past | None = None


class AnswerMemory:
    """The last answers that were judged, as recorded polling sees the same answer to the same request many times.

    Memory is bounded: `size` answers of at most `longest` bytes are kept. It serves one judge.
    """

    def __init__(self, size: int = 256, longest: int = 65_536) -> None:
        self._size = size
        self._longest = longest
        self._known: dict[tuple[object, ...], _Answer] = {}

    def recall(self, exchange: Exchange, judge_anew: Callable[[], _Answer]) -> _Answer:
        """Return what the answer shows, judged again only where it is not remembered."""
        request, response = exchange.request, exchange.response
        if len(response.body) > self._longest or len(request.body or b"") > self._longest:
            return judge_anew()
        headers = (response.header("content-type"), response.header("x-error-code"))
        sent = (request.method, request.target, request.headers, request.body, request.body_recorded)
        key = (sent, response.status, headers, response.body)
        known = self._known.pop(key, None)
        if known is None:
            known = judge_anew()
            if len(self._known) >= self._size:
                del self._known[next(iter(self._known))]
        self._known[key] = known
        return known


class Judge:
    """Judges exchanges one by one, by a contract and in the light of what is known of their endpoint.

    With a `memory`, an answer that it knows is not judged again.
    """

    def __init__(
        self,
        contract: Contract | None = None,
        knowledge: Knowledge | None = None,
        *,
        memory: AnswerMemory | None = None,
    ) -> None:
        """Judge by `contract` (without one: by what the package brings); without `knowledge`, nothing is known to
        exist.

        Raises TypeError for what is no contract or no knowledge, and ValueError where the knowledge offers an operation
        that the contract has not.
        """
        self.contract = contract if contract is not None else Contract.load()
        self.knowledge = knowledge if knowledge is not None else _NOTHING_KNOWN
        if not isinstance(self.contract, Contract):
            raise TypeError(f"the contract of a judge is a Contract, not {kind_of(contract)}")
        if not isinstance(self.knowledge, Knowledge):
            raise TypeError(f"the knowledge of a judge is a Knowledge, not {kind_of(knowledge)}")
        check_offered(self.knowledge.offered, self.contract.operations)
        self.book = rule_book(self.contract)
        self.readings = Readings(self.knowledge, self.contract)
        self._memory = memory

    def judge(self, exchange: Exchange) -> Judgement:
        """Judge one exchange by every rule that it settles alone.

        An exchange of no offered operation is not judged and yields an empty judgement, but for a method that the path
        of an offered operation does not have: that is owed a 404 or 405. Raises ValueError or TypeError for a slip: a
        method in lower case, a whole URL as the target, a credential that there is not, a header that is no text.
        """
        check_meant(exchange)
        return self.judge_sent(exchange)

    def judge_sent(self, exchange: Exchange) -> Judgement:
        """Judge one exchange as `judge` does, however odd: it was really had so."""
        examined = self.examine(exchange)
        return examined.verdicts.judgement() if examined is not None else self._judge_bystander(exchange)

    def examine(self, exchange: Exchange, *, busy: bool = False, idle: bool = False) -> Examined | None:
        """Judge one exchange and keep what a history needs of it; None when it belongs to no offered operation.

        `busy` says that an earlier job may still hold the request's target, which leaves an endpoint free to refuse;
        `idle` that no job does, so that a 409 has no reason.
        """
        reading = self.readings.of(exchange.request)
        if reading is None:
            return None
        if busy:
            reading = with_busy_target(reading)
        response, operation = exchange.response, reading.operation
        verdicts = self._verdicts(operation)
        self.book.apply(response, operation.id, verdicts)
        view = StatusView(exchange, reading, self.knowledge, self.contract, idle)
        self.book.apply(view, operation.id, verdicts, RequestView)
        hidden = view.hidden_error is not None
        if not hidden and not response.asks_to_wait and not view.says_nothing:
            asked = exchange.request.credential != "owner" or exchange.request.scheme != "any"
            if asked and self.knowledge.credentials:
                self.book.apply(view, operation.id, verdicts, AccessView)
            if not view.settled or response.status >= 500:
                self.book.apply(view, operation.id, verdicts)
                judge_refusal(view, verdicts)
        # Ignore the body of a success that should have been refused.
        moot = hidden or reading.must_be_refused
        if self._memory is None:
            answer = self._judge_answer(exchange, reading, moot, verdicts)
        else:
            judge_anew = partial(self._judge_answer, exchange, reading, moot)
            answer = self._memory.recall(exchange, lambda: judge_anew(self._verdicts(operation)))
            verdicts.include(answer.verdicts)
        if answer.past is not None and self.book.judges(answer.past.requirement, operation.id):
            judge_future(exchange, answer.past, verdicts)
        return Examined(reading, answer.document, answer.pointer, verdicts)

    def _verdicts(self, operation: Operation) -> Verdicts:
        return Verdicts(operation.id, self.contract)

    def _judge_bystander(self, exchange: Exchange) -> Judgement:
        """Judge a request whose method its path does not have."""
        found = self.contract.operations_at(exchange.request.path)
        if any(operation.method == exchange.request.method for operation, _ in found):
            return Judgement()
        if self.contract.is_outside(exchange.request.method, exchange.request.path):
            return Judgement()
        offered = next((operation for operation, _ in found if self.knowledge.offers(operation.id)), None)
        if offered is None:
            return Judgement()
        verdicts, response = self._verdicts(offered), exchange.response
        self.book.apply(response, offered.id, verdicts)
        if not response.asks_to_wait:
            here = [operation for operation, _ in found if self.knowledge.offers(operation.id)]
            methods = frozenset(operation.method for operation in here)
            sunset = all(operation.sunset for operation in here)
            bystander = BystanderView(exchange.request, response, methods, sunset)
            self.book.apply(bystander, offered.id, verdicts)
            if response.status in (404, 405) and exchange.request.method not in ("HEAD", "OPTIONS"):
                self.book.apply(ErrorView(response, None, self.contract), offered.id, verdicts)
        judgement = verdicts.judgement()
        if judgement.findings or response.asks_to_wait:
            return judgement
        # What the answer says of the path holds for its other operations too.
        for other in here[1:]:
            also = self._verdicts(other)
            self.book.apply(bystander, other.id, also)
            judgement = replace(judgement, held=judgement.held | also.judgement().held)
        return judgement

    def _judge_answer(self, exchange: Exchange, reading: Reading, moot: bool, verdicts: Verdicts) -> _Answer:
        """Judge what the answer itself shows, whoever asked and whenever; of a `moot` success, nothing is held or
        found.
        """
        response, operation = exchange.response, reading.operation
        document: Mapping[str, Any] | None = None
        pointer = BODY
        past: Past | None = None
        if response.status == operation.success and not response.asks_to_wait:
            if operation.media_type is None:
                if not moot:
                    self.book.apply(EmptyView(response), operation.id, verdicts)
            else:
                success = SuccessView(response, reading, self.contract)
                if not moot:
                    self.book.apply(success, operation.id, verdicts)
                if success.unwrapped is not None and success.described and isinstance(success.unwrapped[0], dict):
                    document, pointer = success.unwrapped
                if document is not None and not moot:
                    past = self._judge_document(exchange, reading, document, pointer, verdicts)
        elif 200 <= response.status < 300 and operation.kind == "create":
            # The status is wrong (C-STATUS) and a job runs all the same, so it is followed like any other.
            success = SuccessView(response, reading, self.contract)
            if success.unwrapped is not None and isinstance(success.unwrapped[0], dict):
                document, pointer = success.unwrapped
        if response.status >= 400:
            self.book.apply(ErrorView(response, reading.envelope, self.contract), operation.id, verdicts)
        return _Answer(document, pointer, verdicts, past)

    def _judge_document(
        self, exchange: Exchange, reading: Reading, document: Mapping[str, Any], pointer: str, verdicts: Verdicts
    ) -> Past | None:
        operation, place = reading.operation, reading.place
        past: Past | None = None
        if operation.kind == "list":
            self.book.apply(PageView(exchange.request, document, pointer, operation.paged), operation.id, verdicts)
            for where, item in listed(document, pointer):
                self.judge_item(operation, place, item, where, verdicts)
                past = latest_past(operation.resource, item, where, past)
            return past
        self.judge_item(operation, place, document, pointer, verdicts)
        if operation.kind == "create" and (isinstance(reading.document, dict) or not exchange.request.body_recorded):
            sent = None
            if isinstance(reading.document, dict):
                sent = {name: value for name, value in reading.document.items() if value is not None}
            new = CreationView(operation, place, document, pointer, self.contract.deliveries, sent)
            self.book.apply(new, operation.id, verdicts)
        return latest_past(operation.resource, document, pointer, None)

    def judge_item(
        self,
        operation: Operation,
        place: tuple[str, str],
        document: Mapping[str, Any],
        pointer: str,
        verdicts: Verdicts,
    ) -> None:
        """Judge one thing that an answer shows, a job, by the rules that its own document settles.

        `place` is the (project, cluster) of the path.
        """
        kind = ITEM_VIEWS.get(operation.resource.what, ItemView)
        view = kind(operation, place, document, pointer, self.contract.deliveries)
        self.book.apply(view, operation.id, verdicts)

    def judge_token(self, exchange: Exchange, verdicts: Verdicts) -> None:
        """A-BEARER: judge what the token endpoint answers to valid client credentials."""
        self.book.apply(TokenView(exchange.response), verdicts.operation, verdicts)

    def judge_refused_token(self, exchange: Exchange, what: str, verdicts: Verdicts) -> None:
        """A-WRONG: the token endpoint gives no token to a client that is not who it says; `what` is wrong with it."""
        if not self.book.judges("A-WRONG", verdicts.operation):
            return
        given = 200 <= exchange.response.status < 300 and TokenView(exchange.response).gives
        expected = f"no token for {what}"
        verdicts.check("A-WRONG", not given, expected, f"{exchange.response.status} with a token", "/response/status")
