"""Comparing the contract with an OpenAPI description of the vendor's."""
