"""Many clients at once: one process or many machines, every exchange judged, on the engine of Locust."""
