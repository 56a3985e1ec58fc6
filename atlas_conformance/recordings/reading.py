"""Recordings, whatever their form: HAR or journal, plain or packed."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import cast

from atlas_conformance.contracts.knowledge import Knowledge
from atlas_conformance.recordings.bodies import Attached
from atlas_conformance.recordings.entries import Cut, NoRecording, Recorded, Unjudged
from atlas_conformance.recordings.har import har_entries, learn_from_har
from atlas_conformance.recordings.journals import JournalEntries
from atlas_conformance.recordings.layers import DAMAGED, plain
from atlas_conformance.recordings.masking import Masking
from atlas_conformance.recordings.recognising import looks_like
from atlas_conformance.recordings.sources import Source, gathered
from atlas_conformance.recordings.streaming import ByteSource

Entry = Recorded | Unjudged | Cut

_JOURNAL = re.compile(rb'(?:\xef\xbb\xbf)?\s*\{\s*"kind"\s*:\s*"header"')
_LOOKED_AT = 8_192


class Recording:
    """One open recording: an iterator over its entries.

    `knowledge` is that of the run that wrote it, where it is a journal, else None.
    """

    def __init__(self, name: str, file: ByteSource, masking: Masking, attached: Attached | None = None) -> None:
        """Look at the beginning of `file`; entries come masked by `masking`. Raises NoRecording otherwise."""
        self.name = name
        self._masking = masking
        self._attached = attached
        self._journal: JournalEntries | None = None
        self.knowledge: Knowledge | None = None
        self._entries: Iterator[Entry]
        with self._explained():
            self._file = plain(file, name)
            begins = self._file.peek(_LOOKED_AT)
        if not begins:
            raise NoRecording(f"{name} is empty")
        if _JOURNAL.match(begins):
            with self._explained():
                self._journal = journal = JournalEntries(self._file, name, masking)
            self.knowledge = journal.knowledge
            self._entries = iter(journal)
            return
        self._entries = self._har_entries(begins)

    def learn(self) -> bool:
        """Let the masking learn the credentials of the whole recording, instead of going through its entries; return
        whether these belong to several pages. Raises NoRecording if a journal is invalid.
        """
        with suppress(OSError, *DAMAGED):  # told when the entries are read
            if self._journal is not None:
                self._journal.learn()
            else:
                return learn_from_har(self._file, self._masking, self._attached)
        return False

    def __iter__(self) -> Iterator[Entry]:
        """Yield every entry. Raises NoRecording where the file turns out to be no recording, or unreadable."""
        try:
            with self._explained():
                yield from self._entries
        except DAMAGED:
            yield Cut("breaks off in the middle of damaged data, or goes on after the end of what is compressed")

    def _har_entries(self, begins: bytes) -> Iterator[Entry]:
        try:
            yield from har_entries(self._file, self.name, self._masking, self._attached)
        except NoRecording:
            if words := looks_like(begins):
                raise NoRecording(f"{self.name} looks like {words}") from None
            raise

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except DAMAGED:
            raise
        except OSError as problem:
            raise NoRecording(f"{self.name} cannot be read: {(problem.strerror or str(problem)).lower()}") from None


@contextmanager
def opened(source: Source | Path, masking: Masking | None = None) -> Iterator[Recording]:
    """Open a recording, to be read once; its entries come masked by `masking`.

    Raises NoRecording if it cannot be read, or is no recording.
    """
    if isinstance(source, Path):
        with gathered([source]) as sources, opened(sources[0], masking) as recording:
            yield recording
        return
    try:
        raw = source.open()
    except OSError as problem:
        raise NoRecording(f"{source.name} cannot be read: {(problem.strerror or str(problem)).lower()}") from None
    with raw:
        yield Recording(source.name, cast("ByteSource", raw), masking or Masking(), source.attached)
