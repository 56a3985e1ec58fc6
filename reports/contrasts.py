"""What tells a failing request from the nearest one with the other outcome, as reports say it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from atlas_conformance.reports.grouping import Key
from atlas_conformance.reports.records import ContrastRecord
from atlas_conformance.reports.wording import number, one_line

LABEL = "Contrast"
"""What a contrast is called beside the other things that a report says of a failure."""


def by_key(records: Iterable[ContrastRecord]) -> dict[Key, ContrastRecord]:
    """Return the contrasts by the key of their finding: of several (in joined shards) the first."""
    found: dict[Key, ContrastRecord] = {}
    for record in records:
        found.setdefault(record.key, record)
    return found


def contrast_words(contrasts: Mapping[Key, ContrastRecord], key: Key) -> str | None:
    """Return the contrast of a finding in words, with the exchanges where both requests are; None where there is none.

    The text is on one line, and what an endpoint or a request brings into it is made visible.
    """
    found = contrasts.get(key)
    if found is None:
        return None
    return f"{one_line(found.sentence, 600)} (exchanges {number(found.n)} and {number(found.other)})"


def contrast_json(contrasts: Mapping[Key, ContrastRecord], key: Key) -> dict[str, Any] | None:
    """Return the contrast of a finding for programs; None where there is none."""
    found = contrasts.get(key)
    if found is None:
        return None
    return {"sentence": found.sentence, "exchange": found.n, "other_exchange": found.other}
