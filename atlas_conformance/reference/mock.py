"""`MockAtlas`: a mock Atlas inside a Python program, for tests of clients."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from inspect import signature
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, TypeVar

from atlas_conformance.contracts.inventory import Cluster, Kind
from atlas_conformance.reference.arguments import are_names, check_arguments
from atlas_conformance.reference.controls import Controls, JobState, SeenRequest
from atlas_conformance.reference.credentials import Credentials, client_environment
from atlas_conformance.reference.directions import Rule
from atlas_conformance.reference.fixtures import Fixtures, Snapshot
from atlas_conformance.reference.outcomes import Failing
from atlas_conformance.reference.server import ReferenceServer, ServerError
from atlas_conformance.reference.tls import Certificate, make_certificate

if TYPE_CHECKING:
    from atlas_conformance.reference.scenario import Scenario

T = TypeVar("T")

__all__ = ["JobState", "MockAtlas", "SeenRequest", "ServerError"]


_OPTIONS = tuple(
    name
    for name in signature(ReferenceServer).parameters
    if name not in ("scenario", "seed", "step", "control", "in_process")
)
_TAKEN = ("scenario", "seed", "step", "tls", *_OPTIONS)


class MockAtlas:
    """A mock Atlas on a port of this machine, served from a thread of this process; a context manager.

    - `scenario`: a scenario file, as its path, or a `Scenario`: what exists and how it behaves. Left out, two projects
      with clusters of each kind, drawn from `seed`.
    - `step`: seconds that a restore job stays in each state, where the scenario does not say.
    - `tls`: serve https, with a certificate made on the spot; clients are to trust the file `ca_file`.
    - `options`: further arguments of `ReferenceServer`, such as `freedoms`, `authentication`, `rate` and `latency`.

    Making it raises TypeError for an argument that it does not take, and ServerError for one of a wrong type. Entering
    raises ServerError, or ScenarioError for a scenario that can't be used. Every method may be called from any
    thread; each takes effect between two requests.
    """

    def __init__(
        self,
        scenario: Scenario | Path | str | None = None,
        *,
        seed: int | None = 1,
        step: float | None = None,
        tls: bool = False,
        **options: Any,
    ) -> None:
        for name in options:
            if name not in _OPTIONS:
                raise TypeError(f"MockAtlas takes {', '.join(_TAKEN)}, not {name}")
        if scenario is not None and not isinstance(scenario, str | Path):
            from atlas_conformance.reference.scenario import Scenario

            if not isinstance(scenario, Scenario):
                raise ServerError(f"scenario is a Scenario or the path of a scenario file, not {scenario!r}")
        check_arguments({"seed": seed, "step": step, **options})
        self._scenario = scenario
        self._options: dict[str, Any] = {"seed": seed, "step": step, **options}
        self._tls = tls
        self._folder: Path | None = None
        self._certificate: Certificate | None = None
        self._server: ReferenceServer | None = None

    def __enter__(self) -> MockAtlas:
        options = dict(self._options)
        if self._scenario is not None:
            from atlas_conformance.reference.scenario import Scenario
            from atlas_conformance.reference.scenario_file import read_scenario
            from atlas_conformance.reference.scenario_fixtures import scenario_options

            given = self._scenario
            said = scenario_options(given if isinstance(given, Scenario) else read_scenario(Path(given)))
            freedoms = {**said["freedoms"], **(options.get("freedoms") or {})}
            options = {**options, **said, **self._given(), "freedoms": freedoms}
        if self._tls:
            self._folder = Path(tempfile.mkdtemp(prefix="mock-atlas-"))
            self._certificate = made = make_certificate(self._folder, options.get("host", "127.0.0.1"))
            options["certificate"] = (str(made.certificate), str(made.key))
        server = ReferenceServer(**options, control=True, in_process=True)
        try:
            self._server = server.__enter__()
        except BaseException:
            self._clear()
            raise
        return self

    def _given(self) -> dict[str, Any]:
        """Return the options that were asked for by name; they win over the scenario."""
        return {name: value for name, value in self._options.items() if name not in ("seed", "step", "freedoms")}

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        server, self._server = self._server, None
        if server is not None:
            server.stop()
        self._clear()

    def _clear(self) -> None:
        folder, self._folder = self._folder, None
        if folder is not None:
            shutil.rmtree(folder, ignore_errors=True)

    @property
    def server(self) -> ReferenceServer:
        """The endpoint; raises ServerError before it is entered and after it is left."""
        if self._server is None:
            raise ServerError("the mock is not running; enter it with `with`")
        return self._server

    def _do(self, action: Callable[[Controls], T]) -> T:
        service = self.server.service
        return service.call(lambda: action(service.controls))

    # What is served

    @property
    def url(self) -> str:
        """The base URL: everything before /api/."""
        return self.server.url

    @property
    def ca_file(self) -> Path | None:
        """The certificate authority that clients are to trust; None without TLS."""
        self.server  # noqa: B018 - raises where it is not running
        return None if self._certificate is None else self._certificate.authority

    @property
    def credentials(self) -> Credentials:
        """The credentials that are taken."""
        return self.server.credentials

    @property
    def environment(self) -> Mapping[str, str]:
        """The environment variables that clients read: MONGODB_ATLAS_BASE_URL, keys, and client id and secret."""
        return client_environment(self.url, self.credentials)

    @property
    def fixtures(self) -> Fixtures:
        """Everything that exists."""
        return self.server.fixtures

    def cluster(self, kind: Kind = "dedicated", *, name: str | None = None, sharded: bool = False) -> Cluster:
        """Return the first cluster of a kind, or the one of that name; raises LookupError where there is none."""
        for found in self.fixtures.inventory.clusters:
            if found.name == name or (name is None and (found.kind, found.sharded) == (kind, sharded)):
                return found
        raise LookupError(f"there is no cluster {name}" if name is not None else f"there is no {kind} cluster")

    def snapshots(self, cluster: Cluster, *, failing: bool | None = None) -> list[Snapshot]:
        """Return the snapshots of a cluster in its order: those whose restore fails, or does not, or all."""
        found = [self.fixtures.snapshots[one] for one in cluster.snapshots]
        return [one for one in found if failing is None or one.failing == failing]

    # Time

    @property
    def now(self) -> datetime:
        """The time that the mock goes by."""
        return datetime.fromtimestamp(self._do(lambda controls: controls.clock.now()), UTC)

    def freeze(self) -> None:
        """Stop the clock: no job moves until it is advanced or resumed."""
        self._do(lambda controls: controls.clock.freeze())

    def resume(self) -> None:
        """Let the clock run on."""
        self._do(lambda controls: controls.clock.resume())

    def advance(self, *, seconds: float = 0, minutes: float = 0, hours: float = 0) -> None:
        """Move the clock forward, whether it runs or stands; raises ValueError where that is backward."""
        self._do(lambda controls: controls.clock.advance(seconds + 60 * minutes + 3600 * hours))

    def advance_to_next(self, job: str | None = None) -> None:
        """Move the clock to the next change of any job's state, or of this job's; raises ValueError where none comes
        and KeyError for a job that does not exist.
        """
        self._do(lambda controls: controls.advance_to("next", job))

    def advance_to_end(self, job: str | None = None) -> None:
        """Move the clock to where every job has ended, or this one; raises as `advance_to_next` does."""
        self._do(lambda controls: controls.advance_to("end", job))

    # Restore jobs

    @property
    def jobs(self) -> list[JobState]:
        """How each restore job stands, the oldest first."""
        return self._do(lambda controls: controls.jobs())

    def job(self, job: str) -> JobState:
        """Return how a restore job stands; raises KeyError where there is none of that id."""
        return self._do(lambda controls: controls.job(job))

    def set_state(self, job: str, state: str) -> JobState:
        """Bring a restore job into a state: PENDING, QUEUED, RUNNING, COMPLETED, FAILED or CANCELLED.

        A job only moves forward. Raises ValueError where it cannot come into that state, KeyError where there is none.
        """
        return self._do(lambda controls: controls.set_state(job, state))

    def fail_next_restore(
        self, *, times: int = 1, project: str | None = None, cluster: str | None = None, snapshot: str | None = None
    ) -> None:
        """Let the next restores fail: any, or those of a project, a cluster's name or a snapshot.

        Raises ValueError where there is no such project, cluster or snapshot.
        """
        failing = Failing(project, cluster, snapshot, times=times)
        self._do(lambda controls: controls.fail_next(failing))

    # Requests

    @property
    def requests(self) -> list[SeenRequest]:
        """The requests that were answered, the oldest first, without headers."""
        return self._do(lambda controls: controls.requests())

    def forget_requests(self) -> None:
        """Forget the requests."""
        self._do(lambda controls: controls.forget_requests())

    def add_rule(self, rule: Rule) -> None:
        """Answer some requests otherwise; raises ValueError where what the rule names is not known."""
        self._do(lambda controls: controls.add_rule(rule))

    def answer_next(
        self, status: int, *, operations: Iterable[str] = (), times: int = 1, retry_after: int | None = None
    ) -> None:
        """Answer the next requests with an error: any of the contract's operations, or of those named.

        Raises ValueError for a status or an operation that there is not.
        """
        operations = tuple(operations) if not isinstance(operations, str) else operations
        if not are_names(operations):
            raise ValueError(f"operations is a list of ids of operations, such as ['flex-get'], not {operations!r}")
        self.add_rule(Rule(operations=tuple(operations), times=times, status=status, retry_after=retry_after))

    def clear_rules(self) -> None:
        """Drop every rule."""
        self._do(lambda controls: controls.clear_rules())

    def expire_tokens(self) -> None:
        """Let every bearer token that was issued expire."""
        self._do(lambda controls: controls.expire_tokens())

    def reset(self) -> None:
        """Start over, as between two tests: jobs, rules and requests are forgotten, the clock runs as the wall clock
        does; URL, credentials, tokens and what exists stay.
        """
        self._do(lambda controls: controls.reset())
