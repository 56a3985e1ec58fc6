"""Notes of what the tests expected of answers, and of what the judge said to that.

No endpoint fails because of these notes. They show the project's own tests whether a suite test sends what it says.
"""

from __future__ import annotations

from collections.abc import Set
from dataclasses import dataclass, field

from atlas_conformance.runner.outcomes import Judged


@dataclass
class Expected:
    """What the tests of a run expected so far.

    By the name of a test without its parameters: `named` are the requirements that its expectations named, `judged`
    those of them that held or failed in an answer. `unsettled` has, of each test, the first answer that the judge
    judged by none of the requirements that were named for it, and had no reason not to.
    """

    named: dict[str, set[str]] = field(default_factory=dict)
    judged: dict[str, set[str]] = field(default_factory=dict)
    unsettled: dict[str, Judged] = field(default_factory=dict)

    def note(self, test: str, named: Set[str], found: Set[str]) -> None:
        """Note that a test named requirements for an answer, and which of them held or failed there."""
        test = test.partition("[")[0]
        self.named.setdefault(test, set()).update(named)
        self.judged.setdefault(test, set()).update(found)

    def note_unsettled(self, test: str, answer: Judged) -> None:
        """Note an answer that none of the requirements named for it was about."""
        self.unsettled.setdefault(test.partition("[")[0], answer)

    @property
    def unjudged(self) -> dict[str, set[str]]:
        """By test, the requirements that it named and that no answer to it was judged by."""
        return {test: left for test, named in self.named.items() if (left := named - self.judged[test])}
