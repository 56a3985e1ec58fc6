"""A commented target file (TOML) of what an endpoint lists, in which nothing destructive is enabled."""

from __future__ import annotations

import json
from collections.abc import Iterator

from atlas_conformance.contracts.inventory import PointInTime
from atlas_conformance.contracts.phrases import one_line
from atlas_conformance.http.secret import USUAL_NAMES
from atlas_conformance.targets.asking import Asked, Found

_WIDTH = 300
_FILL_IN = "FILL IN"


def draft(base_url: str, asked: Asked) -> str:
    """Return the text of a target file for the endpoint at `base_url`.

    Where no cluster is known it holds a table to fill in, with which the file is TOML but no target yet.
    """
    parts = (_head(base_url), _authentication(), _clusters(asked), _targets(asked), _safety(asked))
    return "\n".join(line for part in parts for line in part) + "\n"


def _head(base_url: str) -> Iterator[str]:
    yield "# What atlas-conformance knows of this endpoint, drafted from what it lists. Look through it before you run."
    yield "# Nothing in it lets a run change anything: the mode is read, and no restore target is named."
    yield ""
    yield f"base_url = {_string(base_url)}"
    yield '# level = "extended"  # claim "core", "extended" or "workflow"; default: the run finds it out'
    yield '# operations = ["flex-create", "flex-get"]  # if the endpoint offers fewer than its level'
    yield '# contact = "https://example.com/about"    # goes into the User-Agent'


def _authentication() -> Iterator[str]:
    pairs = (("public_key", "private_key"), ("client_id", "client_secret"))
    names = [" and ".join(USUAL_NAMES[key] for key in pair) for pair in pairs]
    yield ""
    yield "# Credentials come from environment variables, which are named here, never written. Without this table"
    yield f"# {names[0]} are used,"
    yield f"# or {names[1]}."
    yield "# [authentication]"
    for key, name in USUAL_NAMES.items():
        yield f"# {key} = {_string(name)}"
    for table, whose, needed in (
        ("reader", "READER", "without the Project Owner role, for A-ROLE"),
        ("off_list", "OFF_LIST", "whose access list this address is not on, for A-LIST"),
    ):
        yield ""
        yield f"# [authentication.{table}]  # a credential {needed}"
        yield f'# public_key = "ATLAS_{whose}_PUBLIC_KEY"'
        yield f'# private_key = "ATLAS_{whose}_PRIVATE_KEY"'


def _clusters(asked: Asked) -> Iterator[str]:
    yield ""
    yield "# What requests are built from; the more kinds of cluster there are, the more is exercised."
    for remark in asked.remarks:
        yield f"# Note: {_comment(remark)}."
    names = {project.id: _comment(project.name) for project in asked.projects}
    for found in asked.clusters:
        yield from _cluster(found, names.get(found.cluster.project, ""))
    if not asked.clusters:
        yield from _placeholder(asked)


def _cluster(found: Found, project_name: str) -> Iterator[str]:
    cluster = found.cluster
    yield ""
    if found.remark:
        yield f"# Note: {_comment(found.remark)}."
    yield "[[clusters]]"
    yield f"project = {_string(cluster.project)}" + (f"  # {project_name}" if project_name else "")
    yield f"name = {_string(cluster.name)}"
    yield f"kind = {_string(cluster.kind)}"
    if cluster.sharded:
        yield "sharded = true"
    if cluster.snapshots:
        yield f"snapshots = [{', '.join(map(_string, cluster.snapshots))}]"
    if cluster.kind == "dedicated":
        yield from _point_in_time(cluster.point_in_time, found.moment_sure)


def _point_in_time(moment: PointInTime | None, sure: bool) -> Iterator[str]:
    if moment is not None and sure:
        yield f"point_in_time = {{ utc_seconds = {moment.utc_seconds} }}  # when its newest snapshot was done"
    elif moment is not None:
        yield "# Its newest snapshot; give a moment that it can be restored to:"
        yield f"# point_in_time = {{ utc_seconds = {moment.utc_seconds} }}"
    else:
        yield "# point_in_time = { utc_seconds = 1767225600, oplog_ts = 1767225600, oplog_inc = 1 }"


def _placeholder(asked: Asked) -> Iterator[str]:
    project = asked.projects[0].id if asked.projects else _FILL_IN
    yield ""
    yield "# No cluster is known, so fill in one that exists; more may follow. An endpoint that accepts any well-formed"
    yield "# id needs none: then delete this table."
    yield "[[clusters]]"
    yield f"project = {_string(project)}  # 24 lower-case hexadecimal digits"
    yield f"name = {_string(_FILL_IN)}  # the cluster's name"
    yield 'kind = "flex"  # "flex", "tenant" or "dedicated"'
    yield "snapshots = []  # ids of snapshots that can be restored, 24 lower-case hexadecimal digits each"


def _targets(asked: Asked) -> Iterator[str]:
    yield ""
    yield "# Where restores may go. A restore deletes the data of its target first, so name none whose data you need."
    yield '# A target that must refuse every restore says why: impossible = "encryption at rest", if its data is'
    yield '# encrypted, or "other major version", if it runs another major version of MongoDB than the snapshots.'
    for found in asked.clusters:
        yield ""
        yield "# [[restore_targets]]"
        yield f"# project = {_string(found.cluster.project)}"
        yield f"# name = {_string(found.cluster.name)}"
        yield f"# accepts = [{_string(found.cluster.kind)}]"
    if not asked.clusters:
        yield "# [[restore_targets]]"
        yield '# project = "32b6e34b3d91647abb20e7b8"'
        yield '# name = "Scratch0"'
        yield '# accepts = ["flex", "dedicated"]'


def _safety(asked: Asked) -> Iterator[str]:
    project = asked.projects[0].id if asked.projects else "32b6e34b3d91647abb20e7b8"
    yield ""
    yield "[safety]"
    yield 'mode = "read"  # "refusals" also sends creates that must be refused; restores also need --mode restore'
    yield "# The only clusters whose data a restore may delete, each of them named above:"
    yield f'# destroyable = [{{ project = {_string(project)}, cluster = "Scratch0" }}]'
    yield "# max_jobs = 20"
    yield "# max_snapshots = 2"
    yield ""
    yield "[limits]"
    yield '# rate = "600/min"'
    yield "timeout_seconds = 10  # for one complete answer"


def _string(value: str) -> str:
    """Return a TOML basic string; JSON's strings are some, but for DEL, which JSON leaves as it is."""
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def _comment(text: str) -> str:
    """Return text of an endpoint such that it stays inside its comment."""
    return one_line(text, _WIDTH).rstrip(".")
