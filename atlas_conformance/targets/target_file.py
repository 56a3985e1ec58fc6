"""The target file: TOML that describes an endpoint, read strictly and written back."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast, get_args

import regex
import tomlkit

from atlas_conformance.contracts.contract import Contract
from atlas_conformance.contracts.exchange import Credential
from atlas_conformance.contracts.inventory import Cluster, Impossible, Inventory, Kind, PointInTime, RestoreTarget
from atlas_conformance.contracts.operation import LEVELS, Level
from atlas_conformance.contracts.written import parse_toml, small_file
from atlas_conformance.http.failures import TargetError
from atlas_conformance.http.limits import parse_duration, parse_rate
from atlas_conformance.http.secret import Credentials
from atlas_conformance.http.target import MODES, Limits, Mode, Safety, Target, Tls, checked_base_url
from atlas_conformance.targets.identities import identities_from_environment, identities_from_table
from atlas_conformance.targets.own_headers import own_headers
from atlas_conformance.targets.table import Lines, Table, closest

__all__ = [
    "Target",
    "TargetError",
    "target_from_file",
    "target_from_text",
    "target_from_url",
    "write_target",
]

_OBJECT_ID = re.compile(r"[a-f0-9]{24}")
_CLUSTER_NAME = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9-]{0,63}")
_ITEM_NAME = regex.compile(r"[\p{L}\p{N}\-_.(),:&@+']{1,64}")
_KINDS: tuple[Kind, ...] = get_args(Kind)
_IMPOSSIBLE: tuple[Impossible, ...] = get_args(Impossible)
_INT32 = 2**31 - 1
_EARLIEST = 1199145600


def target_from_file(path: str | Path, environ: Mapping[str, str]) -> Target:
    """Read the target file at `path`; credentials come from `environ` or the secrets file that it names.

    Raises TargetError, with one sentence, for whatever is wrong with the file or the environment.
    """
    path = Path(path)
    try:
        text = small_file(path).decode("utf-8")
    except OSError as error:
        raise TargetError(f"{path}: cannot be read ({(error.strerror or 'no reason given').lower()})") from None
    except UnicodeDecodeError:
        raise TargetError(f"{path}: is not UTF-8 text") from None
    return target_from_text(text, environ, source=path)


def target_from_text(text: str, environ: Mapping[str, str], *, source: Path | None = None) -> Target:
    """Read a target from TOML text; `source` is where it came from, for messages and relative paths."""
    name = str(source) if source else "target"
    try:
        document = parse_toml(text)
    except tomllib.TOMLDecodeError as error:
        raise TargetError(f"{name}: is not TOML: {error}") from None
    except RecursionError:
        raise TargetError(f"{name}: is nested too deeply") from None
    except ValueError:
        raise TargetError(f"{name}: holds a number of more digits than can be read") from None
    root = Table(document, name, Lines(text))
    url = root.take("base_url", str)
    if url is not None:
        base_url = checked_base_url(url, root.place("base_url"))
    elif environ.get("MONGODB_ATLAS_BASE_URL"):
        base_url = checked_base_url(environ["MONGODB_ATLAS_BASE_URL"], "MONGODB_ATLAS_BASE_URL")
    else:
        raise TargetError(f'{name}: lacks base_url, for example base_url = "https://cloud.mongodb.com"')
    level = cast("Level | None", root.choice("level", LEVELS))
    operations = _operations(root)
    contact = _contact(root)
    authentication = root.table("authentication")
    clusters = tuple(_cluster(table) for table in root.tables("clusters"))
    targets = tuple(_restore_target(table) for table in root.tables("restore_targets"))
    _refuse_duplicates(root, "clusters", [(c.project, c.name) for c in clusters])
    _refuse_duplicates(root, "restore_targets", [(t.project, t.name) for t in targets])
    known = {(c.project, c.name) for c in clusters} | {(t.project, t.name) for t in targets}
    safety = _safety(root.table("safety"), known)
    limits = _limits(root.table("limits"))
    tls = _tls(root.table("tls"), source)
    headers = own_headers(root.table("headers"), environ)
    root.finish()
    secrets_file: str | None = None
    if authentication is None:
        credentials = identities_from_environment(environ)
    else:
        credentials, secrets_file = identities_from_table(authentication, environ, source.parent if source else Path())
    return Target(
        base_url,
        level,
        operations,
        Inventory(clusters, targets),
        credentials,
        limits,
        safety,
        contact,
        source,
        secrets_file,
        tls,
        headers,
    )


def target_from_url(url: str | None, environ: Mapping[str, str]) -> Target:
    """Make a target from a base URL alone (None: from MONGODB_ATLAS_BASE_URL); credentials from the usual variables.

    Raises TargetError if the URL is no base URL, or half of a credential is missing.
    """
    where = "--base-url"
    if url is None:
        where = "MONGODB_ATLAS_BASE_URL"
        url = environ.get(where)
        if not url:
            raise TargetError("no base URL given: name a target file or set MONGODB_ATLAS_BASE_URL")
    return Target(checked_base_url(url, where), credentials=identities_from_environment(environ))


def write_target(target: Target) -> str:
    """Return the target as the text of a target file: what reads back as the same target, never a secret."""
    document = tomlkit.document()
    document["base_url"] = target.base_url
    for key, value in (("level", target.level), ("contact", target.contact)):
        if value is not None:
            document[key] = value
    if target.operations is not None:
        document["operations"] = sorted(target.operations)
    authentication = _authentication_document(target)
    if authentication:
        document["authentication"] = authentication
    if target.headers:
        document["headers"] = {name: header.variable for name, header in target.headers.items()}
    if target.inventory.clusters:
        document["clusters"] = [_cluster_document(cluster) for cluster in target.inventory.clusters]
    if target.inventory.targets:
        document["restore_targets"] = [_restore_target_document(item) for item in target.inventory.targets]
    safety: dict[str, Any] = {} if target.safety.mode is None else {"mode": target.safety.mode}
    if target.safety.destroyable:
        safety["destroyable"] = [{"project": p, "cluster": c} for p, c in sorted(target.safety.destroyable)]
    if target.safety.max_jobs is not None:
        safety["max_jobs"] = target.safety.max_jobs
    if target.safety.max_snapshots is not None:
        safety["max_snapshots"] = target.safety.max_snapshots
    limits = _changed(target.limits, Limits())
    if "rate" in limits:
        limits["rate"] = f"{limits['rate'] * 60:.10f}".rstrip("0").rstrip(".") + "/min"
    if "run_seconds" in limits:
        limits["time_limit"] = f"{limits.pop('run_seconds'):.10f}".rstrip("0").rstrip(".") + "s"
    for key, table in (("safety", safety), ("limits", limits), ("tls", _changed(target.tls, Tls()))):
        if table:
            document[key] = table
    return tomlkit.dumps(document)


def _changed(value: Limits | Tls, default: Limits | Tls) -> dict[str, Any]:
    names = type(value).__slots__
    return {name: getattr(value, name) for name in names if getattr(value, name) != getattr(default, name)}


def _authentication_document(target: Target) -> dict[str, Any]:
    document: dict[str, Any] = {}
    if target.secrets_file is not None:
        document["secrets_file"] = target.secrets_file
    owner = target.credentials.get("owner")
    if owner:
        document.update(owner.names)
    sections: tuple[tuple[Credential, str], ...] = (("reader", "reader"), ("off-list", "off_list"))
    for credential, section in sections:
        identity: Credentials | None = target.credentials.get(credential)
        if identity:
            document[section] = dict(identity.names)
    return document


def _cluster_document(cluster: Cluster) -> dict[str, Any]:
    document: dict[str, Any] = {"project": cluster.project, "name": cluster.name, "kind": cluster.kind}
    if cluster.sharded:
        document["sharded"] = True
    if cluster.snapshots:
        document["snapshots"] = list(cluster.snapshots)
    if cluster.point_in_time is not None:
        moment = cluster.point_in_time
        pairs = (("utc_seconds", moment.utc_seconds), ("oplog_ts", moment.oplog_ts), ("oplog_inc", moment.oplog_inc))
        table = tomlkit.inline_table()
        table.update({key: value for key, value in pairs if value is not None})
        document["point_in_time"] = table
    return document


def _operations(root: Table) -> frozenset[str] | None:
    names = root.strings("operations")
    for name in names or ():
        if name not in Contract.load().operations:
            root.fail(
                "operations", f"names {name!r}, which is no operation{closest(name, tuple(Contract.load().operations))}"
            )
    if names is not None and not names:
        root.fail("operations", "is empty; leave it out if the endpoint offers every operation")
    return None if names is None else frozenset(names)


def _contact(root: Table) -> str | None:
    contact = root.take("contact", str)
    if contact is not None and (not contact or any(not 32 < ord(c) < 127 or c in "()\\" for c in contact)):
        root.fail("contact", "must be a URL or mail address in ASCII without spaces or parentheses")
    return contact


def _object_id(table: Table, key: str, value: str) -> str:
    if not _OBJECT_ID.fullmatch(value):
        table.fail(key, f"is {value!r}, which is not an id of 24 lower-case hexadecimal digits")
    return value


def _cluster(table: Table) -> Cluster:
    project = _object_id(table, "project", table.need("project", str))
    name = table.need("name", str)
    if not _CLUSTER_NAME.fullmatch(name):
        table.fail(
            "name", f"is {name!r}, which is no cluster name (1 to 64 letters, digits, hyphens, the first no hyphen)"
        )
    table.need("kind", str)
    kind = cast(Kind, table.choice("kind", _KINDS))
    sharded = table.take("sharded", bool) or False
    snapshots = table.strings("snapshots") or ()
    for snapshot in snapshots:
        _object_id(table, "snapshots", snapshot)
    moment = _point_in_time(table.table("point_in_time"))
    table.finish()
    if kind != "dedicated" and sharded:
        table.fail("sharded", "is true, which only a dedicated cluster can be")
    if kind != "dedicated" and moment is not None:
        table.fail("point_in_time", "is given, which only a dedicated cluster has")
    return Cluster(project, name, kind, sharded, snapshots, moment)


def _point_in_time(table: Table | None) -> PointInTime | None:
    if table is None:
        return None
    values = {}
    for key, least in (("utc_seconds", _EARLIEST), ("oplog_ts", _EARLIEST), ("oplog_inc", 1)):
        value = values[key] = table.take(key, int)
        if value is not None and not least <= value <= _INT32:
            table.fail(key, f"is {value}, which is not between {least} and {_INT32}")
    table.finish()
    if (values["oplog_ts"] is None) != (values["oplog_inc"] is None):
        table.fail("", "needs oplog_ts and oplog_inc together")
    if not any(values.values()):
        table.fail("", "is empty; give utc_seconds, or oplog_ts and oplog_inc, or all three")
    return PointInTime(**values)


def _restore_target_document(target: RestoreTarget) -> dict[str, Any]:
    document: dict[str, Any] = {"project": target.project, "name": target.name, "accepts": sorted(target.accepts)}
    return document if target.impossible is None else document | {"impossible": target.impossible}


def _restore_target(table: Table) -> RestoreTarget:
    project = _object_id(table, "project", table.need("project", str))
    name = table.need("name", str)
    if not _ITEM_NAME.fullmatch(name):
        table.fail("name", f"is {name!r}, which is no item name (1 to 64 letters, digits and -_.(),:&@+')")
    table.need("accepts", list)
    accepts = table.strings("accepts") or ()
    for kind in accepts:
        if kind not in _KINDS:
            table.fail("accepts", f"names {kind!r}, which is not one of {', '.join(_KINDS)}{closest(kind, _KINDS)}")
    if not accepts:
        table.fail("accepts", f"is empty; name at least one of {', '.join(_KINDS)}")
    impossible = table.take("impossible", str)
    if impossible is not None and impossible not in _IMPOSSIBLE:
        known = " or ".join(repr(reason) for reason in _IMPOSSIBLE)
        close = closest(impossible, _IMPOSSIBLE)
        table.fail("impossible", f"is {impossible!r}; a restore is impossible for {known}{close}")
    table.finish()
    kinds = frozenset(cast("tuple[Kind, ...]", accepts))
    return RestoreTarget(project, name, kinds, impossible)


def _refuse_duplicates(root: Table, key: str, pairs: list[tuple[str, str]]) -> None:
    for index, pair in enumerate(pairs):
        if pair in pairs[:index]:
            root.fail(f"{key}[{index}]", f"repeats {pair[1]!r} of project {pair[0]}")


def _safety(table: Table | None, known: set[tuple[str, str]]) -> Safety:
    if table is None:
        return Safety()
    mode = cast("Mode | None", table.choice("mode", MODES))
    destroyable = set()
    for entry in table.tables("destroyable"):
        pair = _object_id(entry, "project", entry.need("project", str)), entry.need("cluster", str)
        entry.finish()
        if pair not in known:
            names = tuple(name for project, name in known if project == pair[0])
            hint = closest(pair[1], names)
            entry.fail("cluster", f"is {pair[1]!r}, which neither clusters nor restore_targets list in {pair[0]}{hint}")
        destroyable.add(pair)
    max_jobs, max_snapshots = _number_from_0(table, "max_jobs"), _number_from_0(table, "max_snapshots")
    table.finish()
    return Safety(mode, frozenset(destroyable), max_jobs, max_snapshots=max_snapshots)


def _number_from_0(table: Table, key: str) -> int | None:
    number = table.take(key, int)
    if number is not None and number < 0:
        table.fail(key, f"is {number}; it must be 0 or more")
    return number


def _limits(table: Table | None) -> Limits:
    default = Limits()
    if table is None:
        return default
    rate_text = table.take("rate", str)
    rate = None if rate_text is None else parse_rate(rate_text, table.place("rate"))
    time_text = table.take("time_limit", str)
    run_seconds = None if time_text is None else parse_duration(time_text, table.place("time_limit"))
    numbers: dict[str, float] = {}
    for key in ("timeout_seconds", "connect_seconds", "pause_seconds"):
        number = table.take(key, float)
        numbers[key] = getattr(default, key) if number is None else number
        if not 0 < numbers[key] <= 86400 and not (key == "pause_seconds" and number == 0):
            table.fail(key, f"is {numbers[key]:g}; it must be above 0 and at most a day")
    body_bytes = table.take("body_bytes", int)
    retries = table.take("retries", int)
    if body_bytes is not None and body_bytes < 1024:
        table.fail("body_bytes", f"is {body_bytes}; it must be at least 1024")
    if retries is not None and not 0 <= retries <= 100:
        table.fail("retries", f"is {retries}; it must be between 0 and 100")
    table.finish()
    return Limits(
        rate,
        numbers["timeout_seconds"],
        numbers["connect_seconds"],
        default.body_bytes if body_bytes is None else body_bytes,
        default.retries if retries is None else retries,
        numbers["pause_seconds"],
        run_seconds,
    )


def _tls(table: Table | None, source: Path | None) -> Tls:
    if table is None:
        return Tls()
    values: dict[str, str | None] = {}
    for key in ("ca_file", "client_certificate", "client_key"):
        value = values[key] = table.take(key, str)
        if value is not None:
            path = (source.parent if source else Path()) / value
            if not path.is_file():
                table.fail(key, f"is {value!r}, and there is no such file")
            values[key] = str(path)
    table.finish()
    if values["client_key"] and not values["client_certificate"]:
        table.fail("client_key", "is given without client_certificate")
    return Tls(**values)
