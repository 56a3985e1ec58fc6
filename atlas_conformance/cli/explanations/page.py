"""The page of a requirement as blocks of text, and what is made of them: Markdown, or text for a terminal."""

from __future__ import annotations

import inspect
import re
import textwrap
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Literal

from atlas_conformance.cli.explanations.example import Example, example_of, faults_of
from atlas_conformance.cli.explanations.freedoms import freedoms_near
from atlas_conformance.cli.explanations.suite_tests import suite_tests_of
from atlas_conformance.contracts.contract import Contract
from atlas_conformance.contracts.exchange import Exchange, Headers
from atlas_conformance.contracts.phrases import one_line, plural, readable
from atlas_conformance.contracts.requirement import BASIS_WORDS, Requirement
from atlas_conformance.contracts.rulebook import rules_of

Kind = Literal["title", "heading", "text", "item", "link", "code", "shell"]

_FAULTS_SHOWN = 12
_SHOWN_HEADERS = ("content-type", "accept", "authorization", "www-authenticate", "x-error-code", "retry-after", "allow",
                  "ratelimit-limit", "ratelimit-remaining", "deprecation", "sunset")  # fmt: skip
_NONCE = re.compile(r'nonce="[^"]*"')
_FORCES = {"must": "must: what does not hold is a failure", "should": "should: what does not hold is advice"}


@dataclass(frozen=True, slots=True)
class Block:
    """A part of a page. `address` is where a link leads."""

    kind: Kind
    text: str
    address: str | None = None


def page_of(requirement: str) -> tuple[Block, ...]:
    """Return the page of a requirement; raises KeyError where there is none of this id."""
    return tuple(_blocks(Contract.load().requirements[requirement]))


def _blocks(requirement: Requirement) -> Iterator[Block]:
    yield Block("title", requirement.id)
    yield Block("text", requirement.statement)
    yield Block("item", f"Basis: {requirement.basis}, that is, {BASIS_WORDS[requirement.basis]}")
    yield Block("item", f"Force: {_FORCES[requirement.force]}")
    every = len(requirement.operations) == len(Contract.load().operations)
    yield Block("item", f"Operations: {'all of them' if every else ', '.join(requirement.operations)}")
    yield Block("heading", "Sources")
    for cited in requirement.sources:
        words, address = f"{cited.page.title}, {cited.place}", cited.page.address
        yield Block("link", words, address) if address else Block("item", f"{words}, {cited.page.kind}")
    example = example_of(requirement.id)
    if example is not None:
        yield from _example(example)
    yield from _rules(requirement)
    yield from _proof(requirement)
    yield from _freedoms(requirement)
    yield Block("heading", "Try it")
    yield Block("shell", f"atlas-conformance run --requirement {requirement.id} --profile quick")
    if example is not None:
        yield Block("text", "An endpoint that fails it, to see what that looks like:")
        yield Block("shell", f"atlas-conformance serve --fault {example.fault.id}")


def _example(example: Example) -> Iterator[Block]:
    yield Block("heading", "An exchange that conforms")
    yield from _in_order(example.conforming_before, example.conforming)
    yield Block("heading", "An exchange that fails")
    yield Block("text", _fault_of(example))
    yield from _in_order(example.before, example.failing)
    yield Block("text", _found(example))


def _in_order(before: Iterable[Exchange], last: Exchange) -> Iterator[Block]:
    """Yield an exchange, and those before it that matter to it."""
    earlier = [_exchange(exchange) for exchange in before]
    for text in earlier:
        yield Block("text", "Before it:")
        yield Block("code", text)
    if earlier:
        yield Block("text", "Then:")
    yield Block("code", _exchange(last))


def _rules(requirement: Requirement) -> Iterator[Block]:
    """Yield where the requirement is judged: the functions that its id is registered for."""
    found = rules_of(requirement.id)
    if found:
        yield Block("heading", "How it is judged")
    for rule in found:
        file = f"{rule.__module__.removeprefix('atlas_conformance.').replace('.', '/')}.py"
        words = " ".join((inspect.getdoc(rule) or "").split())
        yield Block("item", f"{file}, {rule.__name__}" + (f": {words}" if words else ""))


def shown_example(requirement: str) -> dict[str, Any] | None:
    """Return the example of a requirement as reports show it, without the rest of its page; None where there is none.

    `conforming` and `failing` are the texts of exchanges in their order, `fault` says what the endpoint of the latter
    does wrong, `found` what is found.
    """
    example = example_of(requirement)
    if example is None:
        return None
    return {
        "conforming": [_exchange(exchange) for exchange in (*example.conforming_before, example.conforming)],
        "failing": [_exchange(exchange) for exchange in (*example.before, example.failing)],
        "fault": _fault_of(example),
        "found": _found(example),
    }


def _fault_of(example: Example) -> str:
    return f"From the reference endpoint with the fault {example.fault.id}: {example.fault.sentence}"


def _found(example: Example) -> str:
    found = example.finding
    return f"Expected {one_line(found.expected, 500)}; seen {one_line(found.seen, 500)}, at {found.pointer}."


def _proof(requirement: Requirement) -> Iterator[Block]:
    yield Block("heading", "How it is tested")
    yield Block("text", f"{requirement.technique[0].upper()}{requirement.technique[1:]}.")
    for test in suite_tests_of(requirement.id):
        yield Block("item", f"{test.file}, {test.name}" + (f": {test.words}" if test.words else ""))
    faults = faults_of(requirement.id)
    if faults:
        yield Block("heading", "Faults that prove the tests")
        yield Block("text", f"The tests find each of {plural(len(faults), 'fault')} of the reference endpoint"
                    f"{f', of which these are {_FAULTS_SHOWN}' if len(faults) > _FAULTS_SHOWN else ''}. The command"
                    " atlas-conformance prove --list names all.")  # fmt: skip
        for fault in faults[:_FAULTS_SHOWN]:
            yield Block("item", f"{fault.id}: {fault.sentence}")


def _freedoms(requirement: Requirement) -> Iterator[Block]:
    near = freedoms_near(requirement.id)
    departures = [known for known in Contract.load().departures.values() if known.requirement == requirement.id]
    if near or departures:
        yield Block("heading", "What an endpoint is free to do")
    for name, choices in near.items():
        yield Block("item", f"{name}: {' or '.join(choices)}")
    for known in departures:
        yield Block("item", f"{known.id}, a known departure of the real service: {known.statement}")


def _exchange(exchange: Exchange) -> str:
    request, response = exchange.request, exchange.response
    try:
        phrase = f" {HTTPStatus(response.status).phrase}"
    except ValueError:
        phrase = ""
    lines = [f"{request.method} {one_line(request.target, 400)}", *_headers(request.headers or ())]
    if request.credential not in ("owner", "unknown"):
        lines.append(f"(credentials: {request.credential})")
    if request.body is not None:
        lines += ["", readable(request.body, lines=24, characters=1_500)]
    lines += ["", f"{response.status}{phrase}", *_headers(response.headers)]
    if response.body:
        lines += ["", readable(response.body, lines=32, characters=2_000)]
    return "\n".join(lines)


def _headers(headers: Headers) -> list[str]:
    """Return the headers that say something here; nonces, which are drawn again each time, are left out."""
    return [
        one_line(f"{name.title()}: {_NONCE.sub('nonce=(drawn)', value)}", 300)
        for name, value in headers
        if name.lower() in _SHOWN_HEADERS
    ]


def as_markdown(blocks: Iterable[Block]) -> str:
    """Return a page as Markdown."""
    parts: list[str] = []
    before: Kind | None = None
    for block in blocks:
        listed = block.kind in ("item", "link")
        if parts and not (listed and before in ("item", "link")):
            parts.append("")
        parts.append(_as_markdown(block))
        before = block.kind
    return "\n".join(parts) + "\n"


def _as_markdown(block: Block) -> str:
    match block.kind:
        case "title":
            return f"# {block.text}"
        case "heading":
            return f"## {block.text}"
        case "text":
            return markdown_text(block.text)
        case "item":
            return f"- {markdown_text(block.text)}"
        case "link":
            return f"- [{markdown_text(block.text)}]({block.address})"
        case "shell":
            return f"```sh\n{block.text}\n```"
        case "code":
            return f"````http\n{block.text}\n````"


_SPECIAL = re.compile(r"([\\`*_{}\[\]<>#|~])")


def markdown_text(text: str) -> str:
    """Return text with what Markdown or HTML could read escaped."""
    return _SPECIAL.sub(r"\\\1", text)


def as_text(blocks: Iterable[Block], width: int) -> str:
    """Return a page as lines for a terminal of this width; requests, answers and commands are never wrapped."""
    lines: list[str] = []
    before: Kind | None = None
    for block in blocks:
        listed = block.kind in ("item", "link")
        if lines and not (listed and before in ("item", "link")):
            lines.append("")
        lines += _as_lines(block, width)
        before = block.kind
    return "\n".join(lines) + "\n"


def _as_lines(block: Block, width: int) -> list[str]:
    match block.kind:
        case "title":
            return [block.text]
        case "heading":
            return [block.text.upper()]
        case "text":
            return textwrap.wrap(block.text, width, break_on_hyphens=False)
        case "item":
            return _item(block.text, width)
        case "link":
            return [*_item(block.text, width), f"  {block.address}"]
        case "code" | "shell":
            return textwrap.indent(block.text, "    ").splitlines()


def _item(text: str, width: int) -> list[str]:
    return textwrap.wrap(text, width, initial_indent="- ", subsequent_indent="  ", break_on_hyphens=False)
