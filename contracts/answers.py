"""What other rooms ask of an answer that belongs to no operation, or whatever its operation."""

from __future__ import annotations

from atlas_conformance.contracts.exchange import Exchange, Response
from atlas_conformance.contracts.judge import judge_by_default
from atlas_conformance.contracts.verdicts import Verdicts
from atlas_conformance.contracts.views import TokenView, envelope_key

__all__ = ["envelope_key", "is_paced", "judge_refused_token", "judge_token"]


def is_paced(response: Response) -> bool:
    """Whether a response only asks to come back later."""
    return response.asks_to_wait


def judge_refused_token(exchange: Exchange, what: str, verdicts: Verdicts) -> None:
    """A-WRONG: the token endpoint gives no token to a client that is not who it says; `what` is wrong with it."""
    given = 200 <= exchange.response.status < 300 and TokenView(exchange.response).gives
    expected = f"no token for {what}"
    verdicts.check("A-WRONG", not given, expected, f"{exchange.response.status} with a token", "/response/status")


def judge_token(exchange: Exchange, verdicts: Verdicts) -> None:
    """A-BEARER: what the token endpoint answers to valid client credentials."""
    judge_by_default().book.apply(TokenView(exchange.response), verdicts.operation, verdicts)
