import time

import pytest
import requests
from requests.auth import HTTPDigestAuth

from atlas_conformance.reference.mock import MockAtlas


@pytest.fixture(scope="session")
def running_atlas():
    with MockAtlas() as mock:
        yield mock


@pytest.fixture
def atlas(running_atlas):
    running_atlas.reset()
    return running_atlas


def restore(atlas, cluster, snapshot):
    """Stands for your client: restore a flex cluster to itself; return how to read the status of the job."""
    keys = atlas.credentials.owner
    jobs = f"{atlas.url}/api/atlas/v2/groups/{cluster.project}/flexClusters/{cluster.name}/backup/restoreJobs"
    client = requests.Session()
    client.auth = HTTPDigestAuth(keys.public, keys.private)
    client.headers["Accept"] = "application/vnd.atlas.2024-11-13+json"
    answer = client.post(jobs, json={"snapshotId": snapshot, "targetDeploymentItemName": cluster.name})
    answer.raise_for_status()
    return lambda: client.get(f"{jobs}/{answer.json()['id']}").json()["status"]


def test_restore_wait_done(atlas):
    cluster = atlas.cluster("flex")
    status = restore(atlas, cluster, cluster.snapshots[0])
    while status() != "COMPLETED":
        time.sleep(0.05)


def test_a_restore_of_an_hour_takes_no_time(atlas):
    cluster = atlas.cluster("flex")
    atlas.freeze()
    status = restore(atlas, cluster, cluster.snapshots[0])
    assert status() == "PENDING"
    atlas.advance(minutes=60)
    assert status() == "COMPLETED"


def test_a_restore_that_fails(atlas):
    cluster = atlas.cluster("flex")
    atlas.fail_next_restore()
    status = restore(atlas, cluster, cluster.snapshots[0])
    atlas.advance_to_end()
    assert status() == "FAILED"
