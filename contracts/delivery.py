"""The deliveryType decision table of the contract that the package brings."""

from __future__ import annotations

from collections.abc import Mapping

from atlas_conformance.contracts.contract import Contract
from atlas_conformance.contracts.decision import Delivery, Role, Standing

__all__ = ["DELIVERIES", "FIELDS", "Delivery", "Role", "Standing"]

DELIVERIES: Mapping[str, Delivery] = Contract.load().deliveries
"""The table's rows by deliveryType."""

FIELDS = tuple(DELIVERIES["automated"].required) + tuple(DELIVERIES["automated"].meaningless)
"""Every field of a request for a dedicated cluster."""
