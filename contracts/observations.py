"""Observations: what an answer shows of a job, and its comparison with all that was shown of it before."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from atlas_conformance.contracts.exchange import Exchange
from atlas_conformance.contracts.history import JobHistory, Observation, SightView
from atlas_conformance.contracts.judge import Examined, Judge
from atlas_conformance.contracts.store import JobStore
from atlas_conformance.contracts.stories import story_of
from atlas_conformance.contracts.verdicts import Verdicts


def observe(
    history: JobHistory, seen: Observation, verdicts: Verdicts, judge: Judge, store: JobStore | None = None
) -> None:
    """Compare one more observation with all earlier ones of the job, and with its snapshot; remember it."""
    before = verdicts.findings
    view = SightView(history, seen, judge.contract.named_properties.get(history.resource, frozenset()))
    judge.book.apply(view, seen.operation.id, verdicts)
    if store is not None and (story := story_of(history, seen, store)) is not None:
        judge.book.apply(story, seen.operation.id, verdicts)
    history.remember(view, sound=verdicts.findings == before)


def observation(
    exchange: Exchange, examined: Examined, document: Mapping[str, Any], pointer: str, created: bool = False
) -> Observation:
    """Return what an answer shows of a job in one of its documents, at `pointer`."""
    return Observation(exchange.started, exchange.ended, examined.reading.operation, document, pointer, created)


def is_same_answer(created: Observation | None, exchange: Exchange, document: Mapping[str, Any]) -> bool:
    """Tell whether the exchange is the very create that was seen before, as in two recordings that overlap."""
    moment = (exchange.started, exchange.ended)
    return created is not None and (created.started, created.ended) == moment and created.document == document
