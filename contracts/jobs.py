"""Rules on one restore job as one answer shows it: S-*, T-* that need no other exchange."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from atlas_conformance.contracts.operations import Operation
from atlas_conformance.contracts.patterns import compile_pattern
from atlas_conformance.contracts.verdicts import Verdicts, shown

STATUSES = ("PENDING", "QUEUED", "RUNNING", "FAILED", "COMPLETED")
TERMINAL = ("FAILED", "COMPLETED")
_ONE_OF_THE_STATUSES = f"one of {', '.join(STATUSES)}"
POINT_FIELDS = ("oplogTs", "oplogInc", "pointInTimeUTCSeconds")
TARGET_FIELDS = ("targetClusterName", "targetGroupId")
DATES = ("snapshotFinishedDate", "restoreScheduledDate", "restoreFinishedDate", "expirationDate")

_UTC = compile_pattern("^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\\.[0-9]+)?Z$")
_ABSOLUTE_HTTPS = compile_pattern("^https://[^\\/?#\\s@]+([\\/?#][^\\s]*)?$")
_INSTANCE = {"flex": "instanceName", "tenant": "clusterName"}


def is_terminal(document: Mapping[str, Any]) -> bool:
    """Whether a job document, of whatever family, shows that the job has come to its end."""
    ended = document.get("failed") is True or document.get("cancelled") is True
    return document.get("status") in TERMINAL or document.get("finishedAt") is not None or ended


def instant(value: Any) -> datetime.datetime | None:
    """Read an RFC 3339 date-time in UTC written with `Z`; None for anything else."""
    return _instant(value) if isinstance(value, str) else None


@lru_cache(maxsize=8_192)
def _instant(value: str) -> datetime.datetime | None:
    if not _UTC.matches(value):
        return None
    try:
        # Fractions beyond microseconds are legal, and more than Python reads.
        whole, _, fraction = value[:-1].partition(".")
        return datetime.datetime.fromisoformat(f"{whole}.{(fraction + '000000')[:6]}+00:00")
    except ValueError:
        # A leap second is legal RFC 3339; only its order among others is of interest here.
        if value[17:19] == "60":
            return instant(f"{value[:17]}59Z")
        return None


def judge_job(
    operation: Operation, parameters: Mapping[str, str], document: Mapping[str, Any], pointer: str, verdicts: Verdicts
) -> None:
    """Judge a job document by the rules that its own answer settles; `pointer` is where it stands in the exchange."""
    if operation.family == "cluster":
        _judge_dedicated(document, pointer, verdicts)
    else:
        _judge_shared(operation, parameters, document, pointer, verdicts)


def _judge_shared(
    operation: Operation, parameters: Mapping[str, str], document: Mapping[str, Any], pointer: str, verdicts: Verdicts
) -> None:
    instance = _INSTANCE[operation.family]
    cluster = parameters.get("name") or parameters.get("clusterName")
    for field, owed in (("projectId", parameters["groupId"]), (instance, cluster)):
        seen = document.get(field)
        if seen == owed:
            verdicts.held("S-ECHO")
        else:
            verdicts.check("S-ECHO", False, f"{field} {owed!r}, as in the path", seen, f"{pointer}/{field}")
    status = document.get("status")
    known = verdicts.check("S-STATUS", status in STATUSES, _ONE_OF_THE_STATUSES, status, f"{pointer}/status")
    delivery = document.get("deliveryType")
    verdicts.check(
        "S-DELIVERY", delivery in ("RESTORE", "DOWNLOAD"), "RESTORE or DOWNLOAD", delivery, f"{pointer}/deliveryType"
    )
    if delivery == "RESTORE":
        url = document.get("snapshotUrl")
        verdicts.check("S-URL", url is None, "no snapshotUrl but for DOWNLOAD", url, f"{pointer}/snapshotUrl")
    if known:
        finished = document.get("restoreFinishedDate")
        owed_date = status in TERMINAL
        expected = "restoreFinishedDate shown" if owed_date else "no restoreFinishedDate"
        seen = finished if finished is not None else "none"
        held = (finished is not None) == owed_date
        verdicts.check("S-FINISHED", held, f"{expected} while {status}", seen, f"{pointer}/restoreFinishedDate")
    _judge_dates(document, pointer, verdicts)


def _judge_dates(document: Mapping[str, Any], pointer: str, verdicts: Verdicts) -> None:
    """S-TIME: the form of each date and the order among them."""
    moments = {}
    for field in DATES:
        value = document.get(field)
        if value is None:
            continue
        moments[field] = instant(value)
        held = moments[field] is not None
        verdicts.check("S-TIME", held, "an RFC 3339 date-time in UTC, with Z", value, f"{pointer}/{field}")
    order = (
        ("snapshotFinishedDate", "restoreScheduledDate", False),
        ("restoreScheduledDate", "restoreFinishedDate", False),
        ("restoreScheduledDate", "expirationDate", True),
    )
    for earlier, later, strictly in order:
        first, second = moments.get(earlier), moments.get(later)
        if first is not None and second is not None:
            if first < second or (first == second and not strictly):
                verdicts.held("S-TIME")
                continue
            sign = "before" if strictly else "not after"
            expected = f"{earlier} {sign} {later}"
            seen = f"{document[earlier]} and {document[later]}"
            verdicts.check("S-TIME", False, expected, seen, f"{pointer}/{later}")


def _judge_dedicated(document: Mapping[str, Any], pointer: str, verdicts: Verdicts) -> None:
    delivery = document.get("deliveryType")
    if delivery not in ("automated", "download", "pointInTime"):
        return
    if delivery == "download":
        for field in TARGET_FIELDS:
            seen = document.get(field)
            verdicts.check("T-ONLY-TARGET", seen is None, f"no {field} on a download", seen, f"{pointer}/{field}")
    if delivery != "pointInTime":
        for field in POINT_FIELDS:
            seen = document.get(field)
            verdicts.check("T-ONLY-POINT", seen is None, f"no {field} but for pointInTime", seen, f"{pointer}/{field}")
    _judge_urls(delivery, document, pointer, verdicts)
    both = document.get("failed") is True and document.get("cancelled") is True
    verdicts.check("T-FLAGS", not both, "failed and cancelled never both true", "both true", f"{pointer}/failed")


def _judge_urls(delivery: str, document: Mapping[str, Any], pointer: str, verdicts: Verdicts) -> None:
    """T-ONLY-URL, and the register's K-EMPTY-URL: an empty array on a job that is no download."""
    found: list[tuple[str, Any]] = []
    urls = document.get("deliveryUrl")
    if isinstance(urls, list):
        found += [(f"{pointer}/deliveryUrl/{i}", url) for i, url in enumerate(urls)]
        if delivery != "download" and not urls:
            verdicts.value_failed(
                "T-ONLY-URL",
                "no deliveryUrl but for download",
                f"{pointer}/deliveryUrl",
                "/deliveryUrl",
                urls,
                document,
            )
    components = document.get("components")
    if isinstance(components, list):
        for i, component in enumerate(components):
            if isinstance(component, dict) and component.get("downloadUrl") is not None:
                found.append((f"{pointer}/components/{i}/downloadUrl", component["downloadUrl"]))
    for where, url in found:
        if delivery != "download":
            verdicts.failed("T-ONLY-URL", "a URL only for download", "a URL", where)
        else:
            held = isinstance(url, str) and _ABSOLUTE_HTTPS.matches(url)
            seen = "an absolute https URL" if held else f"no https URL: {shown(url)}"
            verdicts.check("T-ONLY-URL", held, "an absolute https URL", seen, where)
    if not found:
        verdicts.held("T-ONLY-URL")


def judge_creation(
    operation: Operation,
    parameters: Mapping[str, str],
    sent: Mapping[str, Any],
    document: Mapping[str, Any],
    pointer: str,
    verdicts: Verdicts,
) -> None:
    """Judge the answer of a create against the request that caused it: S-ECHO, S-DELIVERY, S-NEW, T-ECHO, T-NEW, …

    `sent` is the request's body; a property that is null counts as left out.
    """
    given = {name: value for name, value in sent.items() if value is not None}
    if operation.family == "cluster":
        _judge_dedicated_creation(given, document, pointer, verdicts)
        judge_freshness(operation, document, pointer, verdicts)
        return
    fields = ["snapshotId", "targetDeploymentItemName"]
    fields += ["targetProjectId"] if "targetProjectId" in given else []
    for field in fields:
        seen = document.get(field)
        expected = f"{field} {shown(given.get(field))}, as sent"
        verdicts.check("S-ECHO", seen == given.get(field), expected, seen, f"{pointer}/{field}")
    if "targetProjectId" not in given and document.get("targetProjectId") is not None:
        seen = document["targetProjectId"]
        expected = "targetProjectId the path's project where it is left out"
        verdicts.check("S-ECHO", seen == parameters["groupId"], expected, seen, f"{pointer}/targetProjectId")
    delivery = document.get("deliveryType")
    if delivery in ("RESTORE", "DOWNLOAD"):
        expected = "RESTORE for a job that restores to a target"
        verdicts.check("S-DELIVERY", delivery == "RESTORE", expected, delivery, f"{pointer}/deliveryType")
    judge_freshness(operation, document, pointer, verdicts)


def judge_freshness(operation: Operation, document: Mapping[str, Any], pointer: str, verdicts: Verdicts) -> None:
    """Judge the answer of a create by what no fresh job may show, whatever was asked for: S-NEW, T-NEW."""
    requirement = "T-NEW" if operation.family == "cluster" else "S-NEW"
    seen = document.get("id")
    verdicts.check(requirement, isinstance(seen, str), "an id on a fresh job", seen, f"{pointer}/id")
    if operation.family != "cluster":
        status = document.get("status")
        verdicts.check("S-NEW", status not in TERMINAL, "a fresh job not yet terminal", status, f"{pointer}/status")
        return
    seen = document.get("finishedAt")
    verdicts.check("T-NEW", seen is None, "no finishedAt on a fresh job", seen, f"{pointer}/finishedAt")
    for flag in ("cancelled", "failed", "expired"):
        seen = document.get(flag)
        verdicts.check("T-NEW", seen in (None, False), f"{flag} false on a fresh job", seen, f"{pointer}/{flag}")


def _judge_dedicated_creation(
    given: Mapping[str, Any], document: Mapping[str, Any], pointer: str, verdicts: Verdicts
) -> None:
    delivery = given.get("deliveryType")
    echoed = ["deliveryType"]
    if delivery == "automated":
        echoed += ["snapshotId", *TARGET_FIELDS]
    elif delivery == "download" or (document.get("snapshotId") is not None and "snapshotId" in given):
        echoed += ["snapshotId"]
    for field in echoed:
        if field in given:
            seen = document.get(field)
            expected = f"{field} {shown(given[field])}, as sent"
            verdicts.check("T-ECHO", seen == given[field], expected, seen, f"{pointer}/{field}")
    if delivery == "pointInTime":
        for field in POINT_FIELDS:
            if field in given and document.get(field) is not None:
                seen = document[field]
                expected = f"{field} {shown(given[field])}, as sent"
                verdicts.check("T-ONLY-POINT", seen == given[field], expected, seen, f"{pointer}/{field}")
        for field in TARGET_FIELDS:
            if field in given and document.get(field) is not None:
                seen = document[field]
                expected = f"{field} {shown(given[field])}, as sent"
                verdicts.check("T-ECHO", seen == given[field], expected, seen, f"{pointer}/{field}")
