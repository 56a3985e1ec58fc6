"""Requests that tempt a guard: real names in every disguise, real and invented paths, methods, headers and bodies."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from random import Random
from typing import Any
from urllib.parse import quote

from atlas_conformance.contracts.contract import Contract
from atlas_conformance.contracts.exchange import Request
from atlas_conformance.contracts.inventory import Absent, Inventory

OPERATIONS = Contract.load().operations

_METHODS = ("POST",) * 6 + ("DELETE",) * 2 + ("GET", "PUT", "PATCH", "HEAD", "OPTIONS", "TRACE", "get")
_HEADERS = (
    ("X-HTTP-Method-Override", "POST"),
    ("X-Original-URL", "/api/atlas/v2/groups"),
    ("x_method_override", "DELETE"),
    ("Host", "elsewhere.example"),
    ("X-Forwarded-Host", "elsewhere.example"),
    ("Transfer-Encoding", "chunked"),
    ("Connection", "Upgrade"),
    ("Accept", "application/json"),
    ("Content-Type", "text/plain"),
    ("X-Anything", "1"),
)


class Tempting:
    """Draws requests; the same seed draws the same."""

    def __init__(self, inventory: Inventory, absent: Absent, seed: int) -> None:
        self._draw = Random(f"tempting {seed}")
        self._inventory = inventory
        self._absent = absent
        clusters, targets = inventory.clusters, inventory.targets
        self._projects = [*sorted({c.project for c in clusters}), absent.project, "f" * 24, "x", ""]
        self._clusters = [c.name for c in clusters] + [absent.cluster, "Other", "..", "a b"]
        self._snapshots = [s for c in clusters for s in c.snapshots] + [absent.snapshot] * 9 + ["e" * 24, "bad", ""]
        self._targets = [t.name for t in targets][:12] + [c.name for c in clusters]
        self._targets += [absent.target] * 9 + ["Other", "!"]
        self.jobs: list[str] = [absent.job, "d" * 24, "nonsense"]

    def requests(self, count: int) -> Iterator[Request]:
        """Yield a number of requests."""
        for _ in range(count):
            yield self._request()

    def _request(self) -> Request:
        draw = self._draw
        operation = draw.choice(list(OPERATIONS.values()))
        values = {
            "groupId": self._nearly(draw.choice(self._projects)),
            "name": self._nearly(draw.choice(self._clusters)),
            "clusterName": self._nearly(draw.choice(self._clusters)),
            "restoreJobId": draw.choice(self.jobs),
            "restoreId": draw.choice(self.jobs),
            "snapshotId": draw.choice((draw.choice(self._snapshots), draw.choice(self.jobs))) or "none",
        }
        target = operation.expand({name: values[name] for name in operation.path_parameters})
        method = operation.method if draw.random() < 0.7 else draw.choice(_METHODS)
        body = self._body() if method not in ("GET", "HEAD", "OPTIONS") or draw.random() < 0.1 else None
        headers = tuple(draw.sample(_HEADERS, draw.choice((0, 0, 0, 1, 2))))
        credential = draw.choice(("owner", "owner", "owner", "none", "wrong"))
        request = Request(method, target, headers, body, credential=credential)  # type: ignore[arg-type]
        return replace(request, target=self._path(request.target)) if draw.random() < 0.25 else request

    def _nearly(self, value: str) -> str:
        """Return a value for a path, now and then cut or with a sign in it."""
        form = self._draw.random()
        return value[:-1] if form < 0.05 else value[:3] + "_" + value[3:] if form < 0.1 else value

    def _path(self, target: str) -> str:
        draw = self._draw
        return draw.choice(
            (
                lambda: target + "/",
                lambda: target + "?snapshotId=" + draw.choice(self._snapshots),
                lambda: target + "?" + quote(draw.choice(self._targets)),
                lambda: target.replace("/groups/", "//groups/"),
                lambda: target.replace("/backup/", "/%2e%2e/backup/"),
                lambda: target.replace("/backup/", ";x=1/backup/"),
                lambda: target + "%00",
                lambda: target.replace("a", "%61", 3),
                lambda: target.replace("a", "%2561", 2),
                lambda: target.upper(),
                lambda: "/api/oauth/token",
                lambda: "/api/atlas/v2/groups",
                lambda: "/" + target,
            )
        )()

    def _body(self) -> bytes | None:
        draw = self._draw
        document = self._document()
        form = draw.random()
        if form < 0.55:
            return json.dumps(document, ensure_ascii=draw.random() < 0.5).encode()
        return draw.choice(
            (
                lambda: json.dumps(document).encode()[:-1],
                lambda: json.dumps(document).encode("utf-16"),
                lambda: json.dumps([document]).encode(),
                lambda: json.dumps({"content": document}).encode(),
                lambda: self._doubled(document),
                lambda: _escaped(json.dumps(document)).encode(),
                lambda: "&".join(f"{key}={value}" for key, value in document.items()).encode(),
                lambda: b"",
                lambda: None,
                lambda: b"{}",
                lambda: json.dumps(json.dumps(document)).encode(),
                lambda: b"\xef\xbb\xbf" + json.dumps(document).encode(),
            )
        )()

    def _document(self) -> dict[str, Any]:
        draw = self._draw
        dedicated = draw.random() < 0.5
        keys = ("targetClusterName", "targetGroupId") if dedicated else ("targetDeploymentItemName", "targetProjectId")
        document: dict[str, Any] = {
            "snapshotId": self._disguised(draw.choice(self._snapshots)),
            keys[0]: self._disguised(draw.choice(self._targets)),
            keys[1]: self._disguised(draw.choice(self._projects)),
        }
        if draw.random() < 0.1:
            # Of the other kind of cluster: a key that the operation does not know.
            other = "targetDeploymentItemName" if dedicated else "targetClusterName"
            document[other] = document.pop(keys[0])
        if dedicated:
            document["deliveryType"] = draw.choice(("automated", "download", "pointInTime", "Automated", "", None))
            if draw.random() < 0.3:
                document["pointInTimeUTCSeconds"] = 1_700_000_000
            if draw.random() < 0.1:
                document[draw.choice(("DeliveryType", "deliverytype", "delivery"))] = draw.choice(
                    ("automated", "download")
                )
        for key in list(document):
            if draw.random() < 0.12:
                del document[key]
        if draw.random() < 0.15:
            extra = draw.choice(("targetName", "snapshot_id", "anything", "TargetClusterName", "links"))
            document[extra] = self._disguised(draw.choice(self._targets + self._snapshots))
        return document

    def _disguised(self, value: str) -> Any:
        draw = self._draw
        if draw.random() < 0.6:
            return value
        return draw.choice(
            (
                value.upper(),
                value.swapcase(),
                f" {value} ",
                value + "\n",
                value + "\0",
                "\u200b" + value,
                "".join(chr(ord(c) + 0xFEE0) if "!" <= c <= "~" else c for c in value),
                [value],
                {"$oid": value},
                f'"{value}"',
                quote(value, safe=""),
                value[:-1],
                value[1:],
                value[: len(value) // 2],
                value[: len(value) // 2] + value[len(value) // 2 + 1 :],
                value[:-1] + "G",
                value[: len(value) // 2] + "!" + value[len(value) // 2 :],
                value[: len(value) // 2] + "".join(f"%{ord(c):02x}" for c in value[len(value) // 2 :] if ord(c) < 128),
                quote(quote(value[: len(value) // 2] + "/", safe=""), safe=""),
                "",
                None,
                7,
            )
        )

    def _doubled(self, document: dict[str, Any]) -> bytes:
        pairs = [f"{json.dumps(key)}: {json.dumps(value)}" for key, value in document.items()]
        other = [f"{json.dumps(key)}: {json.dumps(value)}" for key, value in self._document().items()]
        both = pairs + other
        self._draw.shuffle(both)
        return ("{" + ", ".join(both) + "}").encode()


def _escaped(text: str) -> str:
    """Write each letter and digit of a JSON text's strings as an escape."""
    parts = text.split('"')
    return '"'.join("".join(f"\\u{ord(c):04x}" for c in part) if n % 2 else part for n, part in enumerate(parts))
