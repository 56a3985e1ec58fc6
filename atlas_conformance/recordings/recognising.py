"""What a file that is no recording looks like, and what would be right instead."""

from __future__ import annotations

import re

_HAR = "a HAR file or a journal of a run is wanted"
_EXPORT = f"export the traffic as HAR ({_HAR})"

_BINARY: tuple[tuple[bytes, str], ...] = (
    (b"\xd4\xc3\xb2\xa1", f"a packet capture (pcap): {_HAR}, so record with a proxy or `atlas-conformance record`"),
    (b"\xa1\xb2\xc3\xd4", f"a packet capture (pcap): {_HAR}, so record with a proxy or `atlas-conformance record`"),
    (b"\x4d\x3c\xb2\xa1", f"a packet capture (pcap): {_HAR}, so record with a proxy or `atlas-conformance record`"),
    (b"\xa1\xb2\x3c\x4d", f"a packet capture (pcap): {_HAR}, so record with a proxy or `atlas-conformance record`"),
    (b"\x0a\x0d\x0d\x0a", f"a packet capture (pcapng): {_HAR}, so record with a proxy or `atlas-conformance record`"),
    (b"BZh", "compressed with bzip2: unpack it first (plain, gzip, zlib, zstd and ZIP are read)"),
    (b"\xfd7zXZ\0", "compressed with xz: unpack it first (plain, gzip, zlib, zstd and ZIP are read)"),
    (b"\x04\x22\x4d\x18", "compressed with lz4: unpack it first (plain, gzip, zlib, zstd and ZIP are read)"),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive: unpack it first (plain, gzip, zlib, zstd and ZIP are read)"),
    (b"Rar!", "a RAR archive: unpack it first (plain, gzip, zlib, zstd and ZIP are read)"),
    (b"PK", "a ZIP archive inside another file: unpack that first"),
    (b"SQLite format 3\0", f"an SQLite database: {_HAR}"),
    (b"%PDF", f"a PDF: {_HAR}"),
    (b"\x89PNG", f"a picture: {_HAR}"),
    (b"\xac\xed\0\x05", f"a session of a proxy in its own form: {_EXPORT}"),
)
"""First bytes, and what they are of."""

_TEXTS: tuple[tuple[str, str], ...] = (
    (r"\A\s*\d+:\d+:", f"a flow file of mitmproxy: {_EXPORT}, as `mitmdump -nr FILE --set hardump=traffic.har` does"),
    (
        r"\A\s*<\?xml[^>]*>\s*(<!DOCTYPE[^>]*>\s*)?<(charles|items|\w*session)",
        f"a session of a proxy in XML: {_EXPORT}",
    ),
    (r"\A\s*<(!doctype html|html)", f"an HTML page: {_HAR}"),
    (r"\A\s*<", f"XML: {_HAR}"),
    (r"^-{0,3}\s*(http_interactions|interactions):|^recorded_with:", f"a cassette of VCR in YAML: {_HAR}"),
    (r"\A\s*\{\s*\"(http_interactions|interactions)\"", f"a cassette of recorded interactions: {_HAR}"),
    (
        r"\A\s*\{[^\0]{0,400}\"_postman_|schema\.getpostman\.com|\"info\"\s*:[^\0]{0,2000}\"item\"\s*:",
        f"a Postman collection, which holds requests and no recorded traffic: {_HAR}",
    ),
    (
        r"\"__export_format\"|\"_type\"\s*:\s*\"export\"|^type:\s*collection\.insomnia",
        f"an Insomnia export, which holds requests and no recorded traffic: {_EXPORT}",
    ),
    (
        r"\A\s*\{\s*\"type\"\s*:\s*\"(Metric|Point)\"|\"metrics\"\s*:\s*\{[^\0]{0,400}\"http_req",
        f"figures of k6: {_HAR}",
    ),
    (r"\A\s*\[\s*\{[^\0]{0,2000}\"(protocolVersion|totalSize)\"", f"a Charles session in JSON: {_EXPORT}"),
    (r"\A\s*\{\s*\"traceEvents\"|\A\s*\[\s*\{[^\0]{0,200}\"ph\"\s*:", f"a performance trace of a browser: {_EXPORT}"),
    (r"\A\s*\{\s*\"constants\"\s*:", f"a network log of a browser (netlog): {_EXPORT}"),
    (
        r"\A\s*\{[^\0]{0,200}\"(openapi|swagger)\"\s*:|^(openapi|swagger):",
        "an OpenAPI description: `atlas-conformance drift` compares it with the contract",
    ),
    (r"\A\s*\{[^\0]{0,400}\"(consumer|provider)\"\s*:", f"a Pact file, which holds no recorded traffic: {_HAR}"),
    (r"\A\s*\{\s*\"(mappings|imposters|stubs)\"|\"data\"\s*:\s*\{\s*\"pairs\"", f"stubs of a mock server: {_HAR}"),
    (
        r"\A\s*(?:#[^\n]*\n\s*)*(GET|POST|PUT|PATCH|DELETE|HEAD) \S+",
        f"a file of HTTP requests, without recorded traffic: {_HAR}",
    ),
    (r"\A\s*curl\s", f"a curl command: {_HAR}"),
    (r"\A\s*(import |export |//|/\*|const |function )", f"a script: {_HAR}"),
    (r"\A\s*\{\s*\"kind\"\s*:", "a journal whose first line is no header: give the file as the run wrote it"),
    (r"\A\s*\{\s*\"entries\"\s*:", 'the inside of a HAR file: {"log": {"entries": [...]}} is wanted'),
    (r"\A\s*\[", f'a list in JSON: {_HAR}, which is an object: {{"log": {{"entries": [...]}}}}'),
    (r"\A\s*\{\s*\"startedDateTime\"", 'a single entry of a HAR file: {"log": {"entries": [...]}} is wanted'),
)
_COMPILED = tuple((re.compile(pattern, re.MULTILINE | re.IGNORECASE), words) for pattern, words in _TEXTS)


def looks_like(begins: bytes) -> str | None:
    """Return what a file that begins like this looks like, and what would be right; None where that is not clear."""
    if not begins.strip(b"\0 \t\r\n"):
        return None
    for magic, words in _BINARY:
        if begins.startswith(magic):
            return words
    if begins[257:262] == b"ustar":
        return "a tar archive: unpack it first (plain, gzip, zlib, zstd and ZIP are read)"
    if b"\0" in begins:
        return f"binary data: {_HAR}"
    text = begins.decode("utf-8", "replace").removeprefix("\ufeff")
    for pattern, words in _COMPILED:
        if pattern.search(text):
            return words
    return None
