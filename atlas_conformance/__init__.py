"""A contract and conformance test suite for the MongoDB Atlas restore API."""
