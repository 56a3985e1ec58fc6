"""Whether the arguments of the reference endpoint have the types that they need, before its process hears of them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from types import MappingProxyType
from typing import Any

from atlas_conformance.contracts.inventory import Inventory
from atlas_conformance.contracts.naming import kind_of
from atlas_conformance.reference.fault import Fault
from atlas_conformance.reference.settings import ServerError


def check_arguments(given: Mapping[str, Any]) -> None:
    """Raise ServerError with one sentence for the first argument of a wrong type; None stands for one that is left out.

    Whether names are known and numbers make sense is checked where the endpoint starts.
    """
    for name, value in given.items():
        if name in _RIGHT and (value is not None or name in _NEEDED):
            is_right, meant = _RIGHT[name]
            if not is_right(value):
                raise ServerError(f"{name} is {meant}, not {_shown(value)}")


def are_names(value: object) -> bool:
    """Tell whether a value is a collection of texts: one text is not."""
    if not isinstance(value, Collection) or isinstance(value, str | bytes | Mapping):
        return False
    return all(isinstance(name, str) for name in value)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_text(value: object) -> bool:
    return isinstance(value, str)


def _is_fault(value: object) -> bool:
    return isinstance(value, str | Fault)


def _are_choices(value: object) -> bool:
    return isinstance(value, Mapping) and all(isinstance(part, str) for pair in value.items() for part in pair)


def _are_amounts(value: object) -> bool:
    return isinstance(value, Mapping) and all(isinstance(key, str) and _is_number(value[key]) for key in value)


def _is_scenario(value: object) -> bool:
    from atlas_conformance.reference.scenario import Scenario

    return isinstance(value, Scenario)


_RIGHT: Mapping[str, tuple[Callable[[object], bool], str]] = MappingProxyType(
    {
        "step": (_is_number, "a number of seconds"),
        "seed": (_is_whole, "a whole number"),
        "database": (_is_text, "the path of a file, or ':memory:'"),
        "freedoms": (_are_choices, "a mapping of freedoms to choices, such as {'charset': 'all'}"),
        "imitate": (are_names, "a list of known departures, such as ['K-EMPTY-URL']"),
        "fault": (_is_fault, "the id of one fault, such as 'flex-list/always-next'"),
        "level": (_is_text, "a level, such as 'core'"),
        "operations": (are_names, "a list of ids of operations, such as ['flex-get']"),
        "authentication": (are_names, "a list of schemes, such as ['digest'], or [] for none"),
        "rate": (_is_whole, "a whole number of requests a minute"),
        "latency": (_is_number, "a number of seconds"),
        "nonce_life": (_is_number, "a number of seconds"),
        "port": (_is_whole, "a whole number"),
        "host": (_is_text, "a name or an address"),
        "inventory": (lambda value: isinstance(value, Inventory), "an Inventory"),
        "earlier": (lambda value: isinstance(value, Mapping), "a mapping of (project, name) to a number of jobs"),
        "disturbances": (_are_amounts, "a mapping of disturbances to numbers"),
        "scenario": (_is_scenario, "a Scenario"),
    }
)
_NEEDED = frozenset({"database", "level", "authentication", "latency", "nonce_life", "port", "host"})
"""Those that None is no value of."""


def _shown(value: object) -> str:
    """Show a value in a sentence: a long one by its type alone."""
    text = repr(value)
    return text if len(text) <= 60 else kind_of(value)
