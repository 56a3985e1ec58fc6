"""One call to a neighbour: what it may look up, the media type that it is answered with, and pages."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from hashlib import sha256
from typing import Any

from atlas_conformance.contracts.inventory import Cluster
from atlas_conformance.reference.backend import Backend
from atlas_conformance.reference.documents import MOST_ITEMS, MOST_PAGES, USUAL_ITEMS, page_links
from atlas_conformance.reference.fixtures import Organization, Project
from atlas_conformance.reference.messages import Answer, Call, Refusal
from atlas_conformance.reference.negotiation import media_range, version_of

GENERAL = ("2023-01-01",)
FLEX = ("2024-11-13",)
CLUSTERS = ("2023-01-01", "2023-02-01", "2024-08-05")
SCHEDULES = ("2023-01-01", "2024-08-05")

Rows = Iterable[Mapping[str, Any]]
_ANY = frozenset({"*/*", "application/*", "application/json"})


@dataclass(frozen=True, slots=True)
class Visit:
    """A call to a neighbour. `api` is "v2" or "v1.0", `base` the endpoint's URL, for links."""

    backend: Backend
    call: Call
    api: str
    base: str

    @property
    def clusters(self) -> Sequence[Cluster]:
        """Every cluster that exists."""
        return self.backend.fixtures.inventory.clusters

    def organization(self, wanted: str) -> Organization:
        """Return an organization; raises a 404 Refusal where there is none of that id."""
        for found in self.backend.fixtures.organizations:
            if found.id == wanted:
                return found
        raise Refusal(404, "ORG_NOT_FOUND", "There is no such organization.", parameters=(wanted[:64],))

    def project(self, wanted: str) -> Project:
        """Return a project; raises a 404 Refusal where there is none of that id."""
        for found in self.backend.fixtures.described:
            if found.id == wanted:
                return found
        raise Refusal(404, "GROUP_NOT_FOUND", "There is no such project.", parameters=(wanted[:64],))

    def cluster(self, project: str, name: str, *kinds: str) -> Cluster:
        """Return a cluster of one of these kinds; raises a 404 Refusal where there is none."""
        self.project(project)
        found = self.backend.fixtures.clusters.get((project, name))
        if found is None or found.kind not in kinds:
            raise Refusal(404, "CLUSTER_NOT_FOUND", "There is no such cluster.", parameters=(name[:64],))
        return found

    def href(self, *segments: str) -> str:
        """Return the URL of a place in this API."""
        return "/".join((f"{self.base}/api/atlas/{self.api}", *segments))

    def links(self, *segments: str) -> list[dict[str, str]]:
        """Return the links of one thing: to itself."""
        return [{"href": self.href(*segments), "rel": "self"}]

    # Answers

    def version(self, versions: Sequence[str]) -> str:
        """Return the newest of a resource's versions that the call takes; raises a 406 Refusal where it takes none."""
        if self.api == "v1.0":
            return versions[-1]
        taken: set[str] = set()
        for one in map(media_range, (self.call.accept or "*/*").split(",")):
            if one in _ANY:
                taken.add(versions[-1])
            elif (asked := version_of(one)) is not None:
                taken.update([known for known in versions if date.fromisoformat(known) <= asked][-1:])
        if not taken:
            raise Refusal(406, "NOT_ACCEPTABLE", f"This resource has the versions {', '.join(versions)}.")
        return max(taken)

    def one(self, document: Mapping[str, Any], versions: Sequence[str]) -> Answer:
        """Return the answer that shows one thing."""
        return Answer(200, dict(document), self._media_type(self.version(versions)))

    def page(self, rows: Rows, versions: Sequence[str]) -> Answer:
        """Return the answer that shows the page asked for; raises a 400 Refusal if its number or size is invalid."""
        media_type = self._media_type(self.version(versions))
        every = list(rows)
        items = self._number("itemsPerPage", USUAL_ITEMS, MOST_ITEMS)
        number = self._number("pageNum", 1, MOST_PAGES)
        counted = self.call.parameter("includeCount") != "false"
        more = number * items < len(every)
        document: dict[str, Any] = {
            "links": page_links(self.base, self.call.path, number, items, more, counted),
            "results": every[(number - 1) * items : number * items],
        }
        if counted:
            document["totalCount"] = len(every)
        return Answer(200, document, media_type, listed=True)

    def _media_type(self, version: str) -> str:
        return "application/json" if self.api == "v1.0" else f"application/vnd.atlas.{version}+json"

    def _number(self, name: str, usual: int, most: int) -> int:
        text = self.call.parameter(name)
        if text is None:
            return usual
        value = int(text[:12]) if text.isascii() and text.isdigit() else 0
        if not 1 <= value <= most:
            raise Refusal(400, "INVALID_QUERY_PARAMETER", f"{name} must be between 1 and {most}.", parameters=(name,))
        return value


def identity(*of: str) -> str:
    """Return an id of 24 hexadecimal digits that is the same for the same thing each time."""
    return sha256("/".join(of).encode()).hexdigest()[:24]
