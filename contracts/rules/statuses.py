"""C-STATUS, C-5XX, C-ALLOW, V-QUERY, B-ACCEPT, B-UNKNOWN, and the refusals that a request owes."""

from __future__ import annotations

from atlas_conformance.contracts.allow import POINTER, wrong_allow
from atlas_conformance.contracts.exchange import Response
from atlas_conformance.contracts.outcomes import HELD, Failure, Outcome, holds, shown
from atlas_conformance.contracts.pointers import escaped
from atlas_conformance.contracts.reading import Reading
from atlas_conformance.contracts.rulebook import rule
from atlas_conformance.contracts.verdicts import Verdicts
from atlas_conformance.contracts.views import GONE, STATUS, BystanderView, StatusView, parsed


def _never_5xx(status: int) -> Outcome | None:
    return HELD if status < 500 else Failure("no 5xx for any input", str(status), STATUS)


@rule("C-5XX", on=StatusView)
def no_input_makes_the_endpoint_fail(view: StatusView) -> Outcome | None:
    """Nothing that a client sends is answered with a 5xx."""
    if view.status < 500 or not view.reading.flag_alone_is_odd:
        return _never_5xx(view.status)
    return None


@rule("V-QUERY", on=StatusView)
def no_query_flag_makes_the_endpoint_fail(view: StatusView) -> Outcome | None:
    """A query flag that is no boolean is never answered with a 5xx."""
    if view.reading.flag_alone_is_odd or (view.reading.flag_is_odd and view.status < 500):
        return _never_5xx(view.status)
    return None


@rule("C-STATUS", on=StatusView)
def the_status_is_documented(view: StatusView) -> Outcome | None:
    """An answer has a status that is documented for the operation, or one that HTTP itself may give."""
    if view.status < 500:
        return holds(view.documented, f"a documented status of {view.operation.id}", view.status, STATUS)
    return None


@rule("V-FLOOR", on=StatusView)
def a_later_version_is_not_refused(view: StatusView) -> Outcome | None:
    """Asked for a later published version, a request is answered with the resource's own."""
    if view.status == 406 and view.reading.accepts.later and (view.is_refused_for_its_form or _is_absent(view.reading)):
        return Failure(f"media type {view.operation.media_type} for a later version", str(view.status), STATUS)
    return None


@rule("B-ACCEPT", on=StatusView)
def a_good_request_is_taken(view: StatusView) -> Outcome | None:
    """A create that keeps every rule is accepted; a busy target may refuse it, where it can be busy."""
    refused_version = view.status == 406 and view.reading.accepts.later
    if view.operation.kind != "create" or view.status >= 500 or refused_version:
        return None
    success = view.operation.success
    if view.must_be_taken:
        if view.status != 409 or view.idle:
            expected = f"{success}: the request keeps every rule, and all that it names exists"
            return holds(view.status == success, expected, view.status, STATUS)
    elif view.is_refused_for_its_form:
        media = "Accept" if view.status == 406 else "Content-Type"
        expected = f"no {view.status}: the request's {media} is one that must be taken"
        return Failure(expected, str(view.status), STATUS)
    return None


@rule("B-UNKNOWN", on=StatusView)
def an_undocumented_property_is_refused(view: StatusView) -> Outcome | None:
    """A body with an undocumented property is refused with 400; a refusal with another status is B-ACCEPT's."""
    names = view.reading.undocumented
    if not names or view.reading.violations:
        return None
    if view.status == 400:
        return HELD
    if view.status == view.operation.success:
        expected = f"400 for the undocumented property {shown(names[0])}"
        return Failure(expected, str(view.status), f"/request/body/{escaped(names[0])}")
    return None


def _list_is_shown(view: StatusView, *, paged: bool) -> Outcome | None:
    refused_version = view.status == 406 and view.reading.accepts.later
    if view.operation.kind == "list" and view.status < 500 and view.must_be_taken and not refused_version:
        asked = any(name in ("itemsPerPage", "pageNum") for name, _ in view.request.query)
        if asked == paged:
            success = view.operation.success
            return holds(view.status == success, f"{success}: the cluster exists", view.status, STATUS)
    return None


@rule("L-PAGE", on=StatusView)
def a_page_is_shown(view: StatusView) -> Outcome | None:
    """A page of a cluster that exists is shown."""
    return _list_is_shown(view, paged=True)


@rule("L-FOUND", on=StatusView)
def a_list_is_shown(view: StatusView) -> Outcome | None:
    """The list of a cluster that exists is shown."""
    return _list_is_shown(view, paged=False)


@rule("C-5XX", on=BystanderView)
def no_method_makes_the_endpoint_fail(view: BystanderView) -> Outcome | None:
    """A method that the path does not have is never answered with a 5xx."""
    return _never_5xx(view.response.status)


@rule("C-STATUS", on=BystanderView)
def a_method_that_is_not_there_is_refused(view: BystanderView) -> Outcome | None:
    """A method that the path does not have is answered with 404 or 405; HEAD and OPTIONS are left free."""
    status = view.response.status
    free = (400, 401, 403, 429, GONE) if view.sunset else (400, 401, 403, 429)
    if status < 500 and view.request.method not in ("HEAD", "OPTIONS") and status not in free:
        return holds(status in (404, 405), "404 or 405 for a method that is not there", status, STATUS)
    return None


def _allow(response: Response, refused: str, methods: frozenset[str]) -> Outcome | None:
    if response.status != 405:
        return None
    seen = wrong_allow(response, refused, methods)
    return HELD if seen is None else Failure(f"an Allow header that names {', '.join(sorted(methods))}", seen, POINTER)


@rule("C-ALLOW", on=BystanderView)
def a_405_names_the_methods_of_the_path(view: BystanderView) -> Outcome | None:
    """A 405 to a method that the path does not have names those that it has."""
    return _allow(view.response, view.request.method, view.methods)


@rule("C-ALLOW", on=StatusView)
def a_405_names_the_other_methods_of_the_path(view: StatusView) -> Outcome | None:
    """A 405 to an operation's own method names the other ones of its path."""
    if view.status != 405:
        return None
    found = view.contract.operations_at(view.request.path)
    methods = frozenset(operation.method for operation, _ in found if view.knowledge.offers(operation.id))
    return _allow(view.exchange.response, view.request.method, methods)


def _is_told_of_its_body(view: StatusView) -> bool:
    """Tell whether an error's own code says that the body was refused for what it is, not for what it names."""
    document = parsed(view.exchange.response)
    code = document.get("errorCode") if isinstance(document, dict) else None
    return isinstance(code, str) and any(word in code.split("_") for word in _OF_BODIES)


def _owes_another(reading: Reading, status: int) -> bool:
    """Return whether a status refuses no body, although what the request names might excuse it."""
    broken = reading.violations
    form = all(violation.requirement.startswith(("B-", "T-")) for violation in broken)
    allowed = {one for violation in broken for one in violation.statuses}
    allowed |= {one for freedom in reading.freedoms if not freedom.of_place for one in freedom.statuses}
    return form and status in _EXCUSES and status not in allowed


_OF_BODIES = frozenset({"ATTRIBUTE", "ENUM", "JSON", "VALIDATION"})
_EXCUSES = frozenset({403, 404})


def _is_absent(reading: Reading) -> bool:
    """Tell whether a request names something that does not exist, and breaks no other rule."""
    broken = reading.violations
    return bool(broken) and all(violation.requirement.startswith("N-") for violation in broken)


def judge_refusal(view: StatusView, verdicts: Verdicts) -> None:
    """Judge a request that must be refused by each requirement that it breaks, of which one alone can be held."""
    reading, status = view.reading, view.status
    if not reading.violations:
        return
    if (
        status == 406
        and reading.accepts.later
        and _is_absent(reading)
        and view.contract.binds("V-FLOOR", view.operation.id)
    ):
        return  # it is the version that was refused (V-FLOOR), and nothing was looked for
    broken = {violation.requirement for violation in reading.violations}
    if not (len(broken) == 1 if status >= 500 else view.documented or status < 400):
        return
    if status in reading.refusals and not (_is_told_of_its_body(view) and _owes_another(reading, status)):
        if len(broken) == 1:
            verdicts.held(reading.violations[0].requirement)
        return
    for violation in reading.violations:
        statuses = " or ".join(str(s) for s in sorted(violation.statuses))
        verdicts.failed(violation.requirement, f"{violation.expected} with {statuses}", str(status), violation.pointer)
