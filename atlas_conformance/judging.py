"""The judge as an object: a contract, and what is known of an endpoint."""

from __future__ import annotations

from atlas_conformance.contracts.contract import Contract
from atlas_conformance.contracts.exchange import Exchange
from atlas_conformance.contracts.finding import Judgement
from atlas_conformance.contracts.judge import judge
from atlas_conformance.contracts.knowledge import Knowledge


class Judge:
    """Judges single exchanges by a contract, in the light of what is known of the endpoint."""

    def __init__(self, contract: Contract | None = None, knowledge: Knowledge | None = None) -> None:
        self.contract = contract or Contract.load()
        self.knowledge = knowledge or Knowledge()

    def judge(self, exchange: Exchange) -> Judgement:
        """Judge one exchange by every rule that it settles alone."""
        return judge(exchange, self.knowledge)
