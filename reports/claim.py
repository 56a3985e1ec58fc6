"""One run writes into a folder of reports at a time."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

from atlas_conformance.reports.writing import ReportError

try:
    import fcntl
except ImportError:  # a system without such locks: there two runs are not kept apart
    fcntl = None  # type: ignore[assignment]


class FolderInUse(ReportError):
    """Another run writes into the folder; the message is one sentence. The exit code is 2."""

    exit_code = 2


class Claim:
    """A folder that this process alone writes reports into, until `release` or its end."""

    def __init__(self, folder: Path) -> None:
        """Make the folder where it is not there, and claim it.

        Raises FolderInUse where another run has, ReportError where the folder cannot be made.
        """
        self._made: list[Path] = []
        self._handle: int | None = None
        try:
            for part in (*reversed(folder.parents), folder):
                if not part.exists():
                    part.mkdir(exist_ok=True)
                    self._made.insert(0, part)
            if fcntl is None:
                return
            self._handle = os.open(folder, os.O_RDONLY)
            # The lock is on the folder itself, so it leaves no file, and goes with the process however that ends.
            fcntl.flock(self._handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self.release()
            raise FolderInUse(
                f"another run writes its reports to {folder} at this moment; name another folder, or wait for its end"
            ) from None
        except OSError as error:
            if self._handle is None:
                self.release()
                raise ReportError(f"{folder} cannot be written to ({(error.strerror or str(error)).lower()})") from None
            os.close(self._handle)  # a file system that has no locks
            self._handle = None

    def release(self) -> None:
        """Let others have the folder; take it away if it was made for this and nothing was put into it."""
        handle, self._handle = self._handle, None
        if handle is not None:
            os.close(handle)
        made, self._made = self._made, []
        with contextlib.suppress(OSError):
            for part in made:
                part.rmdir()


@contextlib.contextmanager
def claimed(folder: Path | None) -> Iterator[None]:
    """Claim a folder inside; None claims nothing. Raises what `Claim` does."""
    claim = None if folder is None else Claim(folder)
    try:
        yield
    finally:
        if claim is not None:
            claim.release()
