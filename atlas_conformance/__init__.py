"""A contract and conformance test suite for the MongoDB Atlas restore API.

    from atlas_conformance import Contract, Exchange, Judge, Request, Response

    judge = Judge(Contract.load())
    judgement = judge.judge(Exchange(Request("GET", "/api/atlas/v2/..."), Response(200, headers, body), 0.0, 0.1))
    for finding in judgement.findings:
        print(finding.requirement, finding.expected, finding.seen, finding.place, finding.source)

Everything in `__all__`, and `__version__`, is loaded when it is first asked for. Adapters are in
`atlas_conformance.adapters`, Hypothesis strategies in `atlas_conformance.strategies`.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from atlas_conformance.adapters.failure import Failure, RequirementFailed
    from atlas_conformance.adapters.traffic import TrafficJudge
    from atlas_conformance.contracts.chronicle import Chronicle
    from atlas_conformance.contracts.contract import Contract
    from atlas_conformance.contracts.contract_error import ContractError
    from atlas_conformance.contracts.exchange import Exchange, Request, Response
    from atlas_conformance.contracts.finding import Finding, Judgement
    from atlas_conformance.contracts.inventory import Absent, Cluster, Inventory, PointInTime, RestoreTarget
    from atlas_conformance.contracts.judge import Judge
    from atlas_conformance.contracts.knowledge import Knowledge
    from atlas_conformance.contracts.operation import Operation
    from atlas_conformance.contracts.requirement import Requirement, Source
    from atlas_conformance.contracts.resources import Resource
    from atlas_conformance.contracts.store import JobStore
    from atlas_conformance.reference.server import ReferenceServer

    __version__: str

__all__ = [
    "Absent",
    "Chronicle",
    "Cluster",
    "Contract",
    "ContractError",
    "Exchange",
    "Failure",
    "Finding",
    "Inventory",
    "JobStore",
    "Judge",
    "Judgement",
    "Knowledge",
    "Operation",
    "PointInTime",
    "ReferenceServer",
    "Request",
    "Requirement",
    "RequirementFailed",
    "Resource",
    "Response",
    "RestoreTarget",
    "Source",
    "TrafficJudge",
]

_NAMES = {
    "adapters.failure": ("Failure", "RequirementFailed"),
    "adapters.traffic": ("TrafficJudge",),
    "contracts.chronicle": ("Chronicle",),
    "contracts.contract": ("Contract",),
    "contracts.contract_error": ("ContractError",),
    "contracts.exchange": ("Exchange", "Request", "Response"),
    "contracts.finding": ("Finding", "Judgement"),
    "contracts.inventory": ("Absent", "Cluster", "Inventory", "PointInTime", "RestoreTarget"),
    "contracts.judge": ("Judge",),
    "contracts.knowledge": ("Knowledge",),
    "contracts.operation": ("Operation",),
    "contracts.requirement": ("Requirement", "Source"),
    "contracts.resources": ("Resource",),
    "contracts.store": ("JobStore",),
    "reference.server": ("ReferenceServer",),
}
_MODULES = {name: module for module, names in _NAMES.items() for name in names}


def __getattr__(name: str) -> Any:
    """Load a public name, or tell the version. Raises AttributeError where there is no such name."""
    if name == "__version__":
        return import_module("importlib.metadata").version("atlas-conformance")
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)


def __dir__() -> list[str]:
    return [*__all__, "__version__"]
