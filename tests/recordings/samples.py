"""Where the recordings of the real service are, and small HAR files made for a test."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

PROJECT, JOB, SNAPSHOT = "b0123456789abcdef012345b", "699bc7a48decccf9757f82fc", "699bc7a48decccf9757f82f0"
BASE = "https://proxy.example/some/base"
FLEX = f"/api/atlas/v2/groups/{PROJECT}/flexClusters/one/backup/restoreJobs"
FLEX_MEDIA = "application/vnd.atlas.2024-11-13+json;charset=utf-8"


def sample() -> Path:
    """Return the HAR file of real responses; skip the test where it is not there."""
    given = os.environ.get("ATLAS_RECORDINGS")
    place = Path(given) if given else Path(__file__).resolve().parents[2].parent / "shared" / "recordings"
    file = place / "atlas-sample.har" if place.is_dir() else place
    if not file.is_file():
        pytest.skip("no recordings: set ATLAS_RECORDINGS to the folder that holds atlas-sample.har")
    return file


def snapshot_sample() -> Path:
    """Return the HAR file of real responses about snapshots; skip the test where it is not there."""
    file = sample().with_name("atlas-snapshots-sample.har")
    if not file.is_file():
        pytest.skip("no recordings: set ATLAS_RECORDINGS to the folder that holds atlas-snapshots-sample.har")
    return file


def job(**members: Any) -> dict[str, Any]:
    """Return a conforming flex job."""
    return {
        "deliveryType": "RESTORE",
        "expirationDate": "2026-02-23T09:21:08Z",
        "id": JOB,
        "instanceName": "one",
        "projectId": PROJECT,
        "restoreScheduledDate": "2026-02-23T03:21:08Z",
        "snapshotFinishedDate": "2026-02-22T03:21:08Z",
        "snapshotId": SNAPSHOT,
        "status": "PENDING",
        "targetDeploymentItemName": "one",
        "targetProjectId": PROJECT,
        **members,
    }


def entry(
    document: Any,
    *,
    path: str = f"{FLEX}/{JOB}",
    at: str = "2026-02-23T03:21:09.500Z",
    status: int = 200,
    **request: Any,
) -> dict[str, Any]:
    """Return a HAR entry of a read that took 20 ms and answered `document`."""
    text = document if isinstance(document, str) else json.dumps(document, separators=(",", ":"))
    media = FLEX_MEDIA if status == 200 else "application/json"
    return {
        "startedDateTime": at,
        "time": 20,
        "request": {"method": "GET", "url": BASE + path, "headers": [], "bodySize": -1, **request},
        "response": {
            "status": status,
            "headers": [{"name": "Content-Type", "value": media}],
            "content": {"size": len(text.encode()), "mimeType": media, "text": text},
        },
    }


def har(*entries: dict[str, Any]) -> bytes:
    """Return a HAR file of the entries."""
    log = {"version": "1.2", "creator": {"name": "a test", "version": "1"}, "pages": [{"id": "1"}], "entries": entries}
    return json.dumps({"log": log}, indent=1).encode()
