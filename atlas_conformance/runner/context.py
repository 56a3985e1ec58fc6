"""The context of a test: its name, and what it covers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True, slots=True)
class TestContext:
    """A test of the suites, or a part of the run that stands for one: its name, and the requirements that it covers."""

    __test__: ClassVar[bool] = False

    name: str = ""
    about: frozenset[str] = frozenset()
