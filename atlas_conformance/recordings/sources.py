"""Where recordings come from: files, folders, ZIP archives, and pipes, each opened as often as it has to be read."""

from __future__ import annotations

import os
import re
import stat
import sys
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from io import BufferedReader, FileIO
from pathlib import Path, PurePosixPath
from typing import IO, BinaryIO, cast

from atlas_conformance.recordings.bodies import LARGEST_BODY, Attached
from atlas_conformance.recordings.entries import NoRecording

STANDARD_INPUT = "-"
LONGEST_PIPE = 4 * 1024**3
"""How much is taken from a pipe: it is read twice, and kept on disk meanwhile."""

_BUFFER = 1 << 18
_RECORDING = re.compile(r"(?i)\.(har|jsonl|ndjson)(\.(gz|zst|zstd|zz|zlib|z|zip))?$|\.har\.json$")
_PACKED = re.compile(r"(?i)\.zip$")


@dataclass(frozen=True)
class Source:
    """One recording: what it is called, how it is opened, and the bodies that stand in files beside it."""

    name: str
    open: Callable[[], IO[bytes]]
    attached: Attached | None = None


@contextmanager
def gathered(paths: Sequence[Path]) -> Iterator[tuple[Source, ...]]:
    """Yield the recordings that `paths` name, in their order: files, folders of them, ZIP archives, `-` and pipes.

    What can be read only once is kept in temporary files until the end. Raises NoRecording.
    """
    with ExitStack() as kept:
        yield tuple(source for path in paths for source in _sources(path, kept))


def _sources(path: Path, kept: ExitStack) -> Iterator[Source]:
    if str(path) == STANDARD_INPUT:
        yield from _files(_spooled("standard input", sys.stdin.buffer, kept), "standard input", None, kept)
        return
    try:
        mode = path.stat().st_mode
        if stat.S_ISDIR(mode):
            yield from _folder(path, kept)
        elif stat.S_ISREG(mode):
            yield from _files(lambda: _opened(path), str(path), _beside(path), kept)
        else:
            with path.open("rb", buffering=0) as pipe:
                spooled = _spooled(str(path), cast("BinaryIO", pipe), kept)
            yield from _files(spooled, str(path), None, kept)
    except OSError as problem:
        raise NoRecording(f"{path} cannot be read: {(problem.strerror or str(problem)).lower()}") from None


def _opened(path: Path) -> IO[bytes]:
    return cast("IO[bytes]", BufferedReader(FileIO(path, "rb"), _BUFFER))


def _spooled(name: str, pipe: BinaryIO, kept: ExitStack) -> Callable[[], IO[bytes]]:
    """Copy what comes out of a pipe into a file without a name; return what opens it."""
    file = tempfile.TemporaryFile(prefix="atlas-conformance-")  # noqa: SIM115
    kept.enter_context(file)
    length = 0
    while data := pipe.read(_BUFFER):
        length += len(data)
        if length > LONGEST_PIPE:
            raise NoRecording(f"{name} goes on for more than {LONGEST_PIPE // 1024**3} GB: name a file instead")
        file.write(data)
    file.flush()

    def opened() -> IO[bytes]:
        descriptor = os.dup(file.fileno())
        os.lseek(descriptor, 0, os.SEEK_SET)
        return cast("IO[bytes]", BufferedReader(FileIO(descriptor, "rb"), _BUFFER))

    return opened


def _folder(folder: Path, kept: ExitStack) -> Iterator[Source]:
    found = sorted(path for path in folder.rglob("*") if _RECORDING.search(path.name) and path.is_file())
    if not found:
        raise NoRecording(f"{folder} is a folder in which no file ends in .har or .jsonl, packed or not")
    for path in found:
        yield from _sources(path, kept)


def _beside(path: Path) -> Attached:
    """Return what reads a body that stands in a file in the folder of a HAR file, or below it, and nowhere else."""
    folder = path.parent.resolve()

    def attached(name: str) -> bytes | None:
        try:
            place = (folder / name).resolve()
            if not place.is_relative_to(folder) or not place.is_file():
                return None
            with place.open("rb") as file:
                return _at_most(file)
        except (OSError, ValueError):
            return None

    return attached


def _at_most(file: IO[bytes]) -> bytes | None:
    data = file.read(LARGEST_BODY + 1)
    return data if len(data) <= LARGEST_BODY else None


def _files(opened: Callable[[], IO[bytes]], name: str, attached: Attached | None, kept: ExitStack) -> Iterator[Source]:
    """Yield what is opened as a recording, or those in it where it is a ZIP archive."""
    with opened() as file:
        packed = file.read(4) in (b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08")
    if not packed:
        yield Source(name, opened, attached)
        return
    try:
        archive = kept.enter_context(zipfile.ZipFile(kept.enter_context(opened())))
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError):
        raise NoRecording(f"{name} is a ZIP archive that is damaged or cut off") from None
    members = [member for member in archive.infolist() if not member.is_dir()]
    chosen = sorted(
        (member for member in members if _RECORDING.search(member.filename) and "__MACOSX/" not in member.filename),
        key=lambda member: member.filename,
    )
    if not chosen:
        raise NoRecording(f"{name} is {_archive(members)}: a HAR file or a journal of a run is wanted, in a ZIP or not")
    if any(member.flag_bits & 1 for member in chosen):
        raise NoRecording(f"{name} is a ZIP archive with a password: unpack it first")
    for member in chosen:
        if _PACKED.search(member.filename):
            raise NoRecording(f"{name} holds the ZIP archive {member.filename}: unpack it first")
        title = name if len(chosen) == 1 else f"{name}/{member.filename}"
        yield Source(title, partial(_member, archive, member), partial(_within, archive, member.filename))


def _archive(members: Sequence[zipfile.ZipInfo]) -> str:
    names = [member.filename.lower() for member in members]
    if any(re.match(r"raw/\d+_[csm]\.", name) for name in names):
        return "a session archive of Fiddler (SAZ), whose traffic can be exported as HAR"
    if any(name.endswith((".trace", ".network")) for name in names):
        return "a Playwright trace, which can be recorded as HAR instead (recordHar)"
    return "a ZIP archive in which no file ends in .har or .jsonl"


def _member(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> IO[bytes]:
    try:
        return archive.open(member)
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError) as problem:
        raise OSError(f"{member.filename} cannot be unpacked ({problem})") from None


def _within(archive: zipfile.ZipFile, har: str, name: str) -> bytes | None:
    """Return the body that stands in a file beside a HAR file in the same archive, None where there is none."""
    try:
        with archive.open(str(PurePosixPath(har).parent / name)) as member:
            return _at_most(member)
    except (KeyError, OSError, ValueError, EOFError, RuntimeError, zipfile.BadZipFile, zlib.error):
        return None
