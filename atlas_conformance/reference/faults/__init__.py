"""The catalogue of faults that the reference endpoint can be started with: one module a family."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from functools import cache
from importlib import import_module
from pkgutil import iter_modules
from types import MappingProxyType

from atlas_conformance.reference.fault import Fault


@cache
def catalogue() -> Mapping[str, Fault]:
    """Return all faults by id, in the order of their modules' names and of each module's `FAULTS`."""
    found: dict[str, Fault] = {}
    for module in sorted(iter_modules(__path__), key=lambda module: module.name):
        for fault in import_module(f"{__name__}.{module.name}").FAULTS:
            if fault.id in found:
                raise ValueError(f"two faults are called {fault.id}")
            found[fault.id] = fault
    return MappingProxyType(found)


def find(fault_id: str) -> Fault:
    """Return the fault of that id; raises ValueError with one sentence for one that there is not."""
    faults = catalogue()
    if fault_id not in faults:
        close = difflib.get_close_matches(fault_id, faults, 1)
        raise ValueError(f"there is no fault {fault_id!r}" + (f"; did you mean {close[0]!r}?" if close else ""))
    return faults[fault_id]
