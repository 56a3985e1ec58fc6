"""A folder for journals that nobody keeps."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from atlas_conformance.reports.interrupts import delayed, undisturbed


@contextmanager
def scratch_folder() -> Iterator[Path]:
    """A folder for what is needed only inside, which goes away however that ends."""
    folder: Path | None = None
    try:
        with delayed():
            folder = Path(tempfile.mkdtemp(prefix="atlas-conformance-"))
        yield folder
    finally:
        if folder is not None:
            with undisturbed():
                shutil.rmtree(folder, ignore_errors=True)
