"""What a run rests on, and its phases: prepared, open (`open_run.py`), finished."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from atlas_conformance.contracts.contract import Contract
from atlas_conformance.contracts.exchange import Exchange
from atlas_conformance.contracts.finding import Finding
from atlas_conformance.contracts.knowledge import Knowledge
from atlas_conformance.http.client import Client
from atlas_conformance.http.failures import NoAnswer
from atlas_conformance.reports.gates.gate import Policy
from atlas_conformance.reports.model import Report
from atlas_conformance.reports.records import Header
from atlas_conformance.reports.standing import Standing
from atlas_conformance.reports.writing import Written
from atlas_conformance.runner.connector import Connector
from atlas_conformance.runner.learning import Learnt
from atlas_conformance.runner.options import Options
from atlas_conformance.runner.pauses import Clock
from atlas_conformance.runner.served import Served
from atlas_conformance.runner.waits import Waits


@dataclass(frozen=True)
class Setup:
    """What a run rests on from its start to its end.

    The endpoint is held to `contract`. `stop` is asked after each finding whether the run has seen enough; None lets it
    go on to the end. Without a `clock` real time passes.
    """

    options: Options
    policy: Policy
    served: Served
    connector: Connector
    waits: Waits
    contract: Contract
    stop: Callable[[Finding], bool] | None = None
    clock: Clock | None = None


@dataclass(frozen=True)
class PreparedRun:
    """What a run has before its journal: the client, what is known of the endpoint, the journal's header, the
    exchanges of the preflight, what the first creates taught, and the requests that had no answer.
    """

    client: Client
    knowledge: Knowledge
    header: Header
    exchanges: tuple[Exchange, ...]
    learnt: Learnt
    unanswered: Sequence[NoAnswer] = ()

    @property
    def has_made_jobs(self) -> bool:
        """Whether a job was created already, which only a process that saw it can take into account."""
        return any(e.request.method == "POST" and e.response.status < 300 for e in self.learnt.exchanges)


@dataclass(frozen=True)
class FinishedRun:
    """A run whose journal has ended: its report, where it stands if a gate was asked for, and the files written.

    `complaints` are sentences on what went wrong at the end, beside the verdict.
    """

    report: Report
    standing: Standing | None
    written: Written
    waivers_added: int
    complaints: tuple[str, ...]

    @property
    def exit_code(self) -> int:
        """The gate's exit code, where one was asked for, else the verdict's."""
        return self.report.exit_code if self.standing is None else self.standing.exit_code
