"""Recorded traffic: reading it as a stream, judging it by the contract, and making it."""
