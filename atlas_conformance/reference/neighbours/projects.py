"""The root of the API, organizations and projects."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from atlas_conformance.reference.documents import rfc3339
from atlas_conformance.reference.fixtures import DAY, Organization, Project
from atlas_conformance.reference.messages import Answer, Refusal
from atlas_conformance.reference.neighbours.visits import GENERAL, Visit


def root(visit: Visit) -> Answer:
    """Say what API this is."""
    return visit.one(
        {"appName": "MongoDB Atlas", "build": "mock", "links": visit.links(), "throttling": False}, GENERAL
    )


def list_organizations(visit: Visit) -> Answer:
    """List organizations, those of one name alone where `name` is given."""
    named = visit.call.parameter("name")
    found = visit.backend.fixtures.organizations
    rows = (one for one in found if named is None or one.name.lower() == named.lower())
    return visit.page((_organization(visit, one) for one in rows), GENERAL)


def show_organization(visit: Visit, organization: str) -> Answer:
    """Show one organization."""
    return visit.one(_organization(visit, visit.organization(organization)), GENERAL)


def list_projects_of(visit: Visit, organization: str) -> Answer:
    """List the projects of one organization, those of one name alone where `name` is given."""
    visit.organization(organization)
    named = visit.call.parameter("name")
    found = (one for one in visit.backend.fixtures.described if one.organization == organization)
    return visit.page(_projects(visit, (one for one in found if named is None or one.name == named)), GENERAL)


def list_projects(visit: Visit) -> Answer:
    """List every project."""
    return visit.page(_projects(visit, visit.backend.fixtures.described), GENERAL)


def show_project(visit: Visit, project: str) -> Answer:
    """Show one project."""
    return visit.one(_project(visit, visit.project(project)), GENERAL)


def show_project_named(visit: Visit, name: str) -> Answer:
    """Show the project of a name."""
    for found in visit.backend.fixtures.described:
        if found.name == name:
            return visit.one(_project(visit, found), GENERAL)
    raise Refusal(404, "GROUP_NAME_NOT_FOUND", "There is no project of that name.", parameters=(name[:64],))


def list_nothing(visit: Visit, project: str) -> Answer:
    """List what a project here has none of: alerts, access list entries, database users."""
    visit.project(project)
    return visit.page((), GENERAL)


def _organization(visit: Visit, organization: Organization) -> Mapping[str, Any]:
    return {
        "id": organization.id,
        "isDeleted": False,
        "links": visit.links("orgs", organization.id),
        "name": organization.name,
        "skipDefaultAlertsSettings": False,
    }


def _projects(visit: Visit, projects: Iterable[Project]) -> Iterable[Mapping[str, Any]]:
    return (_project(visit, project) for project in projects)


def _project(visit: Visit, project: Project) -> Mapping[str, Any]:
    return {
        "clusterCount": sum(cluster.project == project.id for cluster in visit.clusters),
        "created": rfc3339(visit.backend.fixtures.epoch - 90 * DAY),
        "id": project.id,
        "links": visit.links("groups", project.id),
        "name": project.name,
        "orgId": project.organization,
        "withDefaultAlertsSettings": True,
    }
