"""What tests find out about the endpoint, once for all."""

from __future__ import annotations

from collections.abc import Callable


class Traits:
    """Traits by their names, each looked for when it is first asked for."""

    def __init__(self) -> None:
        self._found: dict[str, bool] = {}

    def has(self, trait: str, find: Callable[[], bool]) -> bool:
        """Return whether the endpoint has the trait, as `find` says if nobody has asked before."""
        if trait not in self._found:
            self._found[trait] = find()
        return self._found[trait]
