"""An ASGI application whose answers are JSON that few readers expect: huge numbers, deep nesting, lone surrogates."""

from __future__ import annotations

import itertools
import json
from typing import Any

JOB = {
    "deliveryType": "RESTORE", "status": "PENDING", "snapshotId": "5e0b4ac4d1f3a8b29c7d6e01",
    "targetDeploymentItemName": "Target0", "targetProjectId": "32b6e34b3d91647abb20e7b8",
    "snapshotFinishedDate": "2026-01-04T10:00:00Z", "restoreScheduledDate": "2026-01-05T10:00:00Z",
    "expirationDate": "2026-01-06T10:00:00Z",
}  # fmt: skip
TOTALS = ("-Infinity", "1e400", "-1e400", "1" * 400, "9" * 5_000, '"\\ud800"', "null", "[]", "1.5", "true")
WHOLE = ("[" * 100_000, "[" * 100_000 + "]" * 100_000, '{"a":' * 900 + "1" + "}" * 900, "null", '""', "1e400", "")
IDS = ('"\\ud800%d"', '"%d\\udfff"', "1e400", "null", "[[]]", '"a%d"', '"%024x"')
LISTED = (
    '{"id":["a"]}',
    '{"id":{}},{"id":null}',
    "null,1",
    "[{}]",
    '{"id":"\\ud800"}',
    '{"status":[]}',
    '{"id":1e400}',
)
numbers = itertools.count()


def body_of(method: str, path: str) -> bytes:
    """Return the next body for a request: a list, a token, a job, or something odd as a whole."""
    n = next(numbers)
    if path.endswith("/oauth/token"):
        return b'{"access_token":"abc","token_type":"Bearer","expires_in":' + b"9" * 400 + b"}"
    if n % 5 == 0:
        return WHOLE[n % len(WHOLE)].encode()
    if method == "GET" and path.endswith("restoreJobs"):
        listed = b"" if n % 2 else LISTED[n % len(LISTED)].encode()
        return b'{"results":[' + listed + b'],"totalCount":' + TOTALS[n % len(TOTALS)].encode() + b"}"
    chosen = IDS[n % len(IDS)]
    named = chosen % n if "%" in chosen else chosen
    return b'{"id":' + named.encode() + b"," + json.dumps(JOB).encode()[1:]


async def app(scope: dict[str, Any], receive: Any, send: Any) -> None:
    """Answer 200 to every request."""
    if scope["type"] != "http":
        return
    while (await receive()).get("more_body"):
        pass
    path = scope["path"]
    media = (
        b"application/json"
        if "/v1.0/" in path or "oauth" in path
        else b"application/vnd.atlas.%s+json" % (b"2024-11-13" if "/flexClusters/" in path else b"2023-01-01")
    )
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", media)]})
    await send({"type": "http.response.body", "body": body_of(scope["method"], path)})
