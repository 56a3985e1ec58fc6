"""The body of a recorded message, however a recorder wrote it down, or why it is not known.

A body that was not written down is never taken for an empty one.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
import zlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

import orjson
import zstandard

LARGEST_BODY = 16 * 1024 * 1024
"""No longer body is judged; one that is unpacked is not unpacked beyond it."""

NOT_RECORDED = "was not recorded"
NOT_TO_ITS_END = "was not recorded to its end"
ENCODED = "is in an encoding that cannot be undone"
LARGE = f"is larger than {LARGEST_BODY // 2**20} MB"
ATTACHED = "is in a file that cannot be read"

Attached: TypeAlias = Callable[[str], bytes | None]
"""Returns what is in a file that belongs to a recording, by its name, or None where it cannot be read."""

_BEGINS = {"gzip": b"\x1f\x8b", "x-gzip": b"\x1f\x8b", "zstd": b"\x28\xb5\x2f\xfd"}
_BODILESS = frozenset({"GET", "HEAD", "DELETE", "OPTIONS"})
_PLAIN = frozenset({"", "utf-8", "utf8", "plain", "text", "none", "identity", "ascii", "us-ascii", "8bit", "7bit"})
_CHUNK = re.compile(rb"([0-9A-Fa-f]{1,8})(?:;[^\r\n]*)?\r\n")
_BLANKS = re.compile(r"\s+")
_URL_SAFE = str.maketrans("-_", "+/")


class Lost(Exception):
    """A body is not known; `reason` completes a sentence that begins with "the body"."""

    def __init__(self, reason: str) -> None:
        """Take the reason."""
        super().__init__(reason)
        self.reason = reason


def stored_body(content: Mapping[str, Any], encodings: str = "", *, chunked: bool = False) -> bytes | None:
    """Return the body that `content` or `postData` of a HAR entry holds, every encoding undone; None if it holds none.

    `encodings` is the message's `Content-Encoding`, `chunked` whether it came in chunks: some recorders write down what
    came over the wire. Raises Lost.
    """
    text = content.get("text")
    if text is None:
        data = content.get("_attached")
        if isinstance(data, bytes):
            return undone(data, encodings)
        if content.get("_file") is not None:
            raise Lost(ATTACHED)
        return None
    if not isinstance(text, str):
        raise Lost("is recorded as something else than text")
    if len(text) > 2 * LARGEST_BODY:
        raise Lost(LARGE)
    body = _decoded(text, content)
    if len(body) > LARGEST_BODY:
        raise Lost(LARGE)
    if not encodings and not chunked:
        return body
    if body[:1] in (b"{", b"["):
        return body
    if chunked:
        body = _joined(body)
    return undone(body, encodings, mangled="\ufffd" in text) if encodings else body


def _decoded(text: str, content: Mapping[str, Any]) -> bytes:
    encoding = content.get("encoding")
    if encoding is None:
        encoding = content.get("_encoding")
    name = encoding.strip().lower() if isinstance(encoding, str) else ""
    if name == "base64":
        found = _of_base64(text)
        size = content.get("size")
        marked_falsely = found is None or (size == len(text) and size != len(found))
        return text.encode("utf-8", "surrogatepass") if found is None or marked_falsely else found
    if name not in _PLAIN:
        raise Lost(ENCODED)
    if text[:1] == "\x1f" and "\ufffd" not in text:
        try:
            return text.encode("latin-1")  # bytes shown as letters, one each
        except UnicodeEncodeError:
            pass
    body = text.encode("utf-8", "surrogatepass")
    size = content.get("size")
    if text[:1] not in ("{", "[", "") and isinstance(size, int) and 0 < size < len(body):
        found = _of_base64(text)  # not marked as such, but as long as what it stands for
        if found is not None and len(found) == size and _is_json(found):
            return found
    return body


def _of_base64(text: str) -> bytes | None:
    """Return what a text in base64 stands for: in lines, without padding, or in the alphabet for URLs; None if it is
    not base64.
    """
    bare = _BLANKS.sub("", text).translate(_URL_SAFE).rstrip("=")
    try:
        return base64.b64decode(bare + "=" * (-len(bare) % 4), validate=True)
    except (binascii.Error, ValueError):
        return None


def _joined(body: bytes) -> bytes:
    """Return the body without the framing of its chunks; as it is where it has none."""
    parts: list[bytes] = []
    at = 0
    while match := _CHUNK.match(body, at):
        length = int(match[1], 16)
        if not length:
            return b"".join(parts)
        at = match.end() + length + 2
        if at > len(body):
            break
        parts.append(body[match.end() : at - 2])
    return body


UNDONE = frozenset({"", "identity", "gzip", "x-gzip", "deflate", "zstd"})
"""The content encodings that can be undone here."""


def undone(body: bytes, encodings: str, *, mangled: bool = False, strictly: bool = False) -> bytes:
    """Return the body with its content encodings undone; as it is where a recorder has undone them already.

    `mangled` says that bytes of it were lost, `strictly` that it is as it came over the wire. Raises Lost.
    """
    for name in reversed([part.strip().lower() for part in encodings.split(",")]):
        if name in ("", "identity") or not body:
            continue
        if strictly:
            body = _unpacked(body, name)
        elif mangled:
            raise Lost(ENCODED)
        elif body.startswith(_BEGINS.get(name, b"")) and not _is_text(body):
            body = _unpacked(body, name)
    return body


def _unpacked(body: bytes, encoding: str) -> bytes:
    try:
        if encoding in ("gzip", "x-gzip"):
            return _inflated(body, 31)
        if encoding == "deflate":
            try:
                return _inflated(body, 15)
            except zlib.error:
                return _inflated(body, -15)
        if encoding == "zstd":
            with zstandard.ZstdDecompressor().stream_reader(body, read_across_frames=True) as reader:
                found: bytes = reader.read(LARGEST_BODY + 1)
            if len(found) > LARGEST_BODY:
                raise Lost(LARGE)
            return found
    except (zlib.error, zstandard.ZstdError):
        pass
    raise Lost(ENCODED)


def _inflated(body: bytes, form: int) -> bytes:
    whole = b""
    while body:
        inflater = zlib.decompressobj(form)
        whole += inflater.decompress(body, LARGEST_BODY + 1 - len(whole))
        if len(whole) > LARGEST_BODY:
            raise Lost(LARGE)
        if not inflater.eof:
            raise Lost(NOT_TO_ITS_END)
        body = inflater.unused_data if form == 31 else b""
    return whole


def answer_body(
    content: Mapping[str, Any], status: int, method: str, transferred: Any, headers: Sequence[tuple[str, str]]
) -> bytes:
    """Return the body of an answer. `transferred` is its `bodySize` in HAR, `headers` its header lines. Raises Lost."""
    text, size = content.get("text"), content.get("size")
    if isinstance(text, str) and text[:1] in ("{", "[") and len(text) <= LARGEST_BODY and "encoding" not in content:
        body = text.encode("utf-8", "surrogatepass")
        if len(body) == size:
            return body  # as most recorders write it
    return _odd_answer_body(content, status, method, transferred, headers)


def _odd_answer_body(
    content: Mapping[str, Any], status: int, method: str, transferred: Any, headers: Sequence[tuple[str, str]]
) -> bytes:
    encodings, chunked, announced = _framing(headers)
    body = stored_body(content, encodings, chunked=chunked)
    size = content.get("size")
    if body:
        longer = size > len(body) if isinstance(size, int) and size > 0 else not encodings and announced > len(body)
        if (longer or content.get("comment")) and not _is_json(body):
            raise Lost(NOT_TO_ITS_END)
        return body if size == len(body) or b"\n" not in body else _as_sent(body, (size, announced))
    if status in (204, 304) or method == "HEAD":
        return b""
    if any(isinstance(number, int) and number > 0 for number in (size, transferred, announced)):
        raise Lost(NOT_RECORDED)
    if body is not None:
        return b""
    told = isinstance(size, int) and size == 0 and not content.get("comment")
    if not told or ((chunked or encodings) and transferred != 0):
        raise Lost(NOT_RECORDED)
    return b""


def _as_sent(body: bytes, lengths: tuple[Any, ...]) -> bytes:
    """Return a body on one line that a recorder has spread over several, where its length tells so."""
    if len(body) in lengths or not any(isinstance(length, int) and 0 < length < len(body) for length in lengths):
        return body
    try:
        document = orjson.loads(body)
    except orjson.JSONDecodeError:
        return body
    lines = (orjson.dumps(document), json.dumps(document, ensure_ascii=False).encode("utf-8", "surrogatepass"),
             json.dumps(document).encode())  # fmt: skip
    return next((line for line in lines if len(line) in lengths), body)


def request_body(posted: Any, method: str, transferred: Any, headers: Sequence[tuple[str, str]]) -> bytes | None:
    """Return the body of a request, None where it has none. Arguments as for `answer_body`. Raises Lost."""
    if posted is None and method in _BODILESS and transferred in (-1, 0, None):
        return None
    encodings, chunked, announced = _framing(headers)
    body = stored_body(posted, encodings, chunked=chunked) if isinstance(posted, Mapping) else None
    size = transferred if isinstance(transferred, int) else -1
    if body:
        if not encodings and (size > len(body) or (announced > len(body) and not _is_json(body))):
            raise Lost(NOT_TO_ITS_END)
        return body
    if size > 0 or announced > 0 or chunked:
        raise Lost(NOT_RECORDED)
    if isinstance(posted, Mapping) and (posted.get("params") or posted.get("comment")):
        raise Lost(NOT_RECORDED)
    if body is not None or announced == 0:
        return None
    if method in _BODILESS:
        return None
    if size != 0 or not headers or any(name.lower() == "content-type" for name, _ in headers):
        raise Lost(NOT_RECORDED)  # a recorder that leaves bodies out tells 0 as well
    return None


def _framing(headers: Sequence[tuple[str, str]]) -> tuple[str, bool, int]:
    """Return Content-Encoding, whether the body came in chunks, and Content-Length or -1."""
    encodings, chunked, announced = "", False, -1
    for name, value in headers:
        if len(name) in _FRAMING_LENGTHS:
            lower = name.lower()
            if lower == "content-encoding":
                encodings = f"{encodings},{value}" if encodings else value
            elif lower == "transfer-encoding":
                chunked = "chunked" in value.lower()
            elif lower == "content-length" and value.strip().isdecimal():
                announced = int(value.strip()[:18])
    return encodings, chunked, announced


_FRAMING_LENGTHS = frozenset({len("content-encoding"), len("transfer-encoding"), len("content-length")})


def _is_json(body: bytes) -> bool:
    try:
        orjson.loads(body)
    except orjson.JSONDecodeError:
        return False
    return True


def _is_text(body: bytes) -> bool:
    try:
        return not any(ord(letter) < 9 for letter in body.decode("utf-8"))
    except UnicodeDecodeError:
        return False
