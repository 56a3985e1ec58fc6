"""What a file is by its first bytes, and its text with every compression and every other encoding than UTF-8 undone."""

from __future__ import annotations

import codecs
import gzip
import zipfile
import zlib
from io import BufferedIOBase
from typing import Any, cast

import zstandard

from atlas_conformance.recordings.entries import NoRecording
from atlas_conformance.recordings.streaming import ByteSource

DAMAGED = (gzip.BadGzipFile, zipfile.BadZipFile, zlib.error, zstandard.ZstdError)
"""What reading raises where compressed data are damaged."""

_MOST_LAYERS = 4
_LOOKED_AT = 4_096
_PIECE = 1 << 16


class Peeked:
    """A source of bytes whose beginning can be looked at before it is read."""

    def __init__(self, source: ByteSource) -> None:
        """Take over `source`."""
        self._source = source
        self._held = b""
        self._ended = False
        self._damage: Exception | None = None

    def peek(self, wanted: int) -> bytes:
        """Return the next `wanted` bytes, fewer at the end, without passing them."""
        while len(self._held) < wanted and not self._ended:
            try:
                more = self._source.read1(_PIECE)
            except EOFError:
                more = b""
            except DAMAGED as problem:
                if not self._held:
                    raise
                self._damage, more = problem, b""  # told once what stands before it was read
            self._held += more
            self._ended = not more
        return self._held[:wanted]

    def read1(self, size: int, /) -> bytes:
        """Return the next bytes, at most `size`."""
        if self._held:
            data, self._held = self._held[:size], self._held[size:]
            return data
        if self._damage is not None:
            raise self._damage
        return b"" if self._ended else self._source.read1(size)


class _Recoded:
    """A text in another encoding, in UTF-8."""

    def __init__(self, source: ByteSource, encoding: str) -> None:
        self._source = source
        self._decoder = codecs.getincrementaldecoder(encoding)(errors="replace")
        self._ended = False

    def read1(self, _: int, /) -> bytes:
        while not self._ended:
            data = self._source.read1(_PIECE)
            self._ended = not data
            found = self._decoder.decode(data, final=self._ended).encode("utf-8", "replace")
            if found:
                return found
        return b""


class _Inflated:
    """Data in the form of zlib, unpacked; raises zlib.error where anything but blanks comes after their end."""

    def __init__(self, source: ByteSource) -> None:
        self._source = source
        self._inflater = zlib.decompressobj()

    def read1(self, size: int, /) -> bytes:
        while True:
            if self._inflater.eof:
                if (self._inflater.unused_data + self._source.read1(_PIECE)).strip(b"\0\n\r "):
                    raise zlib.error("more after the end")
                return b""
            data = self._inflater.unconsumed_tail or self._source.read1(_PIECE)
            found = self._inflater.decompress(data, size) if data else b""
            if found or not data:
                return found


def plain(source: ByteSource, name: str) -> Peeked:
    """Return the text of a file in UTF-8, whatever it was packed in. Raises NoRecording where that cannot be."""
    for _ in range(_MOST_LAYERS):
        peeked = Peeked(source)
        begins = peeked.peek(_LOOKED_AT)
        if begins.startswith(b"\x1f\x8b"):
            source = cast("ByteSource", gzip.GzipFile(fileobj=cast("Any", _File(peeked))))
            unpacked = "gzip"
        elif begins.startswith(b"\x28\xb5\x2f\xfd"):
            reader = zstandard.ZstdDecompressor().stream_reader(cast("Any", _File(peeked)), read_across_frames=True)
            source = cast("ByteSource", reader)
            unpacked = "zstd"
        elif begins[:1] == b"\x78" and len(begins) > 1 and not (begins[0] * 256 + begins[1]) % 31:
            source = _Inflated(peeked)
            unpacked = "zlib"
        elif encoding := _wide(begins):
            return Peeked(_Recoded(peeked, encoding))
        else:
            return peeked
        try:
            peeked = Peeked(source)
            peeked.peek(1)
        except (*DAMAGED, EOFError):
            raise NoRecording(f"{name} is no readable {unpacked} file") from None
        source = peeked
    raise NoRecording(f"{name} is compressed more than {_MOST_LAYERS - 1} times over")


def _wide(begins: bytes) -> str | None:
    """Return the encoding of a text in UTF-16 or UTF-32, by its mark or by the zero bytes of its first letters."""
    if begins.startswith((b"\xff\xfe\0\0", b"\0\0\xfe\xff")):
        return "utf-32"
    if begins.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "utf-16"
    if len(begins) >= 4:
        if begins[1] == begins[3] == 0 and begins[0] and begins[2]:
            return "utf-16-le"
        if begins[0] == begins[2] == 0 and begins[1] and begins[3]:
            return "utf-16-be"
    return None


class _File(BufferedIOBase):
    """A source of bytes in the form that decompressors read from."""

    def __init__(self, source: Peeked) -> None:
        self._source = source

    def readable(self) -> bool:
        return True

    def read(self, size: int | None = -1, /) -> bytes:
        wanted = _PIECE if size is None or size < 0 else size
        return self._source.peek(wanted) and self._source.read1(wanted)

    def read1(self, size: int = -1, /) -> bytes:
        return self.read(size)
