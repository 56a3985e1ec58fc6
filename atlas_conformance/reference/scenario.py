"""Scenarios: what exists behind the endpoint and how it behaves, written by a person."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import AwareDatetime, Field, model_validator

from atlas_conformance.contracts.inventory import Impossible
from atlas_conformance.reference.authentication import SCHEMES
from atlas_conformance.reference.bodies import is_cluster_name, is_item_name
from atlas_conformance.reference.forms import FailingForm, Form, RuleForm
from atlas_conformance.reference.freedoms import known_imitations, resolve

Id = Annotated[str, Field(pattern="^[a-f0-9]{24}$", description="24 lower-case hexadecimal digits")]
Name = Annotated[str, Field(min_length=1, max_length=64)]
Kind = Literal["flex", "tenant", "dedicated"]
Lasting = Annotated[float, Field(gt=0, le=3_153_600_000)] | Literal["forever"]

FOREVER = 3_153_600_000.0
"""Seconds of a state that nobody waits for: a hundred years."""


class OrganizationForm(Form):
    """An organization."""

    id: Id
    name: Name = "Organization"


class ProjectForm(Form):
    """A project."""

    id: Id
    name: Name | None = Field(None, description="left out, `Project` and a number")
    organization: Id | None = Field(None, description="id of its organization; left out, the first one")


class SnapshotForm(Form):
    """A finished snapshot of a cluster."""

    id: Id
    finished: AwareDatetime | None = Field(
        None, description="when; left out, the last one a day before the start, each before it a day earlier"
    )
    fails: bool = Field(False, description="whether each restore of it fails")


class ClusterForm(Form):
    """A cluster with its snapshots. It is a restore target for its kind."""

    project: Id
    name: Annotated[str, Field(description="as clusters are named: ASCII letters, digits and hyphens, at most 64")]
    kind: Kind = "dedicated"
    sharded: bool = False
    point_in_time: bool = Field(True, description="whether a dedicated one can be restored to a moment")
    snapshots: list[SnapshotForm] = Field(default_factory=list)
    size: str | None = Field(None, description="instance size, such as M30")
    provider: Literal["AWS", "AZURE", "GCP"] = "AWS"
    region: str = "US_EAST_1"
    mongodb_version: Annotated[str, Field(pattern=r"^\d+\.\d+\.\d+$")] = "8.0.16"

    @model_validator(mode="after")
    def _makes_sense(self) -> ClusterForm:
        if not is_cluster_name(self.name):
            raise ValueError(
                f"{self.name!r} is no cluster name: 1 to 64 ASCII letters, digits and hyphens, no hyphen first"
            )
        if self.sharded and self.kind != "dedicated":
            raise ValueError(f"a {self.kind} cluster is never sharded")
        return self


class TargetForm(Form):
    """A further restore target, which no list of clusters shows."""

    project: Id
    name: str
    accepts: Annotated[list[Kind], Field(min_length=1)]
    impossible: Impossible | None = None

    @model_validator(mode="after")
    def _makes_sense(self) -> TargetForm:
        if not is_item_name(self.name):
            raise ValueError(f"{self.name!r} is no name of a target: 1 to 64 letters, digits and -_.(),:&@+'")
        return self


class CredentialForm(Form):
    """Credentials of one role, made up for the mock. What is left out is drawn from the seed."""

    public_key: Annotated[str, Field(min_length=1)] | None = None
    private_key: Annotated[str, Field(min_length=1)] | None = Field(default=None, repr=False)
    client_id: Annotated[str, Field(min_length=1)] | None = None
    client_secret: Annotated[str, Field(min_length=1)] | None = Field(default=None, repr=False)


class CredentialsForm(Form):
    """The three roles: one that may do everything, one that may read, one that is off the access list."""

    owner: CredentialForm = Field(default_factory=CredentialForm)
    reader: CredentialForm = Field(default_factory=CredentialForm)
    off_list: CredentialForm = Field(default_factory=CredentialForm)


class StatesForm(Form):
    """How many seconds each state of a restore job lasts, or `forever`; left out, as long as --step says."""

    PENDING: Lasting | None = None
    QUEUED: Lasting | None = None
    RUNNING: Lasting | None = None

    def seconds(self) -> dict[str, float]:
        """Return the seconds by state, of those that are given."""
        given = self.model_dump(exclude_none=True)
        return {state: FOREVER if lasting == "forever" else float(lasting) for state, lasting in given.items()}


class Scenario(Form):
    """A whole scenario file. All ids are the author's own."""

    seed: Annotated[int, Field(ge=0)] | None = Field(
        None, description="what ids of jobs and missing values are drawn from"
    )
    level: Literal["core", "extended"] | None = None
    schemes: list[Literal["digest", "bearer"]] | None = Field(None, description="authentication offered; [] for none")
    rate: Annotated[int, Field(ge=1)] | None = Field(None, description="requests a minute for each credential")
    latency: Annotated[float, Field(ge=0, le=600)] | None = Field(None, description="seconds added to each answer")
    freedoms: dict[str, str] = Field({}, description="other behaviours that the contract allows, by name")
    imitate: list[str] = Field([], description="known departures of the real service to show")
    organizations: list[OrganizationForm] = Field(default_factory=list)
    projects: list[ProjectForm] = Field([], description="left out, those that clusters name")
    clusters: Annotated[list[ClusterForm], Field(min_length=1)]
    targets: list[TargetForm] = Field(default_factory=list)
    credentials: CredentialsForm = CredentialsForm()
    states: StatesForm = StatesForm()
    failures: list[FailingForm] = Field([], description="restores that fail")
    rules: list[RuleForm] = Field([], description="requests that are answered otherwise, the first rule first")

    @model_validator(mode="after")
    def _makes_sense(self) -> Scenario:
        resolve(self.freedoms)
        known_imitations(self.imitate)
        for mistake in _mistakes(self):
            raise Misplaced(*mistake)
        return self

    @property
    def offered(self) -> tuple[str, ...] | None:
        """The authentication schemes, None where the scenario leaves them open."""
        return None if self.schemes is None else tuple(one for one in SCHEMES if one in self.schemes)


class Misplaced(ValueError):
    """A mistake that shows only in the whole: where it is, and one sentence."""

    def __init__(self, place: tuple[str | int, ...], sentence: str) -> None:
        super().__init__(sentence)
        self.place = place

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.place, *self.args), vars(self)


_Place = tuple[str | int, ...]


def _mistakes(scenario: Scenario) -> Iterator[tuple[_Place, str]]:
    """Yield what does not fit together."""
    yield from _twice("organizations", (one.id for one in scenario.organizations))
    yield from _twice("projects", (one.id for one in scenario.projects))
    organizations = {one.id for one in scenario.organizations}
    projects = {one.id for one in scenario.projects}
    for number, project in enumerate(scenario.projects):
        if project.organization is not None and project.organization not in organizations:
            yield ("projects", number, "organization"), f"there is no organization {project.organization}"
    places: set[tuple[str, str]] = set()
    snapshots: set[str] = set()
    for number, cluster in enumerate(scenario.clusters):
        here: _Place = ("clusters", number)
        if projects and cluster.project not in projects:
            yield (*here, "project"), f"there is no project {cluster.project} among the projects"
        if (cluster.project, cluster.name) in places:
            yield (*here, "name"), f"the project has two clusters called {cluster.name}"
        places.add((cluster.project, cluster.name))
        for index, snapshot in enumerate(cluster.snapshots):
            if snapshot.id in snapshots:
                yield (*here, "snapshots", index, "id"), f"two snapshots have the id {snapshot.id}"
            snapshots.add(snapshot.id)
            if snapshot.finished is not None and snapshot.finished > datetime.now(snapshot.finished.tzinfo):
                yield (*here, "snapshots", index, "finished"), "a snapshot cannot have been finished in the future"
    known = projects | {cluster.project for cluster in scenario.clusters}
    for number, target in enumerate(scenario.targets):
        if target.project not in known:
            yield ("targets", number, "project"), f"there is no project {target.project}"
        if (target.project, target.name) in places:
            yield ("targets", number, "name"), f"{target.name} is there already: each cluster is a target of its kind"
        places.add((target.project, target.name))
    for number, failure in enumerate(scenario.failures):
        if failure.project is not None and failure.project not in known:
            yield ("failures", number, "project"), f"there is no project {failure.project}"
        if failure.cluster is not None and failure.cluster not in {one.name for one in scenario.clusters}:
            yield ("failures", number, "cluster"), f"there is no cluster {failure.cluster}"
        if failure.snapshot is not None and failure.snapshot not in snapshots:
            yield ("failures", number, "snapshot"), f"there is no snapshot {failure.snapshot}"


def _twice(key: str, ids: Iterator[str]) -> Iterator[tuple[_Place, str]]:
    seen: set[str] = set()
    for number, one in enumerate(ids):
        if one in seen:
            yield (key, number, "id"), f"two {key} have the id {one}"
        seen.add(one)


def scenario_schema() -> dict[str, Any]:
    """Return the JSON Schema of scenario files."""
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **Scenario.model_json_schema()}
