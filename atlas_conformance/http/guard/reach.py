"""What a write could touch if an endpoint took it, told from the request alone and from what is known to exist.

The reading is deliberately suspicious: an endpoint may trim, fold case, decode twice, or take the first of two equal
keys, so every reading of a request must be harmless, not only the right one.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias
from urllib.parse import unquote, unquote_plus

import regex

from atlas_conformance.contracts.exchange import Request, decoded_segments
from atlas_conformance.contracts.inventory import Inventory
from atlas_conformance.contracts.operations import Operation, operations_at

Standing: TypeAlias = Literal["absent", "known", "malformed", "foreign"]
"""How a value stands to what exists: known to be absent; known to exist; such that nothing can be called it; or
well-formed and unknown, so that it may exist."""

_HEX_RUN = re.compile(r"[0-9a-f]{24,}")
_OBJECT_ID = re.compile(r"[0-9a-f]{24}")
_CLUSTER_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,63}")
_ITEM_NAME = regex.compile(r"[\p{L}\p{N}\-_.(),:&@+']{1,64}")
_ESCAPE = re.compile(r"\\u([0-9a-fA-F]{4})")
_OVERRIDES = (
    "host",
    "x-forwarded-host",
    "x-http-method",
    "x-method-override",
    "x-original-",
    "x-rewrite-",
    "transfer-encoding",
    "connection",
    "upgrade",
    "content-length",
)
_DOCUMENTED = frozenset(
    {
        "snapshotId",
        "targetDeploymentItemName",
        "targetProjectId",
        "deliveryType",
        "targetClusterName",
        "targetGroupId",
        "oplogTs",
        "oplogInc",
        "pointInTimeUTCSeconds",
    }
)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a path leads: the operations there, its project, cluster and job (decoded as sent)."""

    operations: tuple[Operation, ...]
    project: str
    cluster: str
    job: str | None


@dataclass(frozen=True, slots=True)
class Names:
    """The names a body could be read to hold, by role; `other` are strings under keys of no known role.

    `plain_snapshots`, `plain_targets` and `plain_projects` are those that no reader misses: strings under documented
    keys, each there once, of the object itself, not of one within it. A body that is no object has them all.
    """

    snapshots: tuple[str, ...] = ()
    projects: tuple[str, ...] = ()
    targets: tuple[str, ...] = ()
    other: tuple[str, ...] = ()
    delivery: str | None = None
    plain_snapshots: tuple[str, ...] = ()
    plain_targets: tuple[str, ...] = ()
    plain_projects: tuple[str, ...] = ()


def fold(text: str) -> str:
    """Return the text as a lenient endpoint might read it: escapes undone, compatibility forms and case folded, ends
    trimmed.
    """
    while ("%" in text or "\\u" in text) and (undone := _unescaped(unquote(text))) != text:
        text = undone
    folded = unicodedata.normalize("NFKC", text).casefold()
    if folded.isalnum():
        return folded
    kept = [index for index, c in enumerate(folded) if unicodedata.category(c)[0] not in "CZ" and c not in "\"'`"]
    return folded[kept[0] : kept[-1] + 1] if kept else ""


def _unescaped(text: str) -> str:
    return _ESCAPE.sub(lambda match: chr(int(match[1], 16)), text)


class Atlas:
    """What is known to exist and to be absent, folded for comparison."""

    def __init__(self, inventory: Inventory) -> None:
        absent = inventory.absent
        self.absent_ids = {absent.project, absent.snapshot, absent.job} if absent else set()
        self.absent_wares = {absent.snapshot, fold(absent.cluster), fold(absent.target)} if absent else set()
        """What there must be to restore, or to restore to."""
        self.absent_names = {fold(absent.cluster), fold(absent.target)} if absent else set()
        places = [(c.project, c.name) for c in inventory.clusters] + [(t.project, t.name) for t in inventory.targets]
        self.snapshots = {snapshot for cluster in inventory.clusters for snapshot in cluster.snapshots}
        self.known_ids = {project for project, _ in places} | self.snapshots
        self.known_names = {fold(name) for _, name in places}
        words = "|".join(re.escape(name) for name in sorted(self.known_names, key=len, reverse=True))
        self._known_word = re.compile(rf"(?<![a-z0-9-])(?:{words})(?![a-z0-9-])") if words else None

    def id_standing(self, text: str) -> Standing:
        """Tell how a value in an id's place stands."""
        folded = fold(text)
        if folded in self.absent_ids:
            return "absent"
        if folded in self.known_ids:
            return "known"
        if _OBJECT_ID.fullmatch(folded) or any(known in folded for known in self.known_ids):
            return "foreign"
        return "malformed"

    def name_standing(self, text: str, *, item: bool) -> Standing:
        """Tell how a value in a name's place stands; those of a restore target (`item`) are wider."""
        folded = fold(text)
        if folded in self.absent_names:
            return "absent"
        if folded in self.known_names:
            return "known"
        if _CLUSTER_NAME.fullmatch(folded) or (item and _ITEM_NAME.fullmatch(folded)):
            return "foreign"
        return "foreign" if self._known_word and self._known_word.search(folded) else "malformed"

    def mentions(self, text: str) -> str | None:
        """Return something in free text that exists or may exist, or None."""
        folded = fold(_unescaped(text.replace("\0", "")))
        for run in _HEX_RUN.findall(folded):
            if run not in self.absent_ids and (len(run) == 24 or any(known in run for known in self.known_ids)):
                return "an id that is not known to be absent"
        found = self._known_word.search(folded) if self._known_word else None
        return f"the name {found[0]!r}" if found else None


def overrides_method(request: Request) -> bool:
    """Tell whether a header asks for another host, method, path or framing than the request line and its body have."""
    return any(name.strip().lower().replace("_", "-").startswith(_OVERRIDES) for name, _ in request.headers or ())


def place_of(request: Request) -> Place | None:
    """Return where the path leads, or None unless it is plainly one of the contract's.

    A path that a server or proxy on the way may read differently (dot segments, encoded slashes or percent signs, path
    parameters, doubled slashes) leads nowhere that can be trusted.
    """
    segments = decoded_segments(request.path)
    inner = segments[1:-1] if segments[-1] == "" else segments[1:]
    if any(not segment.strip(".") or any(c in segment for c in "/\\%;?#") for segment in inner):
        return None
    found = operations_at(request.path)
    if not found:
        return None
    values = tuple(found[0][1].values())
    operations = tuple(operation for operation, _ in found)
    if segments[-1] == "" and not all(operation.template.endswith("/") for operation in operations):
        return None
    return Place(operations, values[0], values[1], values[2] if len(values) > 2 else None)


def names_of(body: bytes | None) -> Names | None:
    """Return the names that a JSON body could be read to hold, duplicate and nested keys too; None if it is no JSON."""
    if not body:
        return Names()
    try:
        document = json.loads(body.decode("utf-8"), object_pairs_hook=_Pairs, parse_int=_Number, parse_float=_Number)
        pairs = list(_pairs("", document))
    except (ValueError, RecursionError):
        return None
    roles: dict[str, list[str]] = {"snapshot": [], "project": [], "target": [], "": []}
    delivery: list[str] = []
    for key, value in pairs:
        role = _role(key)
        if key == "deliveryType":
            delivery.append(value)
        else:
            roles[role].append(value)
        if key not in _DOCUMENTED:
            roles[""] += [key] if role == "" else [key, value]
    plain = roles
    if isinstance(document, _Pairs):
        keys = [key for key, _ in document]
        own = [
            (_role(key), value)
            for key, value in document
            if key in _DOCUMENTED and type(value) is str and keys.count(key) == 1
        ]
        delivery = [value for key, value in document if key == "deliveryType" and type(value) is str]
        plain = {role: [value for found, value in own if found == role] for role in ("snapshot", "target", "project")}
    return Names(
        tuple(roles["snapshot"]),
        tuple(roles["project"]),
        tuple(roles["target"]),
        tuple(roles[""]),
        delivery[0] if len(delivery) == 1 else None,
        tuple(plain["snapshot"]),
        tuple(plain["target"]),
        tuple(plain["project"]),
    )


class _Number(str):
    """A number as it stands, which some readers take for a string and others do not."""

    __slots__ = ()


class _Pairs(list[tuple[str, Any]]):
    """An object as its pairs, so that duplicate keys survive."""


def _pairs(key: str, value: Any) -> Iterator[tuple[str, str]]:
    """Yield (key, string) for every string and number at any depth; items of an array have the key of the array."""
    if isinstance(value, _Pairs):
        for inner, member in value:
            if not isinstance(member, (str, _Pairs, list)):
                yield inner, ""
            yield from _pairs(inner, member)
    elif isinstance(value, list):
        for member in value:
            yield from _pairs(key, member)
    elif isinstance(value, str):
        yield key, value


def _role(key: str) -> str:
    folded = fold(key)
    if "snapshot" in folded:
        return "snapshot"
    if "project" in folded or "group" in folded:
        return "project"
    if any(word in folded for word in ("name", "cluster", "item", "target", "instance")):
        return "target"
    return ""


def query_text(request: Request) -> str:
    """Return the decoded query as free text."""
    return unquote_plus(request.target.partition("?")[2])
