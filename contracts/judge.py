"""The judge: from one exchange, or from a run's exchanges in time order, to what held and what did not."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from atlas_conformance.contracts import answers, jobs, listing
from atlas_conformance.contracts.exchange import Exchange
from atlas_conformance.contracts.finding import Judgement
from atlas_conformance.contracts.knowledge import Knowledge
from atlas_conformance.contracts.operations import operations_at
from atlas_conformance.contracts.reading import Reading, read, with_busy_target
from atlas_conformance.contracts.verdicts import Verdicts

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


def judge(exchange: Exchange, knowledge: Knowledge = _NOTHING_KNOWN) -> Judgement:
    """Judge one exchange by every rule that it settles alone.

    An exchange of no offered operation is not judged and yields an empty judgement, but for a method that the path of
    an offered operation does not have: that is owed a 404 or 405. Pure: same arguments, same answer.
    """
    examined = examine(exchange, knowledge)
    return examined.verdicts.judgement() if examined is not None else _judge_bystander(exchange, knowledge)


_BEYOND = frozenset({("cluster-create-v1", "GET"), ("cluster-get-v1", "DELETE")})
"""Methods that v1.0 has on these paths by the vendor's description, and the contract leaves out: list and cancel."""


def _judge_bystander(exchange: Exchange, knowledge: Knowledge) -> Judgement:
    """Judge a request whose method its path does not have."""
    found = operations_at(exchange.request.path)
    if any(operation.method == exchange.request.method for operation, _ in found):
        return Judgement()
    offered = next((operation for operation, _ in found if operation.id in knowledge.offered), None)
    if offered is None or (offered.id, exchange.request.method) in _BEYOND:
        return Judgement()
    verdicts = Verdicts(offered.id)
    answers.judge_rate(exchange.response, verdicts)
    if not answers.is_paced(exchange.response):
        answers.judge_bystander(exchange, verdicts)
    return verdicts.judgement()


@dataclass(frozen=True)
class _Answer:
    """What a body alone shows: the unwrapped document, where it stands, and the verdicts on it."""

    document: Mapping[str, Any] | None
    pointer: str
    verdicts: Verdicts


class AnswerMemory:
    """The last answers that were judged, as recorded polling sees the same answer to the same request many times.

    Memory is bounded: `size` answers of at most `longest` bytes are kept. It serves one `Knowledge`.
    """

    def __init__(self, size: int = 256, longest: int = 65_536) -> None:
        self._size = size
        self._longest = longest
        self._known: dict[tuple[object, ...], _Answer] = {}

    def recall(self, exchange: Exchange, judge_anew: Callable[[], _Answer]) -> _Answer:
        """Return what the answer shows, judged anew only where it is not remembered."""
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


def examine(exchange: Exchange, knowledge: Knowledge) -> Examined | None:
    """Judge one exchange and keep what a history needs of it; None when it belongs to no offered operation."""
    reading = read(exchange.request, knowledge)
    return None if reading is None else examine_as_read(exchange, reading, knowledge)


def examine_as_read(
    exchange: Exchange,
    reading: Reading,
    knowledge: Knowledge,
    *,
    busy: bool = False,
    idle: bool = False,
    memory: AnswerMemory | None = None,
) -> Examined:
    """Judge one exchange, whose request reads like `reading`, and keep what a history needs of it.

    `busy` says that an earlier job may still hold the request's target, which leaves an endpoint free to refuse; `idle`
    that nobody's job does, so that there is nothing for a 409 to speak of.
    With a `memory`, an answer that it knows is not judged again.
    """
    if busy:
        reading = with_busy_target(reading)
    verdicts = Verdicts(reading.operation.id)
    response = exchange.response
    answers.judge_rate(response, verdicts)
    hidden = answers.judge_hidden_error(exchange, reading, verdicts)
    if not hidden and not answers.is_paced(response):
        settled = answers.judge_authentication(exchange, reading, knowledge, verdicts)
        if not settled or response.status >= 500:
            answers.judge_status(exchange, reading, verdicts, idle=idle)
    # What a success shows that should not be one says nothing more.
    moot = hidden or reading.must_be_refused
    if memory is None:
        answer = _judge_answer(exchange, reading, moot)
    else:
        answer = memory.recall(exchange, lambda: _judge_answer(exchange, reading, moot))
    verdicts.include(answer.verdicts)
    return Examined(reading, answer.document, answer.pointer, verdicts)


def _judge_answer(exchange: Exchange, reading: Reading, moot: bool) -> _Answer:
    """Judge what the answer itself shows, whoever asked and whenever; of a `moot` success, nothing is held or found."""
    verdicts = Verdicts(reading.operation.id)
    response = exchange.response
    document: Mapping[str, Any] | None = None
    pointer = "/response/body"
    if response.status == reading.operation.success and not answers.is_paced(response):
        success = answers.judge_success(exchange, reading, Verdicts(reading.operation.id) if moot else verdicts)
        if success is not None:
            document, pointer = success
        if document is not None and not moot:
            _judge_document(exchange, reading, document, pointer, verdicts)
    if response.status >= 400:
        answers.judge_error(exchange, verdicts, reading.envelope)
    return _Answer(document, pointer, verdicts)


def _judge_document(
    exchange: Exchange, reading: Reading, document: Mapping[str, Any], pointer: str, verdicts: Verdicts
) -> None:
    operation, parameters = reading.operation, reading.parameters
    if operation.kind == "list":
        listing.judge_page(exchange.request, document, pointer, verdicts)
        for inner, job in listing.listed(document, pointer):
            jobs.judge_job(operation, parameters, job, inner, verdicts)
        return
    jobs.judge_job(operation, parameters, document, pointer, verdicts)
    if operation.kind == "create" and isinstance(reading.document, dict):
        jobs.judge_creation(operation, parameters, reading.document, document, pointer, verdicts)
    elif operation.kind == "create" and not exchange.request.body_recorded:
        jobs.judge_freshness(operation, document, pointer, verdicts)
