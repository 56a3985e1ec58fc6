"""How bodies and texts are stored in the lines of a journal, whatever bytes and characters they hold."""

from __future__ import annotations

import base64
import binascii
import zlib
from collections.abc import Mapping, Sequence
from typing import Any

from atlas_conformance.reports.record_forms import RecordError

PLAIN_BODY_LIMIT = 8 * 1024
"""Bodies of more bytes than this are stored deflated."""

INFLATED_LIMIT = 64 * 1024 * 1024
"""No stored body inflates to more bytes than this; a journal that claims so is refused."""


def encodable_text(text: str) -> str:
    """Return `text` with every lone surrogate replaced by its escape."""
    return text if text.isascii() else text.encode("utf-8", "backslashreplace").decode("utf-8")


def encodable(value: Any) -> Any:
    """Return a JSON value with all that UTF-8 or a JSON number of 64 bits cannot hold written as text."""
    if isinstance(value, str):
        return encodable_text(value)
    if isinstance(value, Mapping):
        return {encodable(key): encodable(item) for key, item in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, bytes):
        return [encodable(item) for item in value]
    if isinstance(value, int) and not isinstance(value, bool) and value.bit_length() > 63:
        return str(value)
    return value


def encoded_body(body: bytes | None) -> dict[str, str | None]:
    """Return the members that store `body`: `body` (text or null), `body_base64` or `body_deflate` (zlib in base64)."""
    if body is None:
        return {"body": None}
    if len(body) > PLAIN_BODY_LIMIT:
        return {"body_deflate": base64.b64encode(zlib.compress(body, 1)).decode("ascii")}
    try:
        return {"body": body.decode("utf-8")}
    except UnicodeDecodeError:
        return {"body_base64": base64.b64encode(body).decode("ascii")}


def decoded_body(stored: Mapping[str, Any]) -> bytes | None:
    """Return the body that the members of `stored` hold; raise RecordError where they cannot be decoded."""
    try:
        if "body_deflate" in stored:
            inflater = zlib.decompressobj()
            body = inflater.decompress(base64.b64decode(stored["body_deflate"], validate=True), INFLATED_LIMIT)
            if inflater.unconsumed_tail or not inflater.eof:
                raise RecordError("a stored body is cut off or inflates beyond the limit")
            return body
        if "body_base64" in stored:
            return base64.b64decode(stored["body_base64"], validate=True)
    except (binascii.Error, zlib.error):
        raise RecordError("a stored body cannot be decoded") from None
    text: str | None = stored["body"]
    return None if text is None else text.encode("utf-8")
