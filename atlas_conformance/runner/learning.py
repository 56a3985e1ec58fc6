"""What the first creates teach about an endpoint: what it accepts, what it keeps, and what is not there at all.

Reads alone cannot tell a mock that accepts every well-formed id from one with a fixed inventory, nor a missing route
from a missing job. So, as far as the mode and the guard allow, a few creates are sent before the run: for an endpoint
of which only the URL is known, conforming ones for invented projects and clusters, whose jobs are then read back.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType

from atlas_conformance.contracts.contract import Contract
from atlas_conformance.contracts.exchange import Exchange, Request, Response
from atlas_conformance.contracts.inventory import KINDS, Inventory, Kind
from atlas_conformance.contracts.operation import Operation
from atlas_conformance.http.client import Client
from atlas_conformance.http.target import Target, draw_absent
from atlas_conformance.runner.around import AROUND, look_around
from atlas_conformance.runner.invented import Accepted, Invented, accepted_inventory, invented
from atlas_conformance.runner.restless import Restless, find_restless
from atlas_conformance.strategies.bodies import base_bodies
from atlas_conformance.strategies.requests import build, with_header
from atlas_conformance.strategies.scenes import Scene, harmless_scene, path_parameters, scenes
from atlas_conformance.targets.preflight import PreflightReport, job_id_of, require_entry, same_as_lost, says_error

MISSING = frozenset({404, 405, 410, 501})
"""What answers every request of an operation that is not offered."""
_ORDINARY = MISSING | {400, 401, 403, 409, 429}
"""Refusals that some conforming create may earn; any other one to every create is a failure."""


@dataclass(frozen=True)
class Refusal:
    """A create that answers every conforming request with one status, which no conforming endpoint does.

    `exchange` is one of the `tried` ones. `alike` says that it answers wrong requests so too, so that nothing else can
    be learnt of it.
    """

    operation: str
    status: int
    tried: int
    exchange: Exchange
    alike: bool


@dataclass(frozen=True)
class Learnt:
    """What was learnt.

    `inventory` is what is known to exist. `offered` says of operations that they are offered (True) or why not; it
    overrules what reads told. `refusals` are creates that refuse every request alike, `restless` lists that change by
    themselves. `conclusion` says it in a few words, empty where a target file says what exists. `exchanges` are all
    that were made.
    """

    inventory: Inventory
    offered: Mapping[str, bool | str]
    refusals: tuple[Refusal, ...]
    restless: tuple[Restless, ...]
    conclusion: str
    exchanges: tuple[Exchange, ...] = field(repr=False, default=())

    def unsettled(self) -> list[Exchange]:
        """The exchanges without those that a finding of their own already tells of."""
        told = [refusal.exchange for refusal in self.refusals] + [item.exchanges[-1] for item in self.restless]
        return [exchange for exchange in self.exchanges if not any(exchange is other for other in told)]


def learn(client: Client, target: Target, found: PreflightReport, seed: int, stateful: bool | None = None) -> Learnt:
    """Learn from a few creates and from lists that are read again.

    `stateful` is what a person says: that the endpoint keeps jobs, or that it keeps none; None lets the answers decide.
    Raises PreflightFailed where the endpoint turns out to refuse the credentials.
    """
    learner = _Learner(client, target, found, seed)
    restless = find_restless(client, found.exchanges)
    for operation in Contract.load().operations.values():
        asked_for = target.operations is None or operation.id in target.operations
        if operation.kind == "create" and asked_for and operation not in AROUND:
            learner.try_create(operation)
    require_entry([*found.exchanges, *learner.exchanges], target)
    learner.settle_missing()
    learner.read_back()
    learner.look_around()
    more = tuple(exchange for item in restless for exchange in item.exchanges)
    return replace(learner.learnt(stateful), restless=restless, exchanges=(*more, *learner.exchanges))


class _Learner:
    def __init__(self, client: Client, target: Target, found: PreflightReport, seed: int) -> None:
        self.exchanges: list[Exchange] = []
        self._client, self._target, self._found = client, target, found
        self._absent = target.inventory.absent or draw_absent(seed)
        self._claimed = target.operations is not None or target.level is not None
        self._invents = not target.inventory.clusters
        self._invented: dict[Kind | None, Invented] = {kind: invented(kind, seed) for kind in KINDS}
        self._offered: dict[str, bool | str] = {}
        self._refusals: list[Refusal] = []
        self._accepted: dict[str, Accepted] = {}
        self._missing: dict[str, Response] = {}
        """Creates that may not be there, as a 404 to all of them may speak of the project too."""
        self._made: dict[str, Accepted] = {}
        """Jobs in places that the target names, made to see which reads are offered."""
        self._tried: set[str] = set()

    def _send(self, request: Request) -> Exchange | None:
        attempt = self._client.attempt_all([request])[0]
        if not isinstance(attempt, Exchange):
            return None
        self.exchanges.append(attempt)
        return attempt

    def _is_free(self) -> bool:
        """Whether creates that may be accepted cost nothing: on loopback, where everything may be restored."""
        guard = self._client.guard
        return guard.mode == "restore" and not guard.remote and guard.budget is None

    # Creates

    def try_create(self, operation: Operation) -> None:
        """Find out what an operation answers: first to a create that is refused wherever it is offered."""
        if self._client.guard.mode == "read":
            return
        scene = self._scene(operation)
        bare = self._send(build(operation, path_parameters(operation, scene, ""), {}))
        if bare is None:
            return
        self._tried.add(operation.id)
        status = bare.response.status
        suspicious = status in MISSING or (status not in _ORDINARY and status >= 400)
        if bare.response.asks_to_wait:
            return
        if not suspicious and not (self._invents and self._is_free()):
            self._make(operation, scene)
            return
        answers = self._conforming(operation, scene)
        statuses = {exchange.response.status for exchange in answers}
        if len(statuses) != 1 or any(exchange.response.asks_to_wait for exchange in answers):
            return
        (answered,) = statuses
        if answered == status and status in MISSING and not self._claimed:
            self._settle(operation, answers[-1])
        elif answered not in _ORDINARY and answered >= 400:
            alike = answered == status
            self._refusals.append(Refusal(operation.id, answered, len(answers) + alike, answers[0], alike))

    def _make(self, operation: Operation, scene: Scene) -> None:
        """Make a job in a place that the target names, where reads of an absent one could not tell what is offered."""
        open_questions = [o for o in self._reads_of(operation) if self._found.offered[o] != "yes"]
        if self._claimed or not open_questions or not self._is_free() or not scene.real:
            return
        plain = base_bodies(operation, scene)[0].document
        sent = self._send(build(operation, path_parameters(operation, scene, ""), plain))
        if sent is not None and 200 <= sent.response.status < 300:
            job = job_id_of(sent.response)
            self._made[operation.id] = Accepted(operation, scene, job, across=False, moment=None)

    def _reads_of(self, operation: Operation) -> tuple[str, ...]:
        cancel = ("cluster-cancel",) if operation.id == "cluster-create" else ()
        return (operation.links["read"], *cancel)

    def _scene(self, operation: Operation) -> Scene:
        """Where an operation is tried: an invented place, or a known one; one that exists nowhere if it costs."""
        if not self._is_free():
            return harmless_scene(self._target.inventory, operation.cluster_kind, self._absent)
        if self._invents:
            return self._invented[operation.cluster_kind].scene(0)
        known = scenes(self._target.inventory, operation.cluster_kind)
        return known[0] if known else harmless_scene(self._target.inventory, operation.cluster_kind, self._absent)

    def _conforming(self, operation: Operation, scene: Scene) -> list[Exchange]:
        """Send conforming creates of every kind, in each content type; note what of invented names was accepted."""
        names = self._invented[operation.cluster_kind]
        inventing = self._invents and self._is_free()
        exchanges: list[Exchange] = []
        accepted: list[tuple[str, Exchange]] = []
        wanted = names.trials(operation) if inventing else _forms(operation, scene)
        for what, request in wanted:
            sent = self._send(request)
            if sent is None:
                continue
            exchanges.append(sent)
            if 200 <= sent.response.status < 300:
                accepted.append((what, sent))
        if inventing and accepted:
            mine = Accepted.of(operation, names, accepted)
            if mine is not None:
                self._accepted[operation.id] = mine
        return exchanges

    def _settle(self, operation: Operation, exchange: Exchange) -> None:
        """Note that an operation is not there; of a 404 only where it is one that a missing route has too."""
        if exchange.response.status != 404:
            self._offered[operation.id] = f"every create is answered {exchange.response.status}"
        elif self._found.lost is not None and same_as_lost(exchange, self._found.lost):
            self._missing[operation.id] = exchange.response

    def settle_missing(self) -> None:
        """Decide on creates whose 404 may speak of the route, or of a project or cluster that does not exist."""
        for name, response in self._missing.items():
            # Another create that took an invented place, a place that the target names, or an error that is not one of
            # the API's: each says that it is the route that is missing.
            if self._accepted or not self._invents or not says_error(response):
                self._offered[name] = "every create is answered 404, like an undocumented path"
        for exchange in self._found.exchanges:
            named = Contract.load().match(exchange.request.method, exchange.request.path)
            if named is None or named[0].level != "core" or self._claimed or self._found.lost is None:
                continue
            create = next((o.id for o in Contract.load().operations.values() if o.links.get("read") == named[0].id), "")
            if self._offered.get(create, True) is not True and same_as_lost(exchange, self._found.lost):
                self._offered[named[0].id] = "GET is answered 404, like an undocumented path"

    # Reads of what was created

    def read_back(self) -> None:
        """Read the created jobs and their lists, and cancel one, to find out what is offered."""
        made = self._accepted | self._made
        for accepted in made.values():
            if accepted.job is not None:
                self._tell(Contract.load().operations[accepted.operation.links["read"]], accepted)
            listing = Contract.load().find(accepted.operation.resource.name, "list")
            if listing is not None and not self._claimed and self._found.offered[listing.id] != "yes":
                shown = self._send(build(listing, path_parameters(listing, accepted.scene, "")))
                if shown is not None and shown.response.status == 200:
                    self._offered[listing.id] = True
        dedicated = made.get("cluster-create")
        if dedicated is not None and dedicated.job is not None:
            self._tell(Contract.load().operations["cluster-cancel"], dedicated)

    def _tell(self, operation: Operation, accepted: Accepted) -> None:
        """Tell from the answer about a job that was just created whether the endpoint has an operation."""
        assert accepted.job is not None
        sent = self._send(build(operation, path_parameters(operation, accepted.scene, accepted.job)))
        if sent is None or sent.response.asks_to_wait:
            return
        shown = operation.kind == "get" and 200 <= sent.response.status < 300
        accepted.found = accepted.found or shown
        if self._claimed:
            return
        status, lost = sent.response.status, self._found.lost
        if status in (405, 410, 501):
            self._offered[operation.id] = f"{operation.method} of a job that was just created is answered {status}"
        elif status == 404 and lost is not None and same_as_lost(sent, lost):
            self._offered[operation.id] = f"{operation.method} of a job that was just created is answered 404"
        else:
            self._offered[operation.id] = True

    def look_around(self) -> None:
        """Find out which operations around a restore are offered, where nobody says."""
        if self._claimed or self._client.guard.mode == "read":
            return
        told = look_around(self._send, self._found, self._place_of, self._absent, free=self._is_free())
        self._offered.update(told)

    def _place_of(self, operation: Operation) -> Scene:
        """Where an operation around a restore is tried: a known place that it serves, or an invented one."""
        known = scenes(self._target.inventory, operation.cluster_kind)
        fitting = sorted(known, key=lambda scene: scene.sharded is not operation.sharded)
        return replace(self._scene(operation), real=False) if not fitting else fitting[0]

    # What comes of it

    def learnt(self, stateful: bool | None) -> Learnt:
        """Return what was learnt, in the light of what a person says."""
        inventory = self._target.inventory
        conclusion = ""
        if self._invents:
            keeps = self._keeps() if stateful is None else stateful
            inventory, takes = self._inventory(stateful, keeps)
            conclusion = self._conclusion(takes, keeps, told=stateful is not None)
        return Learnt(inventory, MappingProxyType(self._offered), tuple(self._refusals), (), conclusion)

    def _keeps(self) -> bool | None:
        """Whether the endpoint keeps jobs: a created one is found, and one that nobody made is not; None: unknown."""
        if any(_shows_a_job(exchange) for exchange in self._found.exchanges):
            return False
        return True if any(accepted.found for accepted in self._accepted.values()) else None

    def _inventory(self, stateful: bool | None, keeps: bool | None) -> tuple[Inventory, bool]:
        """Return what exists, and whether the endpoint takes any id."""
        if stateful is False:
            return replace(self._target.inventory, takes_any=True, absent=None), True
        if self._accepted:
            inventory = accepted_inventory(self._accepted.values(), self._invented, apart=keeps is True)
            return replace(inventory, absent_job=self._absent.job if keeps else None), True
        if self._found.takes_any:
            # Reads show what nobody made, so nothing is known to be absent. Creates are held to it where none was sent.
            tried = bool(self._tried) and self._is_free()
            return replace(self._target.inventory, takes_any=not tried, absent=None), not tried
        return self._target.inventory, False

    def _conclusion(self, takes: bool, keeps: bool | None, *, told: bool) -> str:
        says = ["takes any id" if takes else "takes no invented id"]
        taking = {Contract.load().operations[name].cluster_kind for name in self._accepted}
        tried = {
            Contract.load().operations[name].cluster_kind
            for name in self._tried
            if self._offered.get(name, True) is True
        }
        if taking and tried - taking:
            kinds = " and ".join(kind for kind in KINDS if kind in taking)
            says = [f"takes any id for {kinds} clusters"]
        if keeps is not None:
            words = "keeps jobs" if keeps else "keeps no jobs"
            says.append(f"{words}, as you say" if told else words)
        lists = any(
            self._offered.get(o.id) is True or (self._found.offered[o.id] == "yes" and o.id not in self._offered)
            for o in Contract.load().operations.values()
            if o.kind == "list"
        )
        says.append("lists jobs" if lists else "no lists")
        return "; ".join(says)


def _shows_a_job(exchange: Exchange) -> bool:
    """Whether a read of a job that nobody made was answered by one."""
    named = Contract.load().match(exchange.request.method, exchange.request.path)
    known = named is not None and named[0].kind == "get" and exchange.request.credential == "owner"
    return known and 200 <= exchange.response.status < 300 and job_id_of(exchange.response) is not None


def _forms(operation: Operation, scene: Scene) -> Iterable[tuple[str, Request]]:
    """Yield conforming creates, and the first of them in the operation's own content type."""
    parameters = path_parameters(operation, scene, "")
    bodies = base_bodies(operation, scene)
    for body in bodies:
        yield body.what, build(operation, parameters, body.document)
    if operation.api == "v2" and operation.media_type is not None:
        plain = build(operation, parameters, bodies[0].document)
        yield "versioned", with_header(plain, "Content-Type", operation.media_type)
