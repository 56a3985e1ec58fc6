"""Requests to send: conforming ones, and ones that break exactly one rule, built from the contract's data."""
