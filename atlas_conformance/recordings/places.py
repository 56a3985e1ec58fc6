"""Which recorded URLs belong to the contract, whatever the host and whatever stands before `/api/atlas/`."""

from __future__ import annotations

import re
from functools import lru_cache

from atlas_conformance.contracts.contract import Contract

_ROOT = "/api/atlas/"
_AUTHORITY = re.compile(r"[A-Za-z][A-Za-z0-9+.\-]*://[^/?#]*")
_ILLEGAL = re.compile(r"[^\x21-\x7e]")


@lru_cache(maxsize=16_384)
def target_of(url: str, contract: Contract | None = None) -> str | None:
    """Return the request target from `/api/atlas/` on, percent-encoded, or None where no operation has the path.

    The operations are those of `contract`, or of the package's own contract. Where a base path holds `/api/atlas/`
    itself, the first place from which the rest is a path of the contract counts.
    """
    place = _AUTHORITY.match(url)
    whole = (url[place.end() :] if place else url).partition("#")[0]
    path, question, query = whole.partition("?")
    contract = contract or Contract.load()
    start = path.find(_ROOT)
    while start >= 0:
        rest = _encoded(path[start:])
        if contract.operations_at(rest):
            return rest + question + _encoded(query)
        start = path.find(_ROOT, start + 1)
    return None


def _encoded(text: str) -> str:
    """Percent-encode what some recorders leave as they show it: blanks and letters beyond ASCII."""

    def encode(match: re.Match[str]) -> str:
        return "".join(f"%{byte:02X}" for byte in match[0].encode("utf-8", "surrogatepass"))

    return text if text.isascii() and text.isprintable() and " " not in text else _ILLEGAL.sub(encode, text)
