"""What other rooms ask of one job's document, whatever its kind of cluster."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from atlas_conformance.contracts.judge import judge_by_default
from atlas_conformance.contracts.operation import Operation
from atlas_conformance.contracts.resources import RESOURCES
from atlas_conformance.contracts.verdicts import Verdicts

__all__ = ["is_terminal", "judge_job"]


def judge_job(
    operation: Operation, parameters: Mapping[str, str], document: Mapping[str, Any], pointer: str, verdicts: Verdicts
) -> None:
    """Judge a job document by the rules that its own answer settles; `pointer` is where it stands in the exchange."""
    judge_by_default().judge_item(operation, operation.place(parameters), document, pointer, verdicts)


def is_terminal(document: Mapping[str, Any]) -> bool:
    """Whether a job document, of whatever family, shows that the job has come to its end."""
    return any(resource.ended(document) for resource in RESOURCES.values())
