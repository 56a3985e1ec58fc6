"""Putting bytes where a person said: a file whole or not at all; a pipe, a device or what a link names as they are."""

from __future__ import annotations

import os
import shutil
import stat
import sys
import tempfile
from pathlib import Path
from typing import BinaryIO

from atlas_conformance.reports.interrupts import undisturbed


def put(path: Path, content: bytes) -> None:
    """Replace the file `path` by `content` in one step; raise OSError where that cannot be done.

    What is no regular file, such as a FIFO or /dev/stdout, is written into and stays what it is. A symbolic link stays
    too, and the file that it names is replaced.
    """
    stream = _open_here(path)
    if stream is not None:
        stream.write(content)
        stream.flush()
        return
    if is_special(path):
        with path.open("wb", buffering=0) as file:
            _write_all(file.fileno(), content)
        return
    _replace(Path(os.path.realpath(path)) if path.is_symlink() else path, content)


def copy_into(source: Path, path: Path) -> None:
    """Copy a file to `path` as `put` does; one that is there already, by whatever name, is left alone."""
    if path.exists() and path.samefile(source):
        return
    if is_special(path):
        with source.open("rb") as read, path.open("wb") as write:
            shutil.copyfileobj(read, write)
        return
    _replace(Path(os.path.realpath(path)) if path.is_symlink() else path, source)


def same_file(one: Path, other: Path) -> bool:
    """Whether two paths name one file, or would if it were there."""
    try:
        return one.samefile(other)
    except OSError:
        return os.path.realpath(one) == os.path.realpath(other)


def _open_here(path: Path) -> BinaryIO | None:
    """Return this process's own output where `path` names it: to open it again would write over what is there."""
    if not str(path.absolute()).startswith(("/dev/", "/proc/")):
        return None
    for stream in (sys.stdout, sys.stderr):
        try:
            if os.path.samestat(os.fstat(stream.fileno()), path.stat()):
                stream.flush()
                return stream.buffer
        except (OSError, ValueError, AttributeError):
            continue
    return None


def is_special(path: Path) -> bool:
    """Whether `path` names something that is neither a regular file nor a folder, such as a pipe or a device."""
    try:
        mode = path.stat().st_mode
    except OSError:
        return False
    return not stat.S_ISREG(mode) and not stat.S_ISDIR(mode)


def _write_all(handle: int, content: bytes) -> None:
    left = memoryview(content)
    while left:
        left = left[os.write(handle, left) :]


def _replace(path: Path, content: bytes | Path) -> None:
    """Replace the file `path` by content, or by a copy of a file, in one step."""
    with undisturbed():
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        try:
            with os.fdopen(handle, "wb") as file:
                if isinstance(content, Path):
                    with content.open("rb") as read:
                        shutil.copyfileobj(read, file)
                else:
                    file.write(content)
            umask = os.umask(0)
            os.umask(umask)
            os.chmod(temporary, 0o666 & ~umask)
            os.replace(temporary, path)
        except BaseException:
            Path(temporary).unlink(missing_ok=True)
            raise
