"""Asking an endpoint what exists behind it, with the lists that the vendor's API has, by GETs alone.

An endpoint need not have any of them: they belong to no operation of the contract. What is not listed is not asked for
any further.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

from atlas_conformance.contracts.exchange import Request, Response
from atlas_conformance.contracts.inventory import Cluster, Kind, PointInTime
from atlas_conformance.contracts.reading import HEX24, NAME
from atlas_conformance.contracts.validation import NotJson, parse_json
from atlas_conformance.http.client import Client
from atlas_conformance.http.failures import NotSent, PreflightFailed

_GENERAL = "application/vnd.atlas.2023-01-01+json"
_FLEX = "application/vnd.atlas.2024-11-13+json"
_CLUSTERS = "application/vnd.atlas.2024-08-05+json"
_SCHEDULE = "application/vnd.atlas.2024-08-05+json"
_ITEMS = 100
_MOST_PAGES = 50
_DAY = 86_400
_EARLIEST = 1_199_145_600
_MOST_DAYS = 36_500
_NO_BACKUPS = "M0"


@dataclass(frozen=True, slots=True)
class Project:
    """A project: its id and, where the endpoint says, its name."""

    id: str
    name: str = ""


@dataclass(frozen=True, slots=True)
class Found:
    """A cluster that is listed, with its newest snapshots, the newest first.

    `moment_sure` tells whether its point in time is one that its restore window holds beyond doubt; `remark` is what a
    person should know of it, or empty.
    """

    cluster: Cluster
    moment_sure: bool = False
    remark: str = ""


@dataclass
class Asked:
    """What came of asking: projects, clusters, a remark on each thing that was left out, and how many GETs it took."""

    projects: list[Project] = field(default_factory=list)
    clusters: list[Found] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)
    requests: int = 0


def ask(client: Client, projects: tuple[str, ...] = (), *, clusters: int = 20, snapshots: int = 3) -> Asked:
    """Ask for projects (those given, or all that are listed), their clusters, and the snapshots of these.

    At most `clusters` clusters and `snapshots` snapshots of each are taken. Raises PreflightFailed where the endpoint
    does not answer, or refuses the credentials.
    """
    asking = _Asking(client, clusters, snapshots)
    asking.ask(projects)
    return asking.asked


class _Asking:
    def __init__(self, client: Client, most_clusters: int, most_snapshots: int) -> None:
        self.asked = Asked()
        self._client = client
        self._most_clusters = most_clusters
        self._most_snapshots = most_snapshots
        self._unlisted: set[str] = set()

    def ask(self, projects: tuple[str, ...]) -> None:
        if projects:
            self.asked.projects = [Project(project) for project in projects]
        else:
            rows = self._rows("/api/atlas/v2/groups", _GENERAL, "projects")
            self.asked.projects = [
                Project(row["id"], _text(row.get("name"))) for row in rows or () if self._is_id(row, "project")
            ]
        for project in self.asked.projects:
            listed = self._in_project(project.id)
            if not listed or len(self.asked.clusters) >= self._most_clusters:
                break

    def _in_project(self, project: str) -> bool:
        """Take over the clusters of a project; false where the endpoint has no list of clusters at all."""
        place = f"/api/atlas/v2/groups/{project}"
        flex = self._rows(f"{place}/flexClusters", _FLEX, "flex clusters")
        other = self._rows(f"{place}/clusters", _CLUSTERS, "clusters")
        for row in flex or ():
            self._take(project, row, "flex")
        for row in other or ():
            size = _size(row)
            if size == _NO_BACKUPS:
                self._remark(f"{_text(row.get('name'))} of project {project} is a free cluster, which has no backups")
            else:
                self._take(project, row, "tenant" if size in ("M2", "M5") or _is_tenant(row) else "dedicated")
        return flex is not None or other is not None

    def _take(self, project: str, row: Mapping[str, Any], kind: Kind) -> None:
        name = row.get("name")
        if not isinstance(name, str) or not NAME.matches(name) or len(name) > 64:
            self._remark(f"a cluster of project {project} has no name that the contract allows")
        elif len(self.asked.clusters) >= self._most_clusters:
            self._remark(f"{name} of project {project} is left out: {self._most_clusters} clusters are enough")
        elif all((f.cluster.project, f.cluster.name) != (project, name) for f in self.asked.clusters):
            self.asked.clusters.append(self._found(project, name, kind, row))

    def _found(self, project: str, name: str, kind: Kind, row: Mapping[str, Any]) -> Found:
        sharded = kind == "dedicated" and row.get("clusterType") in ("SHARDED", "GEOSHARDED")
        place = f"/api/atlas/v2/groups/{project}"
        media_type = _GENERAL
        if kind == "flex":
            place, media_type = f"{place}/flexClusters/{quote(name)}/backup/snapshots", _FLEX
        elif kind == "tenant":
            place = f"{place}/clusters/{quote(name)}/backup/tenant/snapshots"
        else:
            place = f"{place}/clusters/{quote(name)}/backup/snapshots" + ("/shardedClusters" if sharded else "")
        done = self._snapshots(place, media_type, f"snapshots of {'sharded' if sharded else kind} clusters")
        done.sort(key=lambda r: _finished(r) or 0, reverse=True)
        ids = tuple(dict.fromkeys(r["id"] for r in done[: self._most_snapshots]))
        newest = next((at for r in done if (at := _finished(r)) is not None), None)
        moment = None
        if kind == "dedicated" and row.get("pitEnabled") is True and newest is not None and newest >= _EARLIEST:
            moment = PointInTime(utc_seconds=newest)
        sure = False
        if moment is not None and newest is not None:
            sure = datetime.now(UTC).timestamp() - newest < self._window(project, name) * _DAY
        remark = "" if ids else "no finished snapshot of it is listed, so nothing can be restored from it"
        return Found(Cluster(project, name, kind, sharded, ids, moment), sure, remark)

    def _snapshots(self, place: str, media_type: str, what: str) -> list[Mapping[str, Any]]:
        """Return the finished snapshots that a list shows; nothing where the endpoint has no such list."""
        rows = None if what in self._unlisted else self._rows(place, media_type, what)
        if rows is None:
            self._unlisted.add(what)
            return []
        done = (row for row in rows if _text(row.get("status")).lower() in ("completed", ""))
        return [row for row in done if self._is_id(row, "snapshot")]

    def _window(self, project: str, name: str) -> float:
        """Return how many days back a cluster can be restored to by its backup schedule; one where that is silent."""
        place = f"/api/atlas/v2/groups/{project}/clusters/{quote(name)}/backup/schedule"
        response = self._get(place, _SCHEDULE)
        try:
            days = parse_json(response.body)["restoreWindowDays"]
        except (NotJson, TypeError, KeyError):
            return 1
        if isinstance(days, bool) or not isinstance(days, int | float) or not 0 < days <= _MOST_DAYS:
            return 1
        return days if response.status == 200 else 1

    def _rows(self, path: str, media_type: str, what: str) -> list[Mapping[str, Any]] | None:
        """Return every row of a list, page by page; None where the endpoint has no such list."""
        rows: list[Mapping[str, Any]] = []
        for page in range(1, _MOST_PAGES + 1):
            response = self._get(f"{path}?itemsPerPage={_ITEMS}&pageNum={page}", media_type)
            results = _results(response)
            if results is None:
                self._remark(f"the endpoint lists no {what} (it answers {response.status})")
                return None if page == 1 else rows
            rows += results
            if len(results) < _ITEMS:
                break
        return rows

    def _get(self, target: str, media_type: str) -> Response:
        request = Request("GET", target, (("Accept", media_type),))
        try:
            response = self._client.send(request).response
        except NotSent as failure:
            raise PreflightFailed(failure.reason) from None
        self.asked.requests += 1
        if response.status == 401:
            owner = self._client.target.credentials.get("owner")
            if owner is None:
                raise PreflightFailed(
                    "the endpoint asks for credentials and there are none; set MONGODB_ATLAS_PUBLIC_API_KEY and"
                    " MONGODB_ATLAS_PRIVATE_API_KEY, MONGODB_ATLAS_CLIENT_ID and MONGODB_ATLAS_CLIENT_SECRET,"
                    " or MONGODB_ATLAS_ACCESS_TOKEN"
                )
            names = " and ".join(sorted(owner.names.values()))
            raise PreflightFailed(f"the endpoint refuses the credentials from {names} (401)")
        return response

    def _is_id(self, row: Mapping[str, Any], what: str) -> bool:
        value = row.get("id")
        if isinstance(value, str) and HEX24.matches(value):
            return True
        self._remark(f"a {what} is left out, as its id is not 24 lower-case hexadecimal digits")
        return False

    def _remark(self, sentence: str) -> None:
        if sentence not in self.asked.remarks:
            self.asked.remarks.append(sentence)


def _results(response: Response) -> list[Mapping[str, Any]] | None:
    if response.status != 200:
        return None
    try:
        page = parse_json(response.body)
    except NotJson:
        return None
    results = page.get("results") if isinstance(page, dict) else None
    return [row for row in results if isinstance(row, dict)] if isinstance(results, list) else None


def _regions(row: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    for spec in _dicts(row.get("replicationSpecs")):
        yield from _dicts(spec.get("regionConfigs"))


def _size(row: Mapping[str, Any]) -> str:
    """Return a cluster's instance size, such as `M10`, or nothing where it is not told."""
    for region in _regions(row):
        specs = region.get("electableSpecs")
        if isinstance(specs, dict) and isinstance(specs.get("instanceSize"), str):
            return str(specs["instanceSize"])
    return ""


def _is_tenant(row: Mapping[str, Any]) -> bool:
    return any(region.get("providerName") == "TENANT" for region in _regions(row))


def _dicts(value: Any) -> list[Mapping[str, Any]]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _finished(row: Mapping[str, Any]) -> int | None:
    """Return when a snapshot was done, in epoch seconds, or None where that is not told."""
    for key in ("finishTime", "createdAt"):
        try:
            moment = datetime.fromisoformat(_text(row.get(key)))
        except ValueError:
            continue
        return int(moment.timestamp()) if moment.tzinfo is not None else None
    return None
