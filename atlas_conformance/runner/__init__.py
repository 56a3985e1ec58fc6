"""One run: its options, its session with the endpoint, what counts, and the processes that share its tests."""
