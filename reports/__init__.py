"""The journal of a run, and everything that is rendered from it."""
