"""What a run has before its journal."""

from __future__ import annotations

from dataclasses import dataclass

from atlas_conformance.contracts.exchange import Exchange
from atlas_conformance.contracts.knowledge import Knowledge
from atlas_conformance.http.client import Client
from atlas_conformance.reports.records import Header
from atlas_conformance.runner.learning import Learnt


@dataclass(frozen=True)
class Prepared:
    """What a run has before its journal: the client, what is known of the endpoint, the journal's header, the
    exchanges of the preflight, and what the first creates taught.
    """

    client: Client
    knowledge: Knowledge
    header: Header
    exchanges: tuple[Exchange, ...]
    learnt: Learnt

    @property
    def has_made_jobs(self) -> bool:
        """Whether a job was created already, which only a process that saw it can take into account."""
        return any(e.request.method == "POST" and e.response.status < 300 for e in self.learnt.exchanges)
