"""What a test expects of the answers that it got: the last lines of each suite test say it with these functions.

The judge has judged every answer when it came, by every rule. An expectation names the requirements that decide the
outcome, and lets the test fail on what the judge found in these answers. It also checks that the judge did look at what
the test names: each answer has to have held or failed one of these requirements, unless the contract leaves the
endpoint free. Where the reference endpoint gives other answers, the test sends what it does not mean to send. No
endpoint fails for that: it is noted in `endpoint.expected`, and the project's own tests look there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence, Set
from typing import TypeAlias

from atlas_conformance.contracts.operation import Operation
from atlas_conformance.runner.endpoint import Endpoint
from atlas_conformance.runner.error_forms import compare_errors
from atlas_conformance.runner.forms import compare_forms
from atlas_conformance.runner.outcomes import Judged

Answers: TypeAlias = Judged | Iterable[Judged | None] | None
"""One answer or several; None where the guard withheld the request."""
Requirements: TypeAlias = str | Iterable[str]
"""The id of one requirement, or of several."""


def expect_refused(endpoint: Endpoint, answers: Answers, *, by: Requirements) -> None:
    """Each request is refused, as one of these requirements demands."""
    _expect(endpoint, answers, by, lambda judged: judged.status >= 400)


def expect_accepted(endpoint: Endpoint, answers: Answers, *, showing: Requirements = ()) -> None:
    """Each create is accepted, and each success shows what these requirements ask for."""
    answers = _each(answers)
    _expect(endpoint, answers, "B-ACCEPT", _is_success)
    if showing:
        _expect(endpoint, [judged for judged in answers if _is_success(judged)], showing)


def expect_conforming(endpoint: Endpoint, answers: Answers, *, to: Requirements) -> None:
    """Each answer conforms to the requirements of these that are about it."""
    _expect(endpoint, answers, to)


def expect_unchanged(endpoint: Endpoint, answers: Answers, *, by: Requirements) -> None:
    """Each answer shows what earlier ones showed of the same things, as these requirements demand."""
    _expect(endpoint, answers, by)


def expect_in_form(endpoint: Endpoint, answers: Answers) -> None:
    """Each answer is a success or an error in its documented form, whichever the endpoint chooses, and no 5xx."""
    _expect(endpoint, answers, "C-5XX")


def expect_same(endpoint: Endpoint, operation: Operation, plain: Judged | None, formed: Judged | None) -> None:
    """A success in another form shows the same as the plain one, in that form."""
    _expect(endpoint, (plain, formed), ("V-ENVELOPE", "V-PRETTY"))
    compare_forms(endpoint, operation, plain, formed)


def expect_same_error(endpoint: Endpoint, operation: Operation, answers: Sequence[Judged | None]) -> None:
    """An error says the same in every form; the first of the answers is the plain one."""
    expect_in_form(endpoint, answers)
    for formed in answers[1:]:
        if compare_errors(endpoint, operation, answers[0], formed):
            break  # what one form changes, both together change too


def _expect(
    endpoint: Endpoint,
    answers: Answers,
    requirements: Requirements,
    has_outcome: Callable[[Judged], bool] = lambda judged: True,
) -> None:
    answers = _each(answers)
    named = frozenset([requirements] if isinstance(requirements, str) else requirements)
    for judged in answers:
        found = named & _decided(judged)
        endpoint.expected.note(endpoint.context.name, named, found)
        if not _is_settled(endpoint, judged, found, has_outcome):
            endpoint.expected.note_unsettled(endpoint.context.name, judged)
    endpoint.require(answers)


def _each(answers: Answers) -> list[Judged]:
    listed = [answers] if answers is None or isinstance(answers, Judged) else answers
    return [judged for judged in listed if judged is not None]


def _is_success(judged: Judged) -> bool:
    return 200 <= judged.status < 300


def _decided(judged: Judged) -> Set[str]:
    """Return the requirements that held or failed in an answer."""
    judgement = judged.judgement
    return {requirement for requirement, _ in judgement.held} | {f.requirement for f in judgement.findings}


def _is_settled(endpoint: Endpoint, judged: Judged, found: Set[str], has_outcome: Callable[[Judged], bool]) -> bool:
    """Whether the judge said of an answer what the test expects, or something else that fails, or need not say it."""
    if judged.judgement.findings or (found and has_outcome(judged)):
        return True
    request = judged.exchange.request
    reading = endpoint.chronicle.reading(request)
    # That a job may not exist says nothing of an answer that shows it, nor a busy target of a create that it took.
    free = reading is not None and any(not freedom.of_item for freedom in reading.freedoms)
    return free or (judged.status >= 400 and endpoint.chronicle.busy(request, judged.exchange.started))
