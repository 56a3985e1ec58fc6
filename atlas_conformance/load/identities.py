"""Which job ids a run has seen created, in a table of fixed size: exact, and flat from the start."""

from __future__ import annotations

import hashlib

WIDTH = 12
WAYS = 8

_HEX24 = 2 * WIDTH


class Identities:
    """Remembers ids of 24 hexadecimal digits as they are, and others by a digest of as many bits.

    The table has room for `size` ids (a multiple of WAYS); where a row of it is full, the row's oldest gives way.
    """

    def __init__(self, size: int = 1 << 17) -> None:
        self._rows = size // WAYS
        self._table = bytearray(b"\0" * (size * WIDTH))  # written to, so that all its memory is there from the start
        self._next = bytearray(self._rows)

    def add(self, identity: str) -> None:
        """Remember an id."""
        key, row = self._place(identity)
        if not self._is_at(key, row):
            way = self._next[row]
            start = (row * WAYS + way) * WIDTH
            self._table[start : start + WIDTH] = key
            self._next[row] = (way + 1) % WAYS

    def __contains__(self, identity: str) -> bool:
        """Whether the id was added, and has not given way since."""
        key, row = self._place(identity)
        return self._is_at(key, row)

    def _is_at(self, key: bytes, row: int) -> bool:
        start = row * WAYS * WIDTH
        return any(self._table[at : at + WIDTH] == key for at in range(start, start + WAYS * WIDTH, WIDTH))

    def _place(self, identity: str) -> tuple[bytes, int]:
        key = _key(identity)
        return key, int.from_bytes(hashlib.blake2b(key, digest_size=8).digest(), "big") % self._rows


def _key(identity: str) -> bytes:
    """Return the bytes that stand for an id; never all zero, which is an empty place."""
    if len(identity) == _HEX24 and identity.isascii() and identity == identity.lower():
        try:
            key = bytes.fromhex(identity)
            if any(key) and len(key) == WIDTH:
                return key
        except ValueError:
            pass  # not hexadecimal
    return hashlib.blake2b(identity.encode("utf-8", "surrogatepass"), digest_size=WIDTH).digest()
