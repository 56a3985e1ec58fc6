"""Headers of a person's own on every request, such as a gateway's key: named in the target file, never shown."""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType

from atlas_conformance.http.secret import Secret
from atlas_conformance.http.target import OwnHeader
from atlas_conformance.targets.table import Table

_TOKEN = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_OURS = frozenset(
    {
        "accept", "accept-encoding", "authorization", "connection", "content-length", "content-type", "expect", "host",
        "keep-alive", "te", "trailer", "transfer-encoding", "upgrade", "user-agent",
    }
)  # fmt: skip
"""Headers that the suite sets itself: what the contract says of them is verified, or HTTP rests on them."""


def own_headers(table: Table | None, environ: Mapping[str, str]) -> Mapping[str, OwnHeader]:
    """Read the `headers` table: names of headers, each with the environment variable that holds its value.

    Raises TargetError.
    """
    found: dict[str, OwnHeader] = {}
    if table is None:
        return MappingProxyType(found)
    for name in table.names():
        variable = table.take(name, str)
        assert variable is not None
        if not _TOKEN.fullmatch(name):
            table.fail(name, "is no name of a header")
        if name.lower() in _OURS:
            table.fail(name, "is a header that the suite sets itself")
        if name.lower() in {other.lower() for other in found}:
            table.fail(name, "is given twice; names of headers ignore case")
        if not _VARIABLE.fullmatch(variable):
            # What stands there may be the value itself, so it is not repeated.
            table.fail(name, "must be the name of an environment variable, not a value")
        value = environ.get(variable, "").strip()
        if not value:
            table.fail(name, f"names the environment variable {variable}, which is not set")
        if any(not 32 <= ord(c) < 127 for c in value):
            table.fail(name, f"names {variable}, whose value holds a control character or a letter beyond ASCII")
        found[name] = OwnHeader(Secret(value), variable)
    return MappingProxyType(found)
