"""Trying again: what repeats, what does not, what stays unknown, and what is never tried."""

from __future__ import annotations

from atlas_conformance.contracts.contract import Contract
from atlas_conformance.contracts.exchange import Exchange, Request, Response
from atlas_conformance.contracts.finding import Finding, Judgement
from atlas_conformance.contracts.judge import Judge
from atlas_conformance.contracts.knowledge import Knowledge
from atlas_conformance.runner.repeating import TRIES, Repeating

OPERATIONS = Contract.load().operations

PATH = OPERATIONS["flex-get"].path(project="32b6e34b3d91647abb20e7b8", cluster="Flex0", job="5" * 24)


def exchange(status: int = 503) -> Exchange:
    """Return a read that was answered with a bare status."""
    request = Request("GET", PATH, (("Accept", "application/vnd.atlas.2024-11-13+json"),))
    return Exchange(request, Response(status, (), b""), 1.0, 1.1)


class Sender:
    """Counts what is sent and answers with a fixed judgement."""

    def __init__(self, judgement: Judgement | None) -> None:
        self.sent = 0
        self._judgement = judgement

    def __call__(self) -> tuple[int, Judgement] | None:
        self.sent += 1
        return None if self._judgement is None else (100 + self.sent, self._judgement)


KNOWLEDGE = Knowledge()
BROKEN = Judge(knowledge=KNOWLEDGE).judge(exchange())
KEYS = {finding.key for finding in BROKEN.findings}
HELD = Judgement(frozenset((requirement, operation) for requirement, operation, _ in KEYS))


def test_the_sample_is_broken() -> None:
    assert ("C-5XX", "flex-get") in {key[:2] for key in KEYS}


def test_what_fails_again_repeats_and_is_not_tried_a_second_time() -> None:
    repeating, send = Repeating(Judge(knowledge=KNOWLEDGE)), Sender(BROKEN)
    records = repeating.try_again(7, exchange(), BROKEN, send)
    assert {(r.requirement, r.operation, r.place) for r in records} == KEYS
    assert {(r.n, r.again, r.outcome) for r in records} == {(7, 101, "repeated")}
    assert repeating.try_again(8, exchange(), BROKEN, send) == [] and send.sent == 1


def test_what_holds_the_second_time_is_unstable_and_tried_a_few_times() -> None:
    repeating, send = Repeating(Judge(knowledge=KNOWLEDGE)), Sender(HELD)
    for n in range(10):
        assert {r.outcome for r in repeating.try_again(n, exchange(), BROKEN, send)} <= {"held"}
    assert send.sent == TRIES


def test_an_answer_that_does_not_exercise_it_says_nothing() -> None:
    for judgement in (Judgement(), None):
        records = Repeating(Judge(knowledge=KNOWLEDGE)).try_again(1, exchange(), BROKEN, Sender(judgement))
        assert {r.outcome for r in records} == {"untold"}
        assert {r.again for r in records} == ({101} if judgement is not None else {None})


def test_a_failure_at_another_place_of_the_same_answer_repeats() -> None:
    elsewhere = Judgement(
        findings=tuple(Finding(f.requirement, f.operation, f.expected, f.seen, "/elsewhere") for f in BROKEN.findings)
    )
    records = Repeating(Judge(knowledge=KNOWLEDGE)).try_again(1, exchange(), BROKEN, Sender(elsewhere))
    assert {r.outcome for r in records} == {"repeated"}


def test_what_rests_on_earlier_exchanges_is_not_tried() -> None:
    moved = Judgement(findings=(Finding("S-FLOW", "flex-get", "no step back", "PENDING", "/response/body/status"),))
    send = Sender(HELD)
    assert Repeating(Judge(knowledge=KNOWLEDGE)).try_again(1, exchange(), moved, send) == [] and send.sent == 0


def test_nothing_is_sent_where_nothing_was_found() -> None:
    departed = Finding("C-SCHEMA", "flex-get", "x", "y", "/response/body", departure="K-TIMESTAMP")
    send = Sender(HELD)
    for judgement in (HELD, Judgement(findings=(departed,))):
        assert Repeating(Judge(knowledge=KNOWLEDGE)).try_again(1, exchange(), judgement, send) == []
    assert send.sent == 0
