"""A contract and conformance test suite for the MongoDB Atlas restore API.

What stands here is for other people's programs and tests; a name is imported when it is first used. Adapters are in
`atlas_conformance.adapters`, Hypothesis strategies in `atlas_conformance.strategies`.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from atlas_conformance.adapters.failure import Failure, RequirementFailed
    from atlas_conformance.adapters.traffic import TrafficJudge
    from atlas_conformance.contracts.chronicle import Chronicle
    from atlas_conformance.contracts.contract import Contract
    from atlas_conformance.contracts.exchange import Exchange, Request, Response
    from atlas_conformance.contracts.finding import Finding, Judgement
    from atlas_conformance.contracts.inventory import Cluster, Inventory, RestoreTarget
    from atlas_conformance.contracts.knowledge import Knowledge
    from atlas_conformance.contracts.operation import Operation
    from atlas_conformance.contracts.requirement import Requirement, Source
    from atlas_conformance.judging import Judge
    from atlas_conformance.reference.server import ReferenceServer

__all__ = [
    "Chronicle",
    "Cluster",
    "Contract",
    "Exchange",
    "Failure",
    "Finding",
    "Inventory",
    "Judge",
    "Judgement",
    "Knowledge",
    "Operation",
    "ReferenceServer",
    "Request",
    "Requirement",
    "RequirementFailed",
    "Response",
    "RestoreTarget",
    "Source",
    "TrafficJudge",
]

_MODULES = {
    "adapters.failure": ("Failure", "RequirementFailed"),
    "adapters.traffic": ("TrafficJudge",),
    "contracts.chronicle": ("Chronicle",),
    "contracts.contract": ("Contract",),
    "contracts.exchange": ("Exchange", "Request", "Response"),
    "contracts.finding": ("Finding", "Judgement"),
    "contracts.inventory": ("Cluster", "Inventory", "RestoreTarget"),
    "contracts.knowledge": ("Knowledge",),
    "contracts.operation": ("Operation",),
    "contracts.requirement": ("Requirement", "Source"),
    "judging": ("Judge",),
    "reference.server": ("ReferenceServer",),
}
_MODULE_OF = {name: module for module, names in _MODULES.items() for name in names}


def __getattr__(name: str) -> Any:
    """Import a public name when it is first used, so that the package itself loads in no time."""
    if name not in _MODULE_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    found = globals()[name] = getattr(import_module(f"{__name__}.{_MODULE_OF[name]}"), name)
    return found


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
