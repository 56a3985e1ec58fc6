"""The safety guard: what a write could reach, and whether it may be sent."""
