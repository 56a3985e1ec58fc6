"""The time that a run may take."""

from __future__ import annotations

import threading
import time

from atlas_conformance.http.client import Client


class TimeLimit:
    """Ends the clients of a run when its time is up, which begins now."""

    def __init__(self) -> None:
        self.because: str | None = None
        """Why the run was ended, once it was."""
        self._started = time.monotonic()
        self._timer: threading.Timer | None = None

    def watch(self, client: Client) -> None:
        """Have the client ended when the time is up that its target allows; in place of the one before."""
        self.stop()
        limit = client.target.limits.run_seconds
        if limit is None:
            return

        def end() -> None:
            self.because = f"the time limit of {_in_words(limit)} has passed"
            client.end(self.because)

        self._timer = threading.Timer(max(0.0, self._started + limit - time.monotonic()), end)
        self._timer.daemon = True
        self._timer.start()

    def stop(self) -> None:
        """End nothing any more."""
        timer, self._timer = self._timer, None
        if timer is not None:
            timer.cancel()


def _in_words(seconds: float) -> str:
    """Return a length of time as a person would write it."""
    for size, unit in ((3600, "h"), (60, "min")):
        if seconds >= size and seconds % size == 0:
            return f"{seconds / size:g} {unit}"
    return f"{seconds:g} s"
