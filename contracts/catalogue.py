"""The requirements and known departures of the contract that the package brings."""

from __future__ import annotations

from collections.abc import Mapping

from atlas_conformance.contracts.contract import Contract
from atlas_conformance.contracts.departure import UNKNOWN, Departure, Place
from atlas_conformance.contracts.requirement import Requirement

__all__ = ["DEPARTURES", "REQUIREMENTS", "UNKNOWN", "Departure", "Place", "Requirement", "departure_for"]

REQUIREMENTS: Mapping[str, Requirement] = Contract.load().requirements
"""Every requirement by its id, in the order of the contract page."""

DEPARTURES: Mapping[str, Departure] = Contract.load().departures
"""Every known departure of the real service by its id."""

departure_for = Contract.load().departure_for
