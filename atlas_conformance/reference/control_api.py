"""The control API: JSON over HTTP on a path of its own, for clients in any language."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import orjson

from atlas_conformance.reference.documents import rfc3339
from atlas_conformance.reference.messages import Call

if TYPE_CHECKING:
    from atlas_conformance.reference.controls import Controls, JobState

CONTROL_PATH = "/_control"

Reply = tuple[int, list[tuple[bytes, bytes]], bytes]
_Given = Mapping[str, Any]


class _BadRequest(Exception):
    """A control request that makes no sense; the text is one sentence."""


@dataclass(frozen=True, slots=True)
class Control:
    """Answers control requests, and passes on what else was asked and answered."""

    controls: Controls

    def note(self, call: Call, status: int) -> None:
        """Remember a request and the status that it was answered with."""
        self.controls.note(call, status)

    def answer(self, call: Call) -> Reply:
        """Return the status, headers and body of the answer to a control request."""
        path = call.path.removeprefix(CONTROL_PATH).strip("/")
        try:
            return self._reply(200, self._act(call, path))
        except _BadRequest as error:
            return self._reply(400, {"error": str(error)})
        except KeyError as error:
            return self._reply(404, {"error": error.args[0]})
        except ValueError as error:
            return self._reply(409, {"error": str(error)})

    def _act(self, call: Call, path: str) -> Any:
        method = "GET" if call.method == "HEAD" else call.method
        first, _, rest = path.partition("/")
        action = _ACTIONS.get((method, path))
        if action is not None:
            return action(self.controls, _body(call))
        if first == "jobs" and rest and method == "GET":
            return shown(self.controls.job(rest))
        if first == "jobs" and rest and method == "POST":
            given = _taken(_body(call), {"state": str})
            if "state" not in given:
                raise _BadRequest("state is needed, such as COMPLETED, FAILED or CANCELLED")
            return shown(self.controls.set_state(rest, given["state"]))
        known = ", ".join(f"{known} {CONTROL_PATH}/{name}".rstrip("/") for known, name in _ACTIONS)
        raise KeyError(f"there is no {call.method} {call.path} here; there are {known}, and /_control/jobs/ID")

    @staticmethod
    def _reply(status: int, document: Any) -> Reply:
        body = orjson.dumps(document, option=orjson.OPT_INDENT_2)
        return status, [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())], body


def shown(job: JobState) -> dict[str, Any]:
    """Return how a job stands, as JSON."""
    document = asdict(job)
    for name in ("created_at", "changes_at"):
        if document[name] is not None:
            document[name] = rfc3339(document[name], milliseconds=True)
    return document


def _body(call: Call) -> _Given:
    if not call.body:
        return {}
    try:
        given = orjson.loads(call.body)
    except orjson.JSONDecodeError as error:
        raise _BadRequest(f"the body is no JSON: {error}") from None
    if not isinstance(given, dict):
        raise _BadRequest("the body must be a JSON object")
    return given


_NAMES: Mapping[Any, str] = {str: "a string", int: "an integer", float: "a number"}


def _taken(given: _Given, known: Mapping[str, type]) -> dict[str, Any]:
    """Return the values of a body; raises _BadRequest for one that is not known or of another type."""
    for name, value in given.items():
        kind = known.get(name)
        if kind is None:
            raise _BadRequest(f"{name!r} is not known here; known are {', '.join(known)}")
        fits = isinstance(value, (int, float) if kind is float else kind) and not isinstance(value, bool)
        if not fits:
            raise _BadRequest(f"{name} must be {_NAMES[kind]}")
    return dict(given)


def _clock(controls: Controls) -> dict[str, Any]:
    clock = controls.clock
    return {"now": rfc3339(clock.now(), milliseconds=True), "frozen": clock.frozen}


def _state(controls: Controls, given: _Given) -> Any:
    _taken(given, {})
    return {
        **_clock(controls),
        "jobs": [shown(job) for job in controls.jobs()],
        "rules": _rules(controls, given),
    }


def _freeze(controls: Controls, given: _Given) -> Any:
    _taken(given, {})
    controls.clock.freeze()
    return _clock(controls)


def _resume(controls: Controls, given: _Given) -> Any:
    _taken(given, {})
    controls.clock.resume()
    return _clock(controls)


_LENGTHS: Mapping[str, int] = {"seconds": 1, "minutes": 60, "hours": 3600}


def _advance(controls: Controls, given: _Given) -> Any:
    known = {"seconds": float, "minutes": float, "hours": float, "to": str, "job": str}
    taken = _taken(given, known)
    spans = [taken[name] * length for name, length in _LENGTHS.items() if name in taken]
    if ("to" in taken) == bool(spans):
        raise _BadRequest('give seconds, minutes or hours, or "to": "next" or "end"')
    if spans:
        try:
            controls.clock.advance(sum(spans))
        except ValueError as error:
            raise _BadRequest(str(error)) from None
    elif taken["to"] not in ("next", "end"):
        raise _BadRequest('"to" is "next" or "end"')
    else:
        controls.advance_to(taken["to"], taken.get("job"))
    return _clock(controls)


def _jobs(controls: Controls, given: _Given) -> Any:
    _taken(given, {})
    return [shown(job) for job in controls.jobs()]


def _fail_next(controls: Controls, given: _Given) -> Any:
    from atlas_conformance.reference.forms import FailingForm

    form: FailingForm = _form(FailingForm, {"times": 1, **given})
    controls.fail_next(form.failing())
    return asdict(form.failing())


def _rules(controls: Controls, given: _Given) -> Any:
    _taken(given, {})
    return [asdict(rule) for rule in controls.rules]


def _add_rule(controls: Controls, given: _Given) -> Any:
    from atlas_conformance.reference.forms import RuleForm

    form: RuleForm = _form(RuleForm, given)
    controls.add_rule(form.rule())
    return _rules(controls, {})


def _clear_rules(controls: Controls, given: _Given) -> Any:
    _taken(given, {})
    controls.clear_rules()
    return []


def _requests(controls: Controls, given: _Given) -> Any:
    _taken(given, {})
    return [asdict(seen) | {"at": rfc3339(seen.at, milliseconds=True)} for seen in controls.requests()]


def _forget(controls: Controls, given: _Given) -> Any:
    _taken(given, {})
    controls.forget_requests()
    return []


def _expire(controls: Controls, given: _Given) -> Any:
    _taken(given, {})
    controls.expire_tokens()
    return {}


def _reset(controls: Controls, given: _Given) -> Any:
    _taken(given, {})
    controls.reset()
    return _clock(controls)


def _form(form: Any, given: _Given) -> Any:
    from pydantic import ValidationError

    from atlas_conformance.reference.forms import sentence

    try:
        return form.model_validate_json(orjson.dumps(given))
    except ValidationError as error:
        raise _BadRequest(sentence(error.errors()[0])) from None


_ACTIONS: Mapping[tuple[str, str], Callable[[Controls, _Given], Any]] = {
    ("GET", ""): _state,
    ("POST", "freeze"): _freeze,
    ("POST", "resume"): _resume,
    ("POST", "advance"): _advance,
    ("GET", "jobs"): _jobs,
    ("POST", "fail-next"): _fail_next,
    ("GET", "rules"): _rules,
    ("POST", "rules"): _add_rule,
    ("DELETE", "rules"): _clear_rules,
    ("GET", "requests"): _requests,
    ("DELETE", "requests"): _forget,
    ("POST", "expire-tokens"): _expire,
    ("POST", "reset"): _reset,
}
