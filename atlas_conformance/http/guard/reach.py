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
from difflib import SequenceMatcher
from typing import Any, Literal, TypeAlias
from urllib.parse import unquote, unquote_plus

import regex

from atlas_conformance.contracts.contract import Contract
from atlas_conformance.contracts.exchange import Request, decoded_segments
from atlas_conformance.contracts.inventory import Inventory
from atlas_conformance.contracts.operation import Operation

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
_MOMENTS = frozenset({"oplogTs", "oplogInc", "pointInTimeUTCSeconds"})
_DEDICATED = _MOMENTS | {"snapshotId", "deliveryType", "targetClusterName", "targetGroupId"}
_SHARED = frozenset({"snapshotId", "targetDeploymentItemName", "targetProjectId"})
_ALIKE = 0.7
"""From this likeness on (0 to 1), an endpoint that repairs a name may take one for the other."""
_LEAST_ALIKE = 3
"""Letters from which on a part of a name may stand for all of it."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a path leads: the operations there, its project, cluster and job or snapshot (decoded as sent)."""

    operations: tuple[Operation, ...]
    project: str
    cluster: str
    item: str | None

    @property
    def is_of_snapshots(self) -> bool:
        """Whether its operations are about snapshots."""
        return any(operation.resource.what == "snapshot" for operation in self.operations)

    @property
    def delivers(self) -> bool:
        """Whether a POST there offers a snapshot for download, and restores nothing."""
        return any(operation.delivery == "DOWNLOAD" for operation in self.operations)

    @property
    def makes(self) -> str:
        """What a POST there makes: a job or a snapshot."""
        return "snapshot" if self.is_of_snapshots else "job"

    @property
    def is_dedicated(self) -> bool:
        """Whether its operations are those of dedicated clusters."""
        return any(operation.cluster_kind == "dedicated" for operation in self.operations)


@dataclass(frozen=True, slots=True)
class Names:
    """The names a body could be read to hold, by role; `other` are strings under keys of no known role.

    `plain_snapshots`, `plain_targets` and `plain_projects` are those that no reader misses: strings under documented
    keys, each there once, of the object itself, not of one within it. An array of objects has those of all of them,
    and none where one of them lacks it. `delivery` is the deliveryType that no reader misses either.
    `by_moment` tells whether it names a moment to restore to, for which no snapshot is needed, `says_where` and
    `says_how` whether a key of it, at any depth, is that of a target or of a delivery, whatever the value; `is_object`
    whether it is an object, or an array of them.
    """

    snapshots: tuple[str, ...] = ()
    projects: tuple[str, ...] = ()
    targets: tuple[str, ...] = ()
    other: tuple[str, ...] = ()
    delivery: str | None = None
    plain_snapshots: tuple[str, ...] = ()
    plain_targets: tuple[str, ...] = ()
    plain_projects: tuple[str, ...] = ()
    by_moment: bool = False
    says_where: bool = False
    says_how: bool = False
    is_object: bool = True


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


_FOLDED_MOMENTS = frozenset(map(fold, _MOMENTS))


class Atlas:
    """What is known to exist and to be absent, folded for comparison."""

    def __init__(self, inventory: Inventory) -> None:
        absent = inventory.absent
        self.absent_ids = {absent.project, absent.snapshot, absent.job} if absent else set()
        self._absent_snapshots = {absent.snapshot} if absent else set()
        self.absent_names = {fold(absent.cluster), fold(absent.target)} if absent else set()
        places = [(c.project, c.name) for c in inventory.clusters] + [(t.project, t.name) for t in inventory.targets]
        self.snapshots = {snapshot for cluster in inventory.clusters for snapshot in cluster.snapshots}
        self._projects = {project for project, _ in places}
        self.known_ids = self._projects | self.snapshots
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

    def holds_absent(self, text: str, place: Place) -> bool:
        """Tell whether free text that some reader takes for a body names what must be there and is not: a target, or a
        snapshot where no moment makes up for it.
        """
        folded = fold(text)
        other = "targetdeploymentitemname" if place.is_dedicated else "targetclustername"
        if other not in folded and any(name in folded for name in self.absent_names):
            return True
        by_moment = any(word in folded for word in ("pointintime", "oplog"))
        return not by_moment and any(snapshot in folded for snapshot in self._absent_snapshots)

    def projects_like(self, text: str) -> set[str]:
        """Return the known projects that an endpoint which repairs ids could take a value for."""
        return {known for known in self._projects if _is_like(fold(text), known)}

    def names_like(self, text: str) -> set[str]:
        """Return the known names, folded, that an endpoint which repairs names could take a value for."""
        return {known for known in self.known_names if _is_like(fold(text), known)}

    def mentions(self, text: str) -> str | None:
        """Return something in free text that exists or may exist, or None."""
        folded = fold(_unescaped(text.replace("\0", "")))
        for run in _HEX_RUN.findall(folded):
            if run not in self.absent_ids and (len(run) == 24 or any(known in run for known in self.known_ids)):
                return "an id that is not known to be absent"
        found = self._known_word.search(folded) if self._known_word else None
        return f"the name {found[0]!r}" if found else None


def _is_like(text: str, known: str) -> bool:
    """Tell whether a value without its signs is a known name, a part of one, or a few letters off one."""
    bare, wanted = (re.sub(r"[\W_]", "", one) for one in (text, known))
    if bare == wanted:
        return True
    short, long = sorted((bare, wanted), key=len)
    if len(short) < _LEAST_ALIKE:
        return False
    return short in long or SequenceMatcher(None, bare[:200], wanted, autojunk=False).ratio() >= _ALIKE


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
    found = Contract.load().operations_at(request.path)
    if not found:
        return None
    values = tuple(found[0][1].values())
    operations = tuple(operation for operation, _ in found)
    if segments[-1] == "" and not all(operation.template.endswith("/") for operation in operations):
        return None
    return Place(operations, values[0], values[1], values[2] if len(values) > 2 else None)


def names_of(body: bytes | None, place: Place) -> Names | None:
    """Return the names that a JSON body could be read to hold, duplicate and nested keys too; None if it is no JSON.

    Only what the operation at `place` documents is plain: an endpoint skips the other kind's keys.
    """
    if not body:
        return Names()
    documented = _DEDICATED if place.is_dedicated else _SHARED
    try:
        text = body.decode("utf-8-sig")
        document = json.loads(text, object_pairs_hook=_Pairs, parse_int=_Number, parse_float=_Number)
        pairs = list(_pairs("", document))
    except (ValueError, RecursionError):
        return None
    roles: dict[str, list[str]] = {"snapshot": [], "project": [], "target": [], "": []}
    delivery_values: list[str] = []
    for key, value in pairs:
        role = _role(key)
        if key == "deliveryType":
            delivery_values.append(value)
        else:
            roles[role].append(value)
        if key not in documented:
            roles[""] += [key] if role == "" else [key, value]
    members = document if type(document) is list else [document]
    plain = [_plain(member, documented) for member in members]
    keys = list(keys_of(document))
    deliveries = {_plain_delivery(member) for member in members}
    return Names(
        tuple(roles["snapshot"]),
        tuple(roles["project"]),
        tuple(roles["target"]),
        tuple(roles[""]),
        deliveries.pop() if len(deliveries) == 1 else None,
        _in_each([of_one["snapshot"] for of_one in plain]),
        _in_each([of_one["target"] for of_one in plain]),
        _in_each([of_one["project"] for of_one in plain]),
        any(fold(key) in _FOLDED_MOMENTS for key in keys) or "pointintime" in map(fold, delivery_values),
        any(_role(key) == "target" for key in keys),
        any(_is_of_delivery(key) for key in keys),
        all(isinstance(member, _Pairs) for member in members),
    )


def _plain(member: Any, documented: frozenset[str]) -> dict[str, list[str]]:
    """Return the strings, by role, that no reader of an object misses; none where it is no object."""
    found: dict[str, list[str]] = {"snapshot": [], "target": [], "project": [], "": []}
    if isinstance(member, _Pairs):
        keys = [key for key, _ in member]
        for key, value in member:
            if key in documented and type(value) is str and keys.count(key) == 1:
                found[_role(key)].append(value)
    return found


def _in_each(found: list[list[str]]) -> tuple[str, ...]:
    """Return all that was found in the objects of a body, or nothing where one of them lacks it."""
    return tuple(value for values in found for value in values) if all(found) else ()


def _is_of_delivery(key: str) -> bool:
    return "delivery" in fold(key)


def _plain_delivery(member: Any) -> str | None:
    """Return how an object wants its snapshot delivered, where no reader can take it for anything else."""
    if not isinstance(member, _Pairs) or sum(map(_is_of_delivery, keys_of(member))) != 1:
        return None
    return next((value for key, value in member if key == "deliveryType" and type(value) is str), None)


def keys_of(document: Any) -> Iterator[str]:
    """Yield every key of a document, at any depth."""
    if isinstance(document, _Pairs):
        for key, member in document:
            yield key
            yield from keys_of(member)
    elif isinstance(document, list):
        for member in document:
            yield from keys_of(member)


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
