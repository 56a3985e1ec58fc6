"""The deliveryType decision table of dedicated clusters, as `delivery.toml` has it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from types import MappingProxyType
from typing import Any, Literal, TypeAlias

Role: TypeAlias = Literal["required", "alternative", "allowed", "meaningless"]
"""What a field is to a deliveryType: needed; one way to give what is needed; meaningful but refusable; meaningless."""

Standing: TypeAlias = Literal["conforming", "free", "refused"]
"""What becomes of a request: it must be accepted; it may be taken or refused; it must be refused."""


@dataclass(frozen=True)
class Delivery:
    """One row of the table.

    `required` maps a needed field to the requirement that needs it; `alternatives` are groups of fields, of which one
    must be complete, by `alternatives_requirement`; `meaningless` maps a field to the requirement that keeps it out of
    the answer. `echoed` maps a field to the requirement by which the answer repeats it, `echoed_where_shown` those of
    which the answer may be silent.
    """

    type: str
    required: Mapping[str, str]
    allowed: frozenset[str]
    meaningless: Mapping[str, str]
    alternatives: tuple[frozenset[str], ...]
    alternatives_requirement: str | None
    echoed: Mapping[str, str] = field(default_factory=dict)
    echoed_where_shown: Mapping[str, str] = field(default_factory=dict)

    @cached_property
    def kept_out(self) -> Mapping[str, tuple[str, ...]]:
        """The fields that the answer must not show, by the requirement that keeps them out of it."""
        requirements = dict.fromkeys(self.meaningless.values())
        return {r: tuple(name for name, by in self.meaningless.items() if by == r) for r in requirements}

    def role(self, name: str) -> Role:
        """Return what a field is to this deliveryType. Raises KeyError for a field that the table doesn't know."""
        if name in self.required:
            return "required"
        if name in self.allowed:
            return "allowed"
        if name in self.meaningless:
            return "meaningless"
        if any(name in group for group in self.alternatives):
            return "alternative"
        raise KeyError(name)

    def needs_no(self, names: Iterable[str] | None) -> bool:
        """Tell whether these fields all are meaningless to this deliveryType."""
        return names is not None and all(name in self.meaningless for name in names)

    def violations(self, present: Iterable[str]) -> tuple[str, ...]:
        """Return the requirements that a request with these fields (by presence alone) breaks, each once, sorted."""
        fields = frozenset(present)
        broken = {requirement for name, requirement in self.required.items() if name not in fields}
        if self.alternatives_requirement and not any(group <= fields for group in self.alternatives):
            broken.add(self.alternatives_requirement)
        return tuple(sorted(broken))

    def standing(self, present: Iterable[str]) -> Standing:
        """Return what becomes of a request with these fields, all of them with good values."""
        fields = frozenset(present)
        if self.violations(fields):
            return "refused"
        chosen = {name for name in fields if self.role(name) == "alternative"}
        more_than_needed = chosen and chosen not in self.alternatives
        extra = any(self.role(name) in ("allowed", "meaningless") for name in fields)
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
        echoed=MappingProxyType(described.get("echoed", {})),
        echoed_where_shown=MappingProxyType(described.get("echoed_where_shown", {})),
    )


def read_deliveries(document: Mapping[str, Any]) -> Mapping[str, Delivery]:
    """Return the table's rows, which `delivery.toml` describes, by deliveryType."""
    return MappingProxyType({name: _row(name, described) for name, described in document.items()})
