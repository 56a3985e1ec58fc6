"""A restore with atlasapi, as it comes from PyPI: look around, restore, wait, done; and one that is cancelled.

It reads BASE_URL, as atlasapi does, and the key pair from MONGODB_ATLAS_PUBLIC_API_KEY and
MONGODB_ATLAS_PRIVATE_API_KEY.
"""

from __future__ import annotations

import os
import time

from atlasapi.atlas import Atlas
from atlasapi.errors import ErrAtlasConflict

keys = os.environ["MONGODB_ATLAS_PUBLIC_API_KEY"], os.environ["MONGODB_ATLAS_PRIVATE_API_KEY"]
account = Atlas(*keys)
(organization,) = account.Organizations.organizations
projects = list(account.Organizations.get_all_projects_for_org(organization.id))
assert {one.id for one in projects} == {one.id for one in account.Projects.projects}

found = [
    (atlas, cluster["name"])
    for atlas in (Atlas(*keys, one.id) for one in projects)
    for cluster in atlas.Clusters.get_all_clusters(iterable=True)
    if cluster["providerSettings"]["providerName"] == "AWS" and cluster["clusterType"] == "REPLICASET"
]
atlas, name = found[0]
assert atlas.Clusters.get_single_cluster_as_obj(name).name == name
assert not atlas.Clusters.is_existing_cluster("absent")
backups = atlas.CloudBackups
(*_, snapshot) = backups.get_backup_snapshots_for_cluster(name)


def job(job_id: str):  # type: ignore[no-untyped-def]
    (one,) = backups.get_snapshot_restore_requests(name, job_id)
    return one


restore = backups.request_snapshot_restore(name, snapshot.id, name, allow_same=True)
deadline = time.monotonic() + 20
while job(restore.restore_id).finished_at is None:
    assert time.monotonic() < deadline, "the restore does not end"
    time.sleep(0.1)

other = backups.request_snapshot_restore(name, snapshot.id, name, allow_same=True)
backups.cancel_snapshot_restore_request(name, other.restore_id)
assert job(other.restore_id).cancelled is True
try:
    backups.cancel_snapshot_restore_request(name, other.restore_id)
except ErrAtlasConflict:
    pass
else:
    raise AssertionError("a restore was cancelled twice")
listed = {one.restore_id for one in backups.get_snapshot_restore_requests(name)}
assert {restore.restore_id, other.restore_id} <= listed
print("done")
