"""Bodies that are no JSON object, and input that is only meant to hurt (B-JSON, C-5XX, V-QUERY)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from atlas_conformance.contracts.exchange import Request
from atlas_conformance.strategies.requests import Case, encode, with_header, with_query


def not_objects(good: Request, *, optional: bool = False) -> Iterator[Case]:
    """Yield creates whose body is no JSON, or JSON but no object; `good` is a conforming create (B-JSON).

    Where a body is `optional`, none at all breaks nothing, and is left out.
    """
    body = good.body or b"{}"
    for sent, what in (
        (b"", "an empty body"),
        (body[:-1], "a body cut short"),
        (body + b" and more", "words after the object"),
        (b"[" + body + b"]", "an array"),
        (b"null", "null"),
        (body + b"}", "one brace too many"),
        (b'"' + body.replace(b'"', b'\\"') + b'"', "a string that holds JSON"),
        (body.replace(b'"', b"'"), "single quotes"),
        (body[:-1] + b",}", "a trailing comma"),
        (_with_link(body, b"NaN"), "NaN"),
        (_with_link(body, b'"\xff\xfe"'), "bytes that are no UTF-8"),
        (body + b" " + body, "two objects"),
        (body[:1] + b"/* */" + body[1:], "a comment"),
        (_with_link(body, b'"\x01"'), "a control character in a string"),
        (_with_link(body, b"01"), "a leading zero"),
        (body[:-1] + b",links:[]}", "a name without quotes"),
        (b"not json", "plain words"),
        (b" \t\r\n ", "white space"),
        (b"[]", "an empty array"),
        (b"42", "a number"),
        (b"true", "true"),
        (b"<job/>", "XML"),
        (b"snapshotId=1", "a form"),
        (_with_link(body, b"Infinity"), "Infinity"),
        (_with_link(body, b'"\xc3\x28"'), "a string that is no UTF-8"),
        (_with_link(body, b"+1"), "a plus sign"),
    ):
        if sent.strip() or not optional:
            yield Case(replace(good, body=sent), "B-JSON", what)


def hurtful_bodies(good: Request) -> Iterator[Case]:
    """Yield creates that strain a server: deep nesting, megabytes, odd numbers and strings (C-5XX)."""
    body = good.body or b"{}"
    yield Case(replace(good, body=b"[" * 100_000), None, "a hundred thousand open brackets")
    yield Case(replace(good, body=_with(body, b"[" * 2_000 + b"]" * 2_000)), None, "deep nesting in a property")
    yield Case(replace(good, body=_with(body, b'{"a":' * 20_000 + b"1" + b"}" * 20_000)), None, "deep objects")
    yield Case(replace(good, body=_with(body, b'"' + b"x" * 1_048_576 + b'"')), None, "a string of a megabyte")
    yield Case(replace(good, body=b" " * 1_048_576 + body), None, "a megabyte of white space")
    yield Case(replace(good, body=_with(body, b"1e400")), None, "a number beyond doubles")
    yield Case(replace(good, body=_with(body, b"9" * 5_000)), None, "a number of 5,000 digits")
    yield Case(replace(good, body=_with(body, b'"\\ud800"')), None, "a lone surrogate")
    yield Case(replace(good, body=_with(body, b'"\\u0000"')), None, "an escaped NUL")
    yield Case(replace(good, body=body[:-1] + b',"":1}'), None, "a property without a name")
    yield Case(
        replace(good, body=body[:-1] + b',"__proto__":{"a":1},"$where":"1"}'), None, "names with a meaning elsewhere"
    )
    yield Case(replace(good, body=body[:-1] + b"," + body[1:]), None, "every property twice")
    yield Case(replace(good, body=b"\xef\xbb\xbf" + body), None, "a byte order mark")
    yield Case(replace(good, body=body.decode("utf-8", "replace").encode("utf-16")), None, "UTF-16")
    many = encode({f"p{i}": i for i in range(5_000)})
    yield Case(replace(good, body=body[:-1] + b"," + many[1:]), None, "five thousand properties")


def _with_link(body: bytes, value: bytes) -> bytes:
    """Add a raw value to a JSON object where every body may have one: what is undocumented may be refused for that."""
    return body[:-1] + (b"," if body[:-1].strip() != b"{" else b"") + b'"links":[{"rel":' + value + b"}]}"


def _with(body: bytes, value: bytes) -> bytes:
    """Add a property of this raw value to a JSON object."""
    return body[:-1] + b',"unheardOf":' + value + b"}"


def odd_headers(good: Request) -> Iterator[Case]:
    """Yield requests with content types and Accept headers that no rule settles, and with odd other headers."""
    if good.body is not None:
        for value in (
            None,
            "text/plain",
            "application/xml",
            "application/x-www-form-urlencoded",
            "multipart/form-data; boundary=x",
            "application/json; charset=utf-16",
            "application/json; charset=utf-8",
            "application/vnd.atlas.2023-01-01+json",
            "application/vnd.atlas.2024-11-13+json",
            ";",
            "application/json, application/json",
            "*/*",
        ):
            yield Case(with_header(good, "Content-Type", value), None, f"Content-Type {value}")
    for name, value in (
        ("Accept-Language", "tlh;q=x"),
        ("X-Forwarded-For", "::1, ,999.999.999.999"),
        ("Cookie", '=; a="; b'),
        ("Origin", "null"),
        ("X-Long", "a" * 4_000),
    ):
        yield Case(with_header(good, name, value), None, f"the header {name}")


def odd_queries(good: Request) -> Iterator[Case]:
    """Yield requests whose `envelope` or `pretty` is no boolean (V-QUERY), or whose query is otherwise odd (C-5XX)."""
    for name in ("envelope", "pretty"):
        for value in ("maybe", "1"):
            yield Case(with_query(good, f"{name}={value}"), None, f"{name}={value}")
    # Both at once: most endpoints read each flag for itself.
    for value in (
        "",
        "TRUE",
        "null",
        "%00",
        "%FF",
        "%F0%9F%98%80",
        "true,false",
        "[]",
        "-1",
        "a" * 600,
    ):
        yield Case(with_query(good, f"envelope={value}&pretty={value}"), None, f"both flags {value[:20]}")
    yield Case(with_query(good, "envelope&pretty"), None, "both flags without a value")
    yield Case(with_query(good, "envelope=true&envelope=false&pretty=true&pretty=false"), None, "both flags twice")
    for query in ("unheardOf=1&&&=&%&a=%ZZ&envelope%5B%5D=true", "pageNum=x&itemsPerPage=y", "x=" + "y" * 1_500):
        yield Case(with_query(good, query), None, f"the query {query[:30]}")


def odd_pages(good: Request) -> Iterator[Case]:
    """Yield list requests whose page parameters are out of range or no numbers (C-5XX)."""
    # Each second one has to do for a quick run.
    for name in ("itemsPerPage", "pageNum"):
        for value in ("0", "501", "-1", "1.5", "x", "%00", "", "1e3", "99999999999999999999", "٣"):
            yield Case(with_query(good, f"{name}={value}"), None, f"{name}={value}")
    yield Case(with_query(good, "includeCount=perhaps"), None, "includeCount=perhaps")


def large_pages(good: Request) -> Iterator[Case]:
    """Yield list requests for pages far beyond the last: at the ends of what 32, 53 and 64 bits hold, and past them
    (C-5XX).
    """
    for number in (2**31, 2**63 - 1, 10**30, 999_999_999, 2**31 - 1, 2**53 + 1, 2**63):
        yield Case(with_query(good, f"pageNum={number}"), None, f"pageNum={number}")
    for number in (2**31 - 1, 2**63 - 1):  # in range alone, and beyond it times the size
        yield Case(with_query(good, f"itemsPerPage=500&pageNum={number}"), None, f"500 on page {number}")


def other_methods(good: Request, taken: frozenset[str]) -> Iterator[Case]:
    """Yield the same target with methods that its path does not have; `taken` are those that it has."""
    for method in ("PUT", "PATCH", "DELETE", "GET", "POST", "HEAD", "OPTIONS"):
        if method not in taken:
            body = good.body if method in ("PUT", "PATCH", "POST") else None
            yield Case(replace(good, method=method, body=body), None, f"the method {method}")
