"""What a run is asked for, and what its journal says it was: the target as asked for, and the header."""

from __future__ import annotations

import datetime
import platform
from collections.abc import Mapping
from dataclasses import replace
from importlib import metadata

from atlas_conformance.contracts import CONTRACT_VERSION
from atlas_conformance.contracts.knowledge import Knowledge
from atlas_conformance.contracts.knowledge_form import knowledge_as_json
from atlas_conformance.http.client import Client
from atlas_conformance.http.limits import parse_duration, parse_rate
from atlas_conformance.http.target import Target, with_mode, with_rate, with_run_seconds
from atlas_conformance.reports.records import Header
from atlas_conformance.runner.options import Options

REFERENCE = "reference"
"""What stands for the source of the target where the reference endpoint is verified."""

_VERSIONED = ("hypothesis", "schemathesis", "httpx", "jsonschema", "pytest")


def as_asked(target: Target, options: Options) -> Target:
    """Return the target with what the options say of it. Raises TargetError on malformed times and rates."""
    if options.wait is not None:
        parse_duration(options.wait, "--wait-for-endpoint")
    if options.level is not None:
        target = replace(target, level=options.level)
    rate = parse_rate(options.rate, "--rate") if options.rate is not None else None
    target = with_rate(with_mode(target, options.mode), rate)
    limit = options.time_limit
    return with_run_seconds(target, None if limit is None else parse_duration(limit, "--time-limit"))


def header_of(
    options: Options,
    client: Client,
    target: Target,
    workers: int,
    reasons: Mapping[str, bool | str],
    knowledge: Knowledge,
) -> Header:
    """Return the header of a run's journal; `reasons` says of each operation whether, or why not, it is offered."""
    assert options.seed is not None
    source = options.target or options.base_url or (target.base_url if options.app else REFERENCE)
    return Header(
        contract=CONTRACT_VERSION,
        suite=metadata.version("atlas-conformance"),
        target={
            "base_url": target.base_url,
            "level": target.level,
            "source": source,
            "loopback": not client.guard.remote,
            **({"app": options.app} if options.app else {}),
            **({"headers": {name: own.variable for name, own in target.headers.items()}} if target.headers else {}),
            "credentials": {name: dict(held.names) for name, held in sorted(target.credentials.items())},
        },
        profile=options.profile,
        seed=options.seed,
        mode=client.guard.mode,
        workers=workers,
        started=now(),
        requirements=options.requirements or None,
        excluded=tuple(dict.fromkeys(options.excluded)),
        strict=options.strict,
        offered=reasons,
        shard=options.shard,
        versions={"python": platform.python_version()} | {name: metadata.version(name) for name in _VERSIONED},
        knowledge=knowledge_as_json(knowledge),
    )


def now() -> str:
    """Return this moment in RFC 3339, in UTC."""
    return datetime.datetime.now(datetime.UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
