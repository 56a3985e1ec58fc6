"""Rehearsals: a run in front of the reference endpoint, furnished as the real one is, to tell what a run would do."""
