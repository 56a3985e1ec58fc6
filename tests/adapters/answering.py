"""Answers for the tests of adapters: a conforming one of a dedicated job, and what changes it."""

from __future__ import annotations

import json
from typing import Any

PROJECT = "32b6e34b3d91647abb20e7b8"
JOB = "5f1d0c2e9b8f7a6053e1d2c4"
READ = f"/api/atlas/v2/groups/{PROJECT}/flexClusters/Flex0/backup/restoreJobs/{JOB}"
LIST = READ.rpartition("/")[0]
MEDIA = "application/vnd.atlas.2024-11-13+json"
TOKEN = "eyJhbGciOiJIUzI1NiJ9.c2VjcmV0"
HEADERS = {"Accept": MEDIA, "Authorization": f"Bearer {TOKEN}"}


def job(**changed: Any) -> dict[str, Any]:
    """A running flex job as a conforming endpoint shows it; a property that is changed to None is left out."""
    document = {
        "id": JOB,
        "projectId": PROJECT,
        "instanceName": "Flex0",
        "snapshotId": "4d5a1c2e9b8f7a6053e1d2c4",
        "targetDeploymentItemName": "Flex1",
        "targetProjectId": PROJECT,
        "deliveryType": "RESTORE",
        "status": "RUNNING",
        "snapshotFinishedDate": "2026-01-01T00:00:00Z",
        "restoreScheduledDate": "2026-01-02T00:00:00Z",
    }
    return {name: value for name, value in (document | changed).items() if value is not None}


def error(status: int, **changed: Any) -> dict[str, Any]:
    """An error body as a conforming endpoint sends it."""
    return {"error": status, "errorCode": "SOMETHING_IS_WRONG", "detail": "Something is wrong."} | changed


def encoded(document: Any) -> bytes:
    return json.dumps(document, separators=(",", ":")).encode()


def media_of(status: int) -> str:
    return MEDIA if status < 300 else "application/json"
