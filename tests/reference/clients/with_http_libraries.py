"""Restores with requests (digest), httpx (digest) and authlib (service account): restore, wait, done.

It reads MONGODB_ATLAS_BASE_URL, the key pair and the service account from the environment.
"""

from __future__ import annotations

import os
import time
from typing import Any

import httpx
import requests
from authlib.integrations.httpx_client import OAuth2Client
from requests.auth import HTTPDigestAuth

base = os.environ["MONGODB_ATLAS_BASE_URL"] + "/api/atlas/v2"
keys = os.environ["MONGODB_ATLAS_PUBLIC_API_KEY"], os.environ["MONGODB_ATLAS_PRIVATE_API_KEY"]
accept = {"Accept": "application/vnd.atlas.2025-03-12+json"}


def restore_and_wait(client: Any) -> None:
    """Restore the newest snapshot of the first flex cluster to the cluster itself."""

    def got(path: str) -> Any:
        answer = client.get(base + path, headers=accept)
        assert answer.status_code == 200, answer.text
        return answer.json()

    project = got("/groups")["results"][0]["id"]
    (cluster, *_) = got(f"/groups/{project}/flexClusters")["results"]
    place = f"/groups/{project}/flexClusters/{cluster['name']}/backup"
    snapshot = got(f"{place}/snapshots")["results"][-1]
    body = {"snapshotId": snapshot["id"], "targetDeploymentItemName": cluster["name"], "targetProjectId": project}
    answer = client.post(f"{base}{place}/restoreJobs", json=body, headers=accept)
    assert answer.status_code == 200, answer.text
    deadline = time.monotonic() + 20
    while (job := got(f"{place}/restoreJobs/{answer.json()['id']}"))["status"] != "COMPLETED":
        assert job["status"] != "FAILED"
        assert time.monotonic() < deadline, "the restore does not end"
        time.sleep(0.1)


with requests.Session() as session:
    session.auth = HTTPDigestAuth(*keys)
    restore_and_wait(session)
with httpx.Client(auth=httpx.DigestAuth(*keys)) as plain:
    restore_and_wait(plain)
account = os.environ["MONGODB_ATLAS_CLIENT_ID"], os.environ["MONGODB_ATLAS_CLIENT_SECRET"]
with OAuth2Client(*account, token_endpoint=os.environ["MONGODB_ATLAS_BASE_URL"] + "/api/oauth/token") as service:
    service.fetch_token(grant_type="client_credentials")
    restore_and_wait(service)
print("done")
