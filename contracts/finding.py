"""What the judge says of an exchange: which requirements it covers, and which of them did not hold."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

_INDEX = re.compile(r"/\d+(?=/|\Z)")


@dataclass(frozen=True, slots=True)
class Finding:
    """One requirement that does not hold on one operation.

    `pointer` is an RFC 6901 JSON pointer into the exchange seen as a document: `/request/path/groupId`,
    `/request/query/envelope`, `/request/headers/accept`, `/request/body/snapshotId`, `/response/status`,
    `/response/headers/content-type`, `/response/body/results/0/id`. For a request that should have been refused it
    names the offending place of the request; otherwise the place of the response. `departure` is the id of the known
    departure of the real service that covers the finding, or None. `source` says where the requirement comes from, in
    words: title, place within the page, address, basis. `advice` says that the requirement is a "should", so that it
    fails nothing unless somebody is strict.
    """

    requirement: str
    operation: str
    expected: str
    seen: str
    pointer: str
    departure: str | None = None
    source: str = field(default="", compare=False)
    advice: bool = False

    @property
    def fails(self) -> bool:
        """Whether the finding is a failure: neither a known departure of the real service nor advice."""
        return self.departure is None and not self.advice

    @property
    def place(self) -> str:
        """The pointer with array indices replaced by `*`: the same in every run, so that findings can be matched."""
        return _INDEX.sub("/*", self.pointer)

    @property
    def key(self) -> tuple[str, str, str]:
        """What identifies the finding across runs: requirement, operation, place."""
        return (self.requirement, self.operation, self.place)


@dataclass(frozen=True, slots=True)
class Judgement:
    """The outcome of judging one exchange.

    `held` are the (requirement, operation) pairs that the exchange covers and that held; `findings` are those
    that did not, the most specific first.
    """

    held: frozenset[tuple[str, str]] = frozenset()
    findings: tuple[Finding, ...] = ()

    def __or__(self, other: Judgement) -> Judgement:
        """Join two judgements of the same exchange; a pair with a finding is not held."""
        findings = self.findings + tuple(f for f in other.findings if f not in self.findings)
        failed = {(f.requirement, f.operation) for f in findings if f.departure is None}
        return Judgement(frozenset(pair for pair in self.held | other.held if pair not in failed), findings)
