"""Recordings on disk, whatever their form: HAR or journal, plain or gzip."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from io import BufferedIOBase, BufferedReader, FileIO
from pathlib import Path

from atlas_conformance.contracts.knowledge import Knowledge
from atlas_conformance.recordings.entries import Cut, NoRecording, Recorded, Unjudged
from atlas_conformance.recordings.har import har_entries, learn_from_har
from atlas_conformance.recordings.journals import JournalEntries
from atlas_conformance.recordings.masking import Masking
from atlas_conformance.reports.records import Header

Entry = Recorded | Unjudged | Cut

_GZIP = b"\x1f\x8b"
_BUFFER = 1 << 18
_JOURNAL_BEGINS = b'{"kind":"header"'


class Recording:
    """One open recording: an iterator over its entries.

    `header` and `knowledge` are those of the run that wrote it, where it is a journal, else None. `read` is how many
    bytes of the file have been read.
    """

    def __init__(self, path: Path, raw: BufferedReader[FileIO], masking: Masking) -> None:
        """Look at the beginning of `raw`; entries come masked by `masking`. Raises NoRecording where it is none."""
        self.path = path
        self._masking = masking
        self._journal: JournalEntries | None = None
        self.header: Header | None = None
        self.knowledge: Knowledge | None = None
        self._raw = raw
        magic = raw.read(2)
        raw.seek(0)
        self._file: BufferedIOBase = gzip.GzipFile(fileobj=raw) if magic == _GZIP else raw
        self._entries: Iterator[Entry]
        try:
            begins = self._file.read(len(_JOURNAL_BEGINS))
            self._file.seek(0)
        except (EOFError, gzip.BadGzipFile, zlib.error):
            raise NoRecording(f"{path} is no readable gzip file") from None
        if begins == _JOURNAL_BEGINS:
            self._journal = journal = JournalEntries(self._file, str(path), masking)
            self.header, self.knowledge = journal.header, journal.knowledge
            self._entries = iter(journal)
        else:
            self._entries = har_entries(self._file, str(path), masking)

    @property
    def read(self) -> int:
        """How many bytes of the file, as it is on disk, have been read so far."""
        return self._raw.tell()

    def learn(self) -> None:
        """Let the masking learn the credentials of the whole recording, instead of going through its entries."""
        with suppress(OSError, zlib.error):  # told when the entries are read
            if self._journal is not None:
                self._journal.learn()
            else:
                learn_from_har(self._file, self._masking)

    def __iter__(self) -> Iterator[Entry]:
        """Yield every entry. Raises NoRecording where the file turns out to be no recording, or unreadable."""
        try:
            yield from self._entries
        except (gzip.BadGzipFile, zlib.error):
            yield Cut("breaks off in the middle of damaged gzip data")
        except OSError as problem:
            raise NoRecording(f"{self.path} cannot be read: {(problem.strerror or str(problem)).lower()}") from None


@contextmanager
def opened(path: Path, masking: Masking | None = None) -> Iterator[Recording]:
    """Open a recording, to be read once; its entries come masked by `masking`.

    Raises NoRecording where it cannot be read, or is none.
    """
    try:
        raw = BufferedReader(FileIO(path, "rb"), _BUFFER)
    except OSError as problem:
        raise NoRecording(f"{path} cannot be read: {(problem.strerror or str(problem)).lower()}") from None
    with raw:
        yield Recording(path, raw, masking or Masking())
