"""Clusters and flex clusters, and the backup schedule of one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from atlas_conformance.contracts.inventory import Cluster
from atlas_conformance.reference.documents import rfc3339
from atlas_conformance.reference.fixtures import DAY
from atlas_conformance.reference.messages import Answer
from atlas_conformance.reference.neighbours.visits import CLUSTERS, FLEX, GENERAL, SCHEDULES, Visit, identity

_SHARDS = 2
_DISK = 10.0


def list_everywhere(visit: Visit) -> Answer:
    """List the clusters of every project, by project."""
    names = {one.id: one.name for one in visit.backend.fixtures.organizations}
    rows = [
        {
            "clusters": [_summary(visit, one) for one in visit.clusters if one.project == project.id],
            "groupId": project.id,
            "groupName": project.name,
            "orgId": project.organization,
            "orgName": names[project.organization],
            "planType": "Atlas",
            "tags": [],
        }
        for project in visit.backend.fixtures.described
    ]
    return visit.page(rows, GENERAL)


def list_clusters(visit: Visit, project: str) -> Answer:
    """List the dedicated and the shared-tier clusters of a project."""
    visit.project(project)
    found = [one for one in visit.clusters if one.project == project and one.kind != "flex"]
    show = _cluster_of(visit)
    return visit.page((show(visit, one) for one in found), CLUSTERS)


def show_cluster(visit: Visit, project: str, name: str) -> Answer:
    """Show one dedicated or shared-tier cluster."""
    cluster = visit.cluster(project, name, "dedicated", "tenant")
    return visit.one(_cluster_of(visit)(visit, cluster), CLUSTERS)


def list_flex_clusters(visit: Visit, project: str) -> Answer:
    """List the flex clusters of a project."""
    visit.project(project)
    found = [one for one in visit.clusters if one.project == project and one.kind == "flex"]
    return visit.page((_flex(visit, one) for one in found), FLEX)


def show_flex_cluster(visit: Visit, project: str, name: str) -> Answer:
    """Show one flex cluster."""
    return visit.one(_flex(visit, visit.cluster(project, name, "flex")), FLEX)


def show_schedule(visit: Visit, project: str, name: str) -> Answer:
    """Show the backup schedule of a dedicated cluster: how many days back it can be restored to."""
    cluster = visit.cluster(project, name, "dedicated")
    fixtures = visit.backend.fixtures
    days = int((fixtures.epoch - fixtures.window(cluster)) / DAY)
    document = {
        "clusterId": identity("cluster", project, name),
        "clusterName": name,
        "links": visit.links("groups", project, "clusters", quote(name), "backup", "schedule"),
        "policies": [],
        "restoreWindowDays": days,
    }
    return visit.one(document, SCHEDULES)


def _summary(visit: Visit, cluster: Cluster) -> Mapping[str, Any]:
    look = visit.backend.fixtures.look(cluster)
    return {
        "alertCount": 0,
        "authEnabled": True,
        "availability": "available",
        "backupEnabled": True,
        "clusterId": identity("cluster", cluster.project, cluster.name),
        "dataSizeBytes": 1_048_576,
        "name": cluster.name,
        "nodeCount": 3 * (_SHARDS if cluster.sharded else 1),
        "sslEnabled": True,
        "type": "SHARDED" if cluster.sharded else "REPLICA_SET",
        "versions": [look.version],
    }


def _common(visit: Visit, cluster: Cluster) -> dict[str, Any]:
    """Return what every form of a cluster shows."""
    host = f"{cluster.name.lower()}.mock.example.net"
    look = visit.backend.fixtures.look(cluster)
    place = "flexClusters" if cluster.kind == "flex" else "clusters"
    return {
        "clusterType": "SHARDED" if cluster.sharded else "REPLICASET",
        "connectionStrings": {
            "standard": f"mongodb://{host}:27017/?ssl=true&authSource=admin",
            "standardSrv": f"mongodb+srv://{host}",
        },
        "createDate": rfc3339(visit.backend.fixtures.epoch - 60 * DAY),
        "groupId": cluster.project,
        "id": identity("cluster", cluster.project, cluster.name),
        "links": visit.links("groups", cluster.project, place, quote(cluster.name)),
        "mongoDBVersion": look.version,
        "name": cluster.name,
        "stateName": "IDLE",
        "terminationProtectionEnabled": False,
        "versionReleaseSystem": "LTS",
    }


def _flex(visit: Visit, cluster: Cluster) -> Mapping[str, Any]:
    look = visit.backend.fixtures.look(cluster)
    return _common(visit, cluster) | {
        "backupSettings": {"enabled": True},
        "providerSettings": {
            "backingProviderName": look.provider,
            "diskSizeGB": 5.0,
            "providerName": "FLEX",
            "regionName": look.region,
        },
        "tags": [],
    }


def _cluster_of(visit: Visit) -> Any:
    """Return what shows a cluster in the form of the version that the call takes."""
    if visit.api == "v1.0":
        return _legacy
    return _single if visit.version(CLUSTERS) == CLUSTERS[-1] else _numbered


def _backed_up(visit: Visit, cluster: Cluster) -> dict[str, Any]:
    look = visit.backend.fixtures.look(cluster)
    return _common(visit, cluster) | {
        "backupEnabled": cluster.kind == "dedicated",
        "biConnector": {"enabled": False, "readPreference": "secondary"},
        "encryptionAtRestProvider": "NONE",
        "labels": [],
        "mongoDBMajorVersion": ".".join(look.version.split(".")[:2]),
        "paused": False,
        "pitEnabled": cluster.point_in_time is not None,
        "rootCertType": "ISRGROOTX1",
        "tags": [],
    }


def _region(visit: Visit, cluster: Cluster) -> dict[str, Any]:
    look = visit.backend.fixtures.look(cluster)
    nodes: dict[str, Any] = {"instanceSize": look.size}
    region: dict[str, Any] = {"electableSpecs": nodes, "priority": 7, "regionName": look.region}
    if cluster.kind == "tenant":
        return region | {"providerName": "TENANT", "backingProviderName": look.provider}
    nodes["nodeCount"] = 3
    return region | {"providerName": look.provider}


def _specification(visit: Visit, cluster: Cluster, shard: int) -> dict[str, Any]:
    return {
        "id": identity("specification", cluster.project, cluster.name, str(shard)),
        "regionConfigs": [_region(visit, cluster)],
        "zoneId": identity("zone", cluster.project, cluster.name),
        "zoneName": "Zone 1",
    }


def _single(visit: Visit, cluster: Cluster) -> Mapping[str, Any]:
    """Show a cluster as from 2024-08-05 on: a specification for each shard, which has its own disks."""
    specifications = [_specification(visit, cluster, shard) for shard in range(_SHARDS if cluster.sharded else 1)]
    for specification in specifications:
        specification["regionConfigs"][0]["electableSpecs"]["diskSizeGB"] = _DISK
    return _backed_up(visit, cluster) | {"replicationSpecs": specifications}


def _numbered(visit: Visit, cluster: Cluster) -> Mapping[str, Any]:
    """Show a cluster as before 2024-08-05: one specification with the number of shards."""
    specification = _specification(visit, cluster, 0) | {"numShards": _SHARDS if cluster.sharded else 1}
    return _backed_up(visit, cluster) | {"diskSizeGB": _DISK, "replicationSpecs": [specification]}


def _legacy(visit: Visit, cluster: Cluster) -> Mapping[str, Any]:
    """Show a cluster as v1.0 does: with the provider's settings beside the regions."""
    look = visit.backend.fixtures.look(cluster)
    shown = _backed_up(visit, cluster)
    strings = shown["connectionStrings"]
    provider = {"instanceSizeName": look.size, "providerName": look.provider, "regionName": look.region}
    if cluster.kind == "tenant":
        provider |= {"providerName": "TENANT", "backingProviderName": look.provider}
    nodes = {"analyticsNodes": 0, "electableNodes": 3, "priority": 7, "readOnlyNodes": 0}
    shards = _SHARDS if cluster.sharded else 1
    return shown | {
        "autoScaling": {"compute": {"enabled": False, "scaleDownEnabled": False}, "diskGBEnabled": True},
        "diskSizeGB": _DISK,
        "mongoURI": strings["standard"].partition("/?")[0],
        "mongoURIUpdated": shown["createDate"],
        "mongoURIWithOptions": strings["standard"],
        "numShards": shards,
        "providerBackupEnabled": cluster.kind == "dedicated",
        "providerSettings": provider,
        "replicationFactor": 3,
        "replicationSpec": {look.region: nodes},
        "replicationSpecs": [
            {
                "id": identity("specification", cluster.project, cluster.name, "0"),
                "numShards": shards,
                "regionsConfig": {look.region: nodes},
                "zoneName": "Zone 1",
            }
        ],
        "srvAddress": strings["standardSrv"],
    }
