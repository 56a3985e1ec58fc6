"""Files that a person writes, such as target files and waivers: read within bounds, however hostile they are."""

from __future__ import annotations

import errno
import re
import tomllib
from pathlib import Path
from typing import Any

LARGEST = 4 * 1024 * 1024
"""Bytes of a file that a person wrote, at most."""
_PART = r"(?<![\w-])(?:[\w-]+|\"[^\"\n]*\"|'[^'\n]*')[ \t]*\.[ \t]*"
_MOST_PARTS = 100
_LONG_KEY = re.compile(rf"(?:{_PART}){{{_MOST_PARTS}}}", re.ASCII)


def small_file(path: Path, largest: int = LARGEST) -> bytes:
    """Return the content of a file of at most `largest` bytes; raise OSError, for one that is larger too.

    Of a device that never ends no more is read either.
    """
    with path.open("rb") as file:
        content = file.read(largest + 1)
    if len(content) > largest:
        raise OSError(errno.EFBIG, f"larger than {largest // 1024**2} MB, which it should not be")
    return content


def parse_toml(text: str) -> dict[str, Any]:
    """Return the document of a TOML text, as `tomllib.loads` does, and raise what that raises.

    A key of very many parts is refused: each part costs the parser as much as all those before it together.
    """
    if found := _LONG_KEY.search(text):
        line = text.count("\n", 0, found.start()) + 1
        raise tomllib.TOMLDecodeError(f"A key of more than {_MOST_PARTS} parts (at line {line})")
    return tomllib.loads(text)
