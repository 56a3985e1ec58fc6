"""The contract as data, and the judge: pure functions from exchanges to findings."""

CONTRACT_VERSION = "2026-08"
"""The month of the vendor's description that the contract was last read against."""
