"""Messages that went by a relay, and the exchanges that they make."""

from __future__ import annotations

from dataclasses import dataclass, field

from atlas_conformance.contracts.contract import Contract
from atlas_conformance.contracts.exchange import Exchange, Headers, Request, Response
from atlas_conformance.recordings.bodies import LARGEST_BODY, Lost, undone
from atlas_conformance.recordings.entries import OUTSIDE, Recorded, Unjudged
from atlas_conformance.recordings.masking import Masking
from atlas_conformance.recordings.places import target_of
from atlas_conformance.recordings.spread import left_out_of

LONGEST_BODY = LARGEST_BODY
_UNNAMED = frozenset({"host", "connection", "keep-alive", "transfer-encoding"})


@dataclass
class Message:
    """A request (`method`, `target`) or an answer (`status`) as far as it has gone by; bodies as they were sent."""

    method: str = ""
    target: str = ""
    status: int = 0
    headers: Headers = ()
    body: bytearray = field(default_factory=bytearray)
    whole: bool = True

    def add(self, data: bytes) -> None:
        """Take over a piece of the body; what goes beyond the limit is not kept, and the message no longer whole."""
        if len(self.body) + len(data) > LONGEST_BODY:
            self.whole = False
            self.body.clear()
        if self.whole:
            self.body += data


@dataclass(frozen=True)
class Watched:
    """A request and its answer; `started` and `ended` are epoch seconds."""

    request: Message
    answer: Message
    started: float
    ended: float

    def entry(self, masking: Masking | None = None, contract: Contract | None = None) -> Recorded | Unjudged:
        """Return the exchange, or why there is none to judge; `masking` learns from it in any case.

        Its path is one of `contract`, or of the contract that the package brings. Credentials are left out, and so is
        what it repeats of those that `masking` knows.
        """
        masking = masking or Masking()
        body = _decoded(self.answer)
        masking.learn(self._exchange(self.request.target, body or b""))
        target = target_of(self.request.target, contract)
        found = contract or Contract.load()
        if target is None or found.is_outside(self.request.method, target.partition("?")[0]):
            return Unjudged(OUTSIDE)
        if body is None or not self.request.whole:
            return Unjudged("that were too large, or of an encoding that cannot be undone")
        exchange = self._exchange(target, body)
        clean = masking.cleaned(exchange)
        return Recorded(clean, left_out=left_out_of(exchange, clean))

    def _exchange(self, target: str, body: bytes) -> Exchange:
        request = Request(
            method=self.request.method,
            target=target,
            headers=tuple(pair for pair in self.request.headers if pair[0].lower() not in _UNNAMED),
            body=bytes(self.request.body) or None,
            credential="unknown",
        )
        response = Response(self.answer.status, self.answer.headers, body)
        return Exchange(request, response, self.started, self.ended)


def _decoded(answer: Message) -> bytes | None:
    """Return the body with its content encodings undone, or None where that cannot be."""
    if not answer.whole:
        return None
    encodings = [value for name, value in answer.headers if name.lower() == "content-encoding"]
    try:
        return undone(bytes(answer.body), ",".join(encodings), strictly=True)
    except Lost:
        return None
