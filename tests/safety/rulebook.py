"""What may leave, told from the bytes on the wire alone, in its own words: nothing here is shared with the guard.

Each reading of a request must be harmless. So everything in it is undone as often as it can be (percent signs, JSON
escapes, UTF-16, compatibility forms, case) and then searched for the names of what exists. And the endpoint may be
sloppy: it skips what it does not know, takes the place in the path for what is missing or makes no sense, and repairs
ids and names that are nearly right.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

from atlas_conformance.contracts.inventory import Absent, Inventory
from tests.safety.wiretap import Seen

READS = ("GET", "HEAD", "OPTIONS")
_FRONT = r"/api/atlas/(?:v2|v1\.0)/groups/(?P<project>[^/]*)/(?:flexClusters|clusters)/(?P<cluster>[^/]*)/backup/"
_CREATE = re.compile(_FRONT + r"(?:restoreJobs/?|tenant/restore|download)\Z")
_TAKE = re.compile(_FRONT + r"snapshots\Z")
_SNAPSHOT = re.compile(_FRONT + r"snapshots(?:/shardedCluster)?/(?P<job>[^/]+)\Z")
_JOB = re.compile(_FRONT + r"(?:restoreJobs|tenant/restores)/(?P<job>[^/]+)\Z")
_ANY = re.compile(_FRONT)
_SMUGGLING = re.compile(
    r"x-http-method.*|x-method-override|x-forwarded-host|x-original-.*|x-rewrite-.*|transfer-encoding|upgrade|connection"
)
_ID = re.compile(r"[0-9a-f]{24}")
_MOMENTS = ("pointInTimeUTCSeconds", "oplogTs", "oplogInc")


@dataclass(frozen=True)
class Facts:
    """What exists, what is absent, and what may be destroyed."""

    inventory: Inventory
    absent: Absent
    destroyable: frozenset[tuple[str, str]]
    max_jobs: int
    authority: str
    max_snapshots: int = 2


class Rulebook:
    """Reads the requests of one run in any order but that of creates and cancels of the same job."""

    def __init__(self, facts: Facts, mode: str) -> None:
        self.facts = facts
        self.mode = mode
        inventory = facts.inventory
        self._ids = {snapshot for cluster in inventory.clusters for snapshot in cluster.snapshots}
        self._projects = {cluster.project for cluster in inventory.clusters} | {t.project for t in inventory.targets}
        self._names = {_plain(c.name) for c in inventory.clusters} | {_plain(t.name) for t in inventory.targets}
        self._absent_names = {_plain(facts.absent.cluster), _plain(facts.absent.target)}

    def violations(self, seen: Iterable[Seen]) -> Iterator[str]:
        """Yield a sentence for each request that should not have left."""
        requests = list(seen)
        made = [one for one in requests if one.method == "POST" and 200 <= one.status < 300]
        taken = {item for one in made if _is_take(one) for item in _ids_of(one)}
        created = {job for one in made if not _is_take(one) for job in _ids_of(one)}
        spent = snapshots = 0
        for one in requests:
            complaint = self._violation(one, created, taken)
            if complaint is not None:
                yield f"{complaint}: {one.method} {one.target} {one.body[:400]!r}"
            elif one.method == "POST" and not self._is_token(one) and not self._harmless(one):
                # A refusal created nothing; of everything else it is not known.
                if _is_take(one):
                    snapshots += not 300 <= one.status < 500
                else:
                    spent += not 300 <= one.status < 500
        if snapshots > self.facts.max_snapshots:
            yield f"{snapshots} snapshots may have been taken, and {self.facts.max_snapshots} were allowed"
        if spent > self.facts.max_jobs:
            yield f"{spent} creates may have made a job, and {self.facts.max_jobs} were allowed"

    def _violation(self, one: Seen, created: set[str], taken: set[str]) -> str | None:
        hosts = one.header("host")
        if [host.lower() for host in hosts] != [self.facts.authority.lower()]:
            return f"the host is {hosts}"
        if any(_SMUGGLING.fullmatch(name.strip().lower().replace("_", "-")) for name, _ in one.headers):
            return "a header asks for another method, path or framing"
        if self._is_token(one):
            return None if one.body == b"grant_type=client_credentials" else "a token request with another body"
        if one.method in READS:
            return "a read with a body" if one.body else None
        if self.mode == "read":
            return "a write in the mode read"
        if self._harmless(one):
            return None
        if self.mode == "refusals":
            return "a write that could touch something"
        return self._unlisted(one, created, taken)

    @staticmethod
    def _is_token(one: Seen) -> bool:
        return one.method == "POST" and one.target == "/api/oauth/token"

    def _harmless(self, one: Seen) -> bool:
        """Whether nothing that exists is touched however the request is read."""
        path, query = _path(one), one.target.partition("?")[2]
        match = _ANY.match(path) if path is not None else None
        if path is None or match is None or self._mentions(query):
            return False
        project, cluster = _plain(match["project"]), _plain(match["cluster"])
        nowhere = project == self.facts.absent.project or cluster in self._absent_names
        if not (_ID.search(project) or re.fullmatch(r"[a-z0-9][a-z0-9-]{0,63}", cluster)):
            # Neither could be the name of anything, unless both are repaired.
            repaired = [any(_near(text, one) for one in known) for text, known in
                        ((project, self._projects), (cluster, self._names))]  # fmt: skip
            nowhere = nowhere or not all(repaired)
        if one.method != "POST" or _CREATE.fullmatch(path) is None:
            job = _JOB.fullmatch(path) or _SNAPSHOT.fullmatch(path)
            absent = {self.facts.absent.job, self.facts.absent.snapshot}
            return nowhere or (job is not None and (job["job"] in absent or not _is_id(job["job"])))
        if self._mentions_wares(one.body):
            return False
        return nowhere or self._names_the_absent(one.body, dedicated=_is_dedicated(path))

    def _mentions(self, text: str) -> bool:
        undone = _plain(text)
        return any(known in undone for known in self._ids | self._projects)

    def _mentions_wares(self, body: bytes) -> bool:
        """Whether a body names a snapshot or a target that exists; its projects are those of the path anyway."""
        for text in _readings(body):
            undone = _plain(text)
            if any(known in undone for known in self._ids):
                return True
        return any(_plain(value) in self._names for value in _strings(body))

    def _names_the_absent(self, body: bytes, *, dedicated: bool) -> bool:
        absent = {self.facts.absent.snapshot} | self._absent_names
        try:
            document = json.loads(body, object_pairs_hook=_Pairs)
        except (ValueError, RecursionError):
            document = None
        if not isinstance(document, _Pairs):
            return any(name in _plain(text) for text in _readings(body) for name in absent)
        # In an object, only where nobody can miss it.
        keys = [key for key, _ in document]
        by_moment = any(moment.casefold() in text.casefold() for moment in (*_MOMENTS, "pointInTime")
                        for text in _readings(body))  # fmt: skip
        known = ["targetClusterName" if dedicated else "targetDeploymentItemName"]
        if not by_moment:
            known.append("snapshotId")  # to restore to a moment takes none
        own = [value for key, value in document if key in known and keys.count(key) == 1]
        return any(isinstance(value, str) and _plain(value) in absent for value in own)

    def _unlisted(self, one: Seen, created: set[str], taken: set[str]) -> str | None:
        """In the mode restore: say why a request that may touch something should not have left, or None."""
        path = _path(one)
        if path is None:
            return "a write to a path that can be read in two ways"
        job = _JOB.fullmatch(path)
        if one.method == "DELETE" and job is not None:
            return None if job["job"] in created else "a cancel of a job that the run did not create"
        snapshot = _SNAPSHOT.fullmatch(path)
        if one.method == "DELETE" and snapshot is not None:
            return None if snapshot["job"] in taken else "a delete of a snapshot that the run did not take"
        take = _TAKE.fullmatch(path)
        if one.method == "POST" and take is not None and _is_dedicated(path):
            listed_here = _plain(take["project"]) in self._projects and _plain(take["cluster"]) in self._names
            return None if listed_here else "a snapshot of a cluster that nobody listed"
        match = _CREATE.fullmatch(path)
        if one.method != "POST" or match is None:
            return "a write that is no create"
        project = _plain(match["project"])
        if _is_id(project) and project not in self._projects | {self.facts.absent.project}:
            return "a create in a project that is not listed"
        try:
            document = json.loads(one.body) if one.body else {}
        except (ValueError, RecursionError):
            return "a create that may restore, and is no JSON"
        documents = document if isinstance(document, list) else [document]
        if not all(isinstance(member, dict) for member in documents):
            return "a create that may restore, and is no object"
        listed = self._ids | taken | self._projects | {self.facts.absent.snapshot, self.facts.absent.project}
        ids = [_plain(value) for value in _strings(one.body) if _is_id(_plain(value))]
        strangers = [found for found in ids if found not in listed]
        if strangers:
            return f"a create that names {strangers[0]}, which nobody listed"
        dedicated = _is_dedicated(path)
        if path.endswith("/download"):
            documents = [{"deliveryType": "download", **member} for member in documents]
        # Of two keys that speak of the delivery, in whatever case, an endpoint may heed either.
        pairs = json.loads(one.body, object_pairs_hook=_Pairs) if one.body else []
        restores = any(value != "download" for key, value in _members(pairs) if "delivery" in key.lower())
        if restores:
            documents = [{**member, "deliveryType": "some restore"} for member in documents]
        wrong = (self._wrong_target(member, match["project"], match["cluster"], dedicated) for member in documents)
        return next((complaint for complaint in wrong if complaint), None)

    def _wrong_target(self, document: dict[str, Any], project: str, cluster: str, dedicated: bool) -> str | None:
        """Say what a sloppy endpoint could restore to that is not on the list, or None."""
        says_where = any(re.search(r"(?i)name|cluster|item", key) for key in document)
        if document.get("deliveryType") == "download" and not says_where:
            return None
        name_keys = ("targetClusterName", "targetDeploymentItemName")
        project_keys = ("targetGroupId", "targetProjectId")
        own_name, own_project = name_keys[not dedicated], project_keys[not dedicated]
        names = self._meant([document[key] for key in name_keys if key in document], self._names, _could_be)
        if not isinstance(document.get(own_name), str) or not _could_be(document[own_name]):
            names |= self._meant([cluster], self._names, _could_be)
        places = self._meant([document[key] for key in project_keys if key in document], self._projects, _is_id)
        if not isinstance(document.get(own_project), str) or not _is_id(document[own_project]):
            places |= self._meant([project], self._projects, _is_id)
        pairs = {(p, _plain(n)) for p, n in self.facts.destroyable}
        for name in sorted(names - self._absent_names):
            for place in sorted(places - {self.facts.absent.project}):
                if (place, name) not in pairs:
                    return f"a restore to {name!r} of {place}, which is not to be destroyed"
        return None

    @staticmethod
    def _meant(values: list[Any], known: set[str], could_be: Callable[[str], bool]) -> set[str]:
        """What values could be taken for: each itself, where it could be a name, else what it is nearly."""
        texts = {_plain(value) for value in values if isinstance(value, str)}
        texts |= {_plain(value) for inner in values if not isinstance(inner, str) for value in _strings_in(inner)}
        itself = {text for text in texts if could_be(text)}
        return itself | {one for one in known for text in texts - itself if _near(text, one)}


class _Pairs(list[tuple[str, Any]]):
    """An object as its pairs, doubled keys too."""


def _members(value: Any) -> Iterator[tuple[str, Any]]:
    """Yield key and value of every object at any depth."""
    for item in value if isinstance(value, list) else ():
        if isinstance(value, _Pairs):
            yield item
            item = item[1]
        yield from _members(item)


def _path(one: Seen) -> str | None:
    """Return the path with its percent signs undone; None where it can be read in more than one way."""
    raw = one.target.partition("?")[0].split("/")
    segments = [unquote(segment) for segment in raw]
    inner = segments[1:-1] if segments[-1] == "" else segments[1:]
    if segments[0] or any(not segment.strip(".") or set(segment) & set("/\\%;?#") for segment in inner):
        return None
    return "/".join(segments)


def _is_take(one: Seen) -> bool:
    path = _path(one)
    return one.method == "POST" and path is not None and _TAKE.fullmatch(path) is not None


def _is_id(text: str) -> bool:
    return _ID.fullmatch(text) is not None


def _is_dedicated(path: str) -> bool:
    return "/flexClusters/" not in path and not path.endswith("/tenant/restore")


def _near(text: str, known: str) -> bool:
    """Whether whoever repairs ids and names could take a text for a known one: signs dropped, it is the same, is cut
    at an end, or has another letter or one more or less.
    """
    text, known = ("".join(c for c in one if c.isalnum()) for one in (text, known))
    if text == known:
        return text != ""
    if len(text) >= 4 and (known.startswith(text) or known.endswith(text)):
        return True
    if len(known) >= 4 and (text.startswith(known) or text.endswith(known)):
        return True
    if abs(len(text) - len(known)) > 1 or len(known) < 5:
        return False
    same = 0
    while same < min(len(text), len(known)) and text[same] == known[same]:
        same += 1
    rest = [(text[same + 1 :], known[same + 1 :]), (text[same:], known[same + 1 :]), (text[same + 1 :], known[same:])]
    return any(one == other for one, other in rest)


def _strings_in(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, (list, dict)):
        for member in value.values() if isinstance(value, dict) else value:
            yield from _strings_in(member)


def _could_be(name: str) -> bool:
    """Whether anything could be called so."""
    return 1 <= len(_plain(name)) <= 64 and all(c.isalnum() or c in "-_.(),:&@+'" for c in _plain(name))


def _undone(text: str) -> str:
    """Undo percent signs until none is left to undo."""
    while (undone := unquote(text)) != text:
        text = undone
    return text


def _plain(text: str) -> str:
    """Return text as the most lenient reader has it."""
    unescaped = re.sub(r"\\u([0-9a-fA-F]{4})", lambda match: chr(int(match[1], 16)), _undone(text))
    return unicodedata.normalize("NFKC", unescaped).casefold().replace("\0", "").strip(" \t\r\n\"'`\ufeff\u200b")


def _readings(body: bytes) -> Iterator[str]:
    for encoding in ("utf-8", "utf-16", "utf-16-le", "utf-16-be", "latin-1"):
        yield body.decode(encoding, "ignore")


def _strings(body: bytes) -> Iterator[str]:
    """Yield every string of a JSON body, at any depth, of doubled keys too; nothing where it is no JSON."""
    found: list[str] = []

    def keep(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        for _, value in pairs:
            collect(value)
        return {}

    def collect(value: Any) -> None:
        if isinstance(value, str):
            found.append(value)
        elif isinstance(value, list):
            for member in value:
                collect(member)

    try:
        collect(json.loads(body, object_pairs_hook=keep))
    except (ValueError, RecursionError):
        return
    yield from found


def _ids_of(one: Seen) -> Iterator[str]:
    """Yield the ids that an answer to a create shows as the job's own."""
    try:
        document = json.loads(one.answer)
    except ValueError:
        return
    if isinstance(document, dict):
        for inner in (document, document.get("content"), document.get("envelope")):
            if isinstance(inner, dict) and isinstance(inner.get("id"), str):
                yield inner["id"]
