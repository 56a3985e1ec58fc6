"""A body around the place that a finding points to, as a difference of expected and seen."""

from __future__ import annotations

from dataclasses import dataclass

import regex

from atlas_conformance.contracts.finding import Finding
from atlas_conformance.reports.records import ExchangeRecord
from atlas_conformance.reports.wording import is_json, one_line, status_line, visible

_TOKEN = regex.compile(r'"(?:[^"\\]|\\.)*+"|[{}\[\]:,]|[^\s"{}\[\]:,]+')
_BODY_LIMIT = 100_000


@dataclass(frozen=True, slots=True)
class Line:
    """A line of an excerpt: its `kind` is `expected`, `seen`, `place`, `near` or `gap`."""

    kind: str
    text: str


def difference(record: ExchangeRecord, finding: Finding, around: int = 5) -> tuple[Line, ...]:
    """Return what was expected and what was seen, with the lines of the body around the place.

    A place in the response's body stands in its lines; a place in the request's body is shown below what the answer
    should have been. Where the body has no such place (a missing member), the nearest thing around it is shown.
    """
    expected = Line("expected", one_line(finding.expected, 500))
    seen = Line("seen", one_line(finding.seen, 500))
    pointer = finding.pointer
    if pointer == "/response/status":
        return expected, Line("seen", f"{status_line(record.exchange.response)} ({seen.text})")
    if pointer == "/response/body" or pointer.startswith("/response/body/"):
        lines, first, last, whole = located(record.exchange.response.body, pointer.removeprefix("/response/body"))
        if not lines:
            return expected, seen
        if whole and last - first < 2 * around:
            here = tuple(Line("seen", text) for text in lines[first : last + 1])
            indent = " " * (len(lines[first]) - len(lines[first].lstrip()))
            told = (Line("expected", indent + expected.text), *here)
            return (*_before(lines, first, around), *told, *_after(lines, last + 1, around))
        return (*_before(lines, first + 1, around), expected, seen, *_after(lines, first + 1, around))
    if pointer.startswith("/request/body") and record.exchange.request.body:
        lines, first, last, whole = located(record.exchange.request.body, pointer.removeprefix("/request/body"))
        if lines:
            end = last + 1 if whole and last - first < 2 * around else first + 1
            place = tuple(Line("place", text) for text in lines[first:end])
            near = (*_before(lines, first, around), *place, *_after(lines, end, around))
            return expected, seen, *near
    return expected, seen


def located(body: bytes, pointer: str) -> tuple[list[str], int, int, bool]:
    """Return the indented lines of a JSON body, the first and the last line of what `pointer` names, and whether it is
    there; otherwise the lines are those of the nearest thing around it. No lines where the body is no JSON.
    """
    if len(body) > _BODY_LIMIT or not is_json(body):
        return [], 0, 0, False
    wanted = [part.replace("~1", "/").replace("~0", "~") for part in pointer.split("/")[1:]]
    lines, spans = _laid_out(_TOKEN.findall(body.decode("utf-8", "replace")), wanted)
    depth = max(spans)
    first, last = spans[depth]
    return [visible(line) for line in lines], first, last, depth == len(wanted)


def _laid_out(tokens: list[str], wanted: list[str]) -> tuple[list[str], dict[int, tuple[int, int]]]:
    """Lay tokens out in lines; return them with the lines of each thing on the way to `wanted`, by its depth."""
    lines = [""]
    spans: dict[int, tuple[int, int]] = {}
    # Of each open container: whether it is an object, the key or index at hand, and whether it is on the way.
    stack: list[tuple[bool, str, bool]] = []
    key_next = False

    def begin(depth: int) -> None:
        lines.append("  " * min(depth, 40))

    def on_the_way() -> bool:
        if not stack:
            return True
        _, name, way = stack[-1]
        return way and len(stack) <= len(wanted) and wanted[len(stack) - 1] == name

    for position, token in enumerate(tokens):
        if token in "{[":
            way = on_the_way()
            if way:
                spans.setdefault(len(stack), (len(lines) - 1, len(lines) - 1))
            lines[-1] += token
            stack.append((token == "{", "0", way))
            key_next = token == "{"
            if position + 1 < len(tokens) and tokens[position + 1] not in ("}", "]"):
                begin(len(stack))
        elif token in "}]":
            _, _, way = stack.pop() if stack else (False, "", False)
            if position and tokens[position - 1] not in ("{", "["):
                begin(len(stack))
            lines[-1] += token
            key_next = False
            if way and len(stack) in spans:
                spans[len(stack)] = (spans[len(stack)][0], len(lines) - 1)
        elif token == ",":
            lines[-1] += token
            begin(len(stack))
            if stack:
                is_object, name, way = stack[-1]
                stack[-1] = (is_object, name if is_object else str(int(name) + 1), way)
                key_next = is_object
        elif token == ":":
            lines[-1] += ": "
            key_next = False
        elif key_next and stack:
            lines[-1] += token
            stack[-1] = (True, token[1:-1], stack[-1][2])
        else:
            if on_the_way():
                spans.setdefault(len(stack), (len(lines) - 1, len(lines) - 1))
            lines[-1] += token
    return lines, spans or {0: (0, 0)}


def _before(lines: list[str], end: int, around: int) -> tuple[Line, ...]:
    start = max(0, end - around)
    gap = (Line("gap", "…"),) if start else ()
    return (*gap, *(Line("near", text) for text in lines[start:end]))


def _after(lines: list[str], start: int, around: int) -> tuple[Line, ...]:
    end = start + around
    gap = (Line("gap", "…"),) if end < len(lines) else ()
    return (*(Line("near", text) for text in lines[start:end]), *gap)
