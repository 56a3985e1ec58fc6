"""What a person asks a run for."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from random import SystemRandom

from atlas_conformance.contracts.contract import Contract
from atlas_conformance.contracts.operation import Level
from atlas_conformance.http.failures import TargetError
from atlas_conformance.http.target import Mode
from atlas_conformance.reports.gates.gate import Gate, parse_bases
from atlas_conformance.reports.gates.sharding import Shard, ShardError
from atlas_conformance.runner.profiles import PROFILES


@dataclass(frozen=True)
class Options:
    """What a person asked for. `target` is a target file, `base_url` a URL; neither means the reference endpoint.

    `app` names an ASGI application, as `module:attribute`, that is served for the run; `wait` is for how long the
    endpoint is waited for; of the `excluded` requirements nothing is said.
    `stateful` says that the endpoint at the base URL keeps the jobs that are created, or that it keeps none; None lets
    its answers decide.
    `verbose` prints all that the report has to say, not only what fits a screen.
    `strict` makes failures of advice; `basis` names the bases of the requirements whose failures count.
    """

    target: str | None = None
    base_url: str | None = None
    level: Level | None = None
    profile: str = "standard"
    seed: int | None = None
    requirements: tuple[str, ...] = ()
    excluded: tuple[str, ...] = ()
    app: str | None = None
    wait: str | None = None
    workers: int | None = None
    report: Path | None = None
    mode: Mode | None = None
    rate: str | None = None
    baseline: Path | None = None
    waivers: Path | None = None
    update_waivers: bool = False
    gate: Gate | None = None
    strict: bool = False
    basis: str | None = None
    shard: str | None = None
    processes: int | None = 1
    time_limit: str | None = None
    stateful: bool | None = None
    verbose: bool = False

    def checked(self) -> Options:
        """Return the options with a seed drawn where none was given. Raises TargetError on what cannot be meant."""
        if self.target is not None and self.base_url is not None:
            raise TargetError("give either a target file or a base URL, not both: a target file names its own base URL")
        if self.profile not in PROFILES:
            raise TargetError(f"there is no profile {self.profile!r}: the profiles are {', '.join(PROFILES)}")
        if self.app is not None and self.base_url is not None:
            raise TargetError("give either an application, which is served for the run, or a base URL, not both")
        if both := sorted({*self.requirements} & {*self.excluded}):
            raise TargetError(f"{both[0]} is both asked for and excluded; leave out one of the two options")
        for requirement in (*self.requirements, *self.excluded):
            if requirement not in Contract.load().requirements:
                raise TargetError(
                    f"there is no requirement {requirement!r}: `atlas-conformance requirements` lists them"
                )
        if self.stateful is not None and self.base_url is None:
            raise TargetError("--stateful and --stateless go with --base-url: a target file says what exists")
        if self.workers is not None and self.workers < 1:
            raise TargetError(f"workers must be at least 1, not {self.workers}")
        if self.update_waivers and self.waivers is None:
            raise TargetError("--update-waivers needs --waivers FILE to write to")
        if self.gate == "new" and self.baseline is None:
            raise TargetError("the gate 'new' needs an earlier run to compare with: --baseline OLD")
        try:
            parse_bases(self.basis)
        except ValueError as error:
            raise TargetError(str(error)) from None
        if self.shard is not None:
            self._check_shard(self.shard)
        return self if self.seed is not None else replace(self, seed=SystemRandom().randrange(1_000_000))

    def _check_shard(self, shard: str) -> None:
        try:
            Shard.parse(shard)
        except ShardError as error:
            raise TargetError(str(error)) from None
        if self.seed is None:
            raise TargetError("--shard needs --seed N: every shard of a run draws from the same seed")
        if self.baseline is not None or self.update_waivers:
            raise TargetError("a shard is no whole run: give --baseline and --update-waivers to `merge` instead")
