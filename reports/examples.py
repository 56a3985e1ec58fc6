"""The example of each requirement: an exchange that conforms and one that fails, as reports carry them with them.

They are made by `atlas-conformance explain --write docs/requirements`; here they are read.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import MappingProxyType

_EXAMPLES = Path(__file__).with_name("examples.json")


@dataclass(frozen=True, slots=True)
class ShownExample:
    """An example in words. `conforming` and `failing` are exchanges as text, in their order: the last one is the
    example, those before it matter to it. `fault` says what the endpoint of the failing one does wrong, `found` what is
    found in it.
    """

    conforming: tuple[str, ...]
    failing: tuple[str, ...]
    fault: str
    found: str


@cache
def examples() -> Mapping[str, ShownExample]:
    """Return the examples by requirement; a requirement may have none."""
    read = json.loads(_EXAMPLES.read_text("utf-8"))
    return MappingProxyType(
        {
            key: ShownExample(tuple(one["conforming"]), tuple(one["failing"]), one["fault"], one["found"])
            for key, one in read.items()
        }
    )
