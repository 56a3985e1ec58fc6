"""What `serve` tells: to a person in a terminal, and to programs in files."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator, Mapping
from typing import Any

from atlas_conformance.reference.control_api import CONTROL_PATH
from atlas_conformance.reference.credentials import client_environment, environment
from atlas_conformance.reference.server import ReferenceServer
from atlas_conformance.reference.tls import Certificate


def variables(server: ReferenceServer, made: Certificate | None) -> Mapping[str, str]:
    """Return the environment variables that go with a running endpoint."""
    found = {**client_environment(server.url, server.credentials), **environment(server.credentials)}
    if made is not None:
        # Node adds a file to what it trusts; for others the file replaces all that they trust.
        found |= {"ATLAS_MOCK_CA_FILE": str(made.authority), "NODE_EXTRA_CA_CERTS": str(made.authority)}
        found |= {"SSL_CERT_FILE": str(made.bundle), "REQUESTS_CA_BUNDLE": str(made.bundle)}
    return found


def announcement(server: ReferenceServer, made: Certificate | None = None, *, control: bool = False) -> Iterator[str]:
    """Yield the lines that tell a person what is served: fixtures as comments, the rest to be pasted into a shell."""
    yield f"# The reference endpoint listens on {server.url}; Ctrl-C stops it."
    failing = server.fixtures.failing
    for cluster in server.inventory.clusters:
        kind = "sharded" if cluster.sharded else cluster.kind
        yield f"# {kind:<9} {cluster.project} {cluster.name}  snapshots {' '.join(cluster.snapshots)}"
        for snapshot in cluster.snapshots:
            if snapshot in failing:
                yield f"#           a restore of its snapshot {snapshot} fails"
    yield "# Each cluster is a restore target for its kind, itself included; --write-target names the others."
    if control:
        yield f"# Steer it: curl -X POST {server.url}{CONTROL_PATH}/advance -d '{{\"minutes\": 5}}'"
    if made is not None:
        yield f"# Clients trust the certificate authority in {made.authority} by the last lines below."
    for name, value in variables(server, made).items():
        yield f"export {name}={shlex.quote(value)}"


def env_file(server: ReferenceServer, made: Certificate | None) -> str:
    """Return the variables as a `.env` file."""
    return "".join(f"{name}={value}\n" for name, value in variables(server, made).items())


def env_json(server: ReferenceServer, made: Certificate | None, *, control: bool) -> str:
    """Return the variables and what exists as a JSON document."""
    failing = server.fixtures.failing
    document: dict[str, Any] = {
        "base_url": server.url,
        "control_url": server.url + CONTROL_PATH if control else None,
        "ca_file": None if made is None else str(made.authority),
        "environment": dict(variables(server, made)),
        "organizations": [{"id": one.id, "name": one.name} for one in server.fixtures.organizations],
        "projects": [{"id": one.id, "name": one.name} for one in server.fixtures.described],
        "clusters": [
            {
                "project": cluster.project,
                "name": cluster.name,
                "kind": cluster.kind,
                "sharded": cluster.sharded,
                "snapshots": [one for one in cluster.snapshots if one not in failing],
                "failing_snapshots": [one for one in cluster.snapshots if one in failing],
            }
            for cluster in server.inventory.clusters
        ],
    }
    return json.dumps(document, indent=2) + "\n"
