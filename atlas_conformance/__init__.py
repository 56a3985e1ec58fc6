"""A contract and conformance test suite for the MongoDB Atlas restore API.

    from atlas_conformance import Contract, Exchange, Judge, Request, Response

    judge = Judge(Contract.load())
    judgement = judge.judge(Exchange(Request("GET", "/api/atlas/v2/..."), Response(200, headers, body), 0.0, 0.1))
    for finding in judgement.findings:
        print(finding.requirement, finding.expected, finding.seen, finding.place, finding.source)

Everything in `__all__` is loaded when it is first asked for.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from atlas_conformance.contracts.chronicle import Chronicle as Chronicle
    from atlas_conformance.contracts.contract import Contract as Contract
    from atlas_conformance.contracts.exchange import Exchange as Exchange
    from atlas_conformance.contracts.exchange import Request as Request
    from atlas_conformance.contracts.exchange import Response as Response
    from atlas_conformance.contracts.finding import Finding as Finding
    from atlas_conformance.contracts.finding import Judgement as Judgement
    from atlas_conformance.contracts.inventory import Absent as Absent
    from atlas_conformance.contracts.inventory import Cluster as Cluster
    from atlas_conformance.contracts.inventory import Inventory as Inventory
    from atlas_conformance.contracts.inventory import PointInTime as PointInTime
    from atlas_conformance.contracts.inventory import RestoreTarget as RestoreTarget
    from atlas_conformance.contracts.judge import Judge as Judge
    from atlas_conformance.contracts.knowledge import Knowledge as Knowledge
    from atlas_conformance.contracts.operation import Operation as Operation
    from atlas_conformance.contracts.requirement import Requirement as Requirement
    from atlas_conformance.contracts.requirement import Source as Source
    from atlas_conformance.contracts.resources import Resource as Resource
    from atlas_conformance.contracts.store import JobStore as JobStore

_PLACES = {
    "Absent": "inventory",
    "Chronicle": "chronicle",
    "Cluster": "inventory",
    "Contract": "contract",
    "Exchange": "exchange",
    "Finding": "finding",
    "Inventory": "inventory",
    "JobStore": "store",
    "Judge": "judge",
    "Judgement": "finding",
    "Knowledge": "knowledge",
    "Operation": "operation",
    "PointInTime": "inventory",
    "Request": "exchange",
    "Requirement": "requirement",
    "Resource": "resources",
    "Response": "exchange",
    "RestoreTarget": "inventory",
    "Source": "requirement",
}

__all__ = [
    "Absent",
    "Chronicle",
    "Cluster",
    "Contract",
    "Exchange",
    "Finding",
    "Inventory",
    "JobStore",
    "Judge",
    "Judgement",
    "Knowledge",
    "Operation",
    "PointInTime",
    "Request",
    "Requirement",
    "Resource",
    "Response",
    "RestoreTarget",
    "Source",
]


def __getattr__(name: str) -> Any:
    """Load a public name. Raises AttributeError where there is none."""
    if name not in _PLACES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"atlas_conformance.contracts.{_PLACES[name]}"), name)


def __dir__() -> list[str]:
    return __all__
