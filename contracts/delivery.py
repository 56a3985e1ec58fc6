"""The deliveryType decision table of dedicated clusters, read from `delivery.toml`."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal, TypeAlias

Role: TypeAlias = Literal["required", "alternative", "allowed", "meaningless"]
"""What a field is to a deliveryType: needed; one way to give what is needed; meaningful but refusable; meaningless."""

Standing: TypeAlias = Literal["conforming", "free", "refused"]
"""What becomes of a request: it must be accepted; it may be taken or refused; it must be refused."""

FIELDS = (
    "deliveryType",
    "snapshotId",
    "targetClusterName",
    "targetGroupId",
    "oplogTs",
    "oplogInc",
    "pointInTimeUTCSeconds",
)
"""Every field of a request for a dedicated cluster."""


@dataclass(frozen=True)
class Delivery:
    """One row of the table.

    `required` maps a needed field to the requirement that needs it; `alternatives` are groups of fields, of which
    one must be complete, by `alternatives_requirement`; `meaningless` maps a field to the requirement that keeps it
    out of the answer.
    """

    type: str
    required: Mapping[str, str]
    allowed: frozenset[str]
    meaningless: Mapping[str, str]
    alternatives: tuple[frozenset[str], ...]
    alternatives_requirement: str | None

    def role(self, field: str) -> Role:
        """Return what a field is to this deliveryType. Raises KeyError for a field that the table doesn't know."""
        if field in self.required:
            return "required"
        if field in self.allowed:
            return "allowed"
        if field in self.meaningless:
            return "meaningless"
        if any(field in group for group in self.alternatives):
            return "alternative"
        raise KeyError(field)

    def violations(self, present: Iterable[str]) -> tuple[str, ...]:
        """Return the requirements that a request with these fields (by presence alone) breaks, each once, sorted."""
        fields = frozenset(present)
        broken = {requirement for field, requirement in self.required.items() if field not in fields}
        if self.alternatives_requirement and not any(group <= fields for group in self.alternatives):
            broken.add(self.alternatives_requirement)
        return tuple(sorted(broken))

    def standing(self, present: Iterable[str]) -> Standing:
        """Return what becomes of a request with these fields, all of them with good values."""
        fields = frozenset(present)
        if self.violations(fields):
            return "refused"
        chosen = {field for field in fields if self.role(field) == "alternative"}
        more_than_needed = chosen and chosen not in self.alternatives
        extra = any(self.role(field) in ("allowed", "meaningless") for field in fields)
        return "free" if more_than_needed or extra else "conforming"


def _row(name: str, described: Mapping[str, Any]) -> Delivery:
    alternatives = described.get("alternatives", {})
    return Delivery(
        type=name,
        required=MappingProxyType(described["required"]),
        allowed=frozenset(described.get("allowed", ())),
        meaningless=MappingProxyType(described.get("meaningless", {})),
        alternatives=tuple(frozenset(group) for group in alternatives.get("groups", ())),
        alternatives_requirement=alternatives.get("requirement"),
    )


def _read() -> Mapping[str, Delivery]:
    table = tomllib.loads(Path(__file__).with_name("delivery.toml").read_text("utf-8"))
    return MappingProxyType({name: _row(name, described) for name, described in table.items()})


DELIVERIES: Mapping[str, Delivery] = _read()
"""The table's rows by deliveryType."""
