"""What commands print: to a reader who may leave at any time, and complaints in one sentence."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from atlas_conformance.reports.files import same_file
from atlas_conformance.reports.program import PROGRAM
from atlas_conformance.reports.wording import visible
from atlas_conformance.reports.writing import JOURNAL


@contextmanager
def to_reader() -> Iterator[None]:
    """Print to a reader inside; nobody has to read to the end, and an output that cannot be written is reported.

    The exit code stays the verdict's either way.
    """
    try:
        yield
        sys.stdout.flush()
    except BrokenPipeError:
        _print_to_nobody()
    except SystemExit as end:  # rich's way of saying the same
        if not isinstance(end.__context__, BrokenPipeError):
            raise
    except OSError as error:
        _print_to_nobody()
        complain(f"the report could not be printed ({(error.strerror or str(error)).lower()})")


def _print_to_nobody() -> None:
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


_LONGEST, _END = 1_500, 500
"""Characters of a longer sentence that are said, and those of its end, which most often holds the reason."""


def complain(*sentences: str) -> None:
    """Say sentences to the person at the terminal, on stderr; of what a long one quotes, the middle is left out."""
    for sentence in sentences:
        if len(sentence) > _LONGEST:
            sentence = f"{sentence[: _LONGEST - _END]} … {sentence[-_END:]}"
        click.echo(f"{PROGRAM}: {visible(sentence)}", err=True)


def refuse_to_overwrite(read: Iterable[Path], written: Iterable[Path]) -> None:
    """Raise click.UsageError where a file that a command reads, or the journal in a folder, is one that it writes."""
    sources = [path / JOURNAL if path.is_dir() else path for path in read]
    for target in written:
        for source in sources:
            if same_file(source, target):
                raise click.UsageError(
                    f"{target} is what is read, and would be written over: name another file or folder"
                )
