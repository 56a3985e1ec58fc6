"""What the contract leaves to an endpoint, as data: each freedom with the behaviours that all conform.

The first choice of each is what the reference endpoint does unless told otherwise.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType

from atlas_conformance.contracts.naming import unknown

FREEDOMS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        # Bodies
        "null-optional": ("taken", "refused"),
        "float-integer": ("refused", "taken"),
        "unknown-properties": ("refused", "taken"),
        "download-with-target": ("taken", "refused"),
        "both-points": ("taken", "refused"),
        "point-with-snapshot": ("taken", "refused"),
        "point-outside-window": ("refused", "taken"),
        "seconds-beside-half-pair": ("refused", "taken"),
        "meaningless-fields": ("taken", "refused"),
        "absent-target": ("404", "400", "403", "409", "200"),
        "wrong-kind-target": ("400", "403", "404", "409", "200"),
        "busy-target": ("200", "400", "403", "404", "409"),
        "impossible-target": ("400", "403", "409"),
        "absent-snapshot": ("404", "400", "409"),
        "foreign-snapshot": ("404", "400", "409"),
        "malformed-value": ("400", "404"),
        "flex-through-tenant": ("refused", "taken", "gone"),
        # Requests
        "content-type": ("415", "400"),
        "unversioned-accept": ("200", "406"),
        "early-date": ("406", "200", "410"),
        "unpublished-date": ("200", "406"),
        "long-target": ("414", "431"),
        "junk-flag": ("ignored", "refused"),
        "page-range": ("refused", "clamped"),
        "wrong-method": ("405", "404"),
        "sunset": ("offered", "gone"),
        "malformed-path": ("after-credentials", "before-credentials"),
        "malformed-group": ("400", "404"),
        "malformed-name": ("400", "404"),
        "malformed-job": ("400", "404"),
        "wrong-kind-cluster": ("400", "404"),
        "absent-group": ("404", "401", "403"),
        "foreign-job": ("404", "400", "401", "403"),
        "cancel-finished": ("400", "204", "404", "405", "409"),
        "extended-absent": ("404", "405", "410", "501"),
        "check-order": ("path-first", "body-first"),
        "reference-order": ("snapshot-first", "target-first"),
        "reader-reads": ("200", "401", "403"),
        "reader-writes": ("403", "401"),
        "off-list": ("403", "401"),
        # Snapshots
        "malformed-snapshot": ("400", "404"),
        "unfinished-snapshot": ("409", "400", "404", "taken"),
        "second-take": ("taken", "409", "400"),
        "empty-take": ("taken", "refused"),
        "long-retention": ("taken", "refused"),
        "no-description": ("left-out", "null", "default"),
        "sharded-on-replica-set": ("empty", "400", "404"),
        "download-done": ("later", "at-once"),
        # Representation
        "envelope-key": ("content", "envelope"),
        "envelope-on-error": ("plain", "wrapped"),
        "error-body": ("full", "minimal", "nulls"),
        "error-reason": ("shown", "absent"),
        "error-parameters": ("empty", "objects", "strings", "numbers", "absent"),
        "error-code-header": ("shown", "absent"),
        "charset": ("success", "none", "all"),
        "rate-headers": ("shown", "absent"),
        "retry-after": ("seconds", "date", "absent"),
        "deprecation": ("shown", "absent"),
        "digest-algorithms": ("MD5", "SHA-256,MD5"),
        # Jobs
        "first-status": ("PENDING", "QUEUED", "RUNNING"),
        "queued": ("visible", "skipped"),
        "download-finished": ("absent", "shown"),
        "links": ("dedicated", "all", "none"),
        "list-order": ("newest", "oldest", "id"),
        "point-targets": ("shown", "hidden"),
        "desired-timestamp": ("shown", "absent"),
        "item-name": ("absent", "shown"),
        "date-fraction": ("none", "milliseconds"),
        "utc": ("Z", "+00:00"),
        "total-count": ("exact", "estimated", "absent"),
        "expiration": ("fixed", "at-schedule", "moving"),
        "expires-at": ("downloads", "early", "always", "moving"),
        "download-parts": ("both", "url", "components"),
    }
)

IMITATIONS = frozenset({"K-TIMESTAMP", "K-PARAMETERS", "K-EMPTY-URL", "K-FREQUENCY"})
"""The known departures of the real service that the reference endpoint can show."""


def resolve(chosen: Mapping[str, str]) -> Mapping[str, str]:
    """Return every freedom's choice, the default where none is made.

    Raises ValueError with one sentence where a name or a choice is not known.
    """
    for name, choice in chosen.items():
        if name not in FREEDOMS:
            raise ValueError(unknown("freedom", name, FREEDOMS))
        if choice not in FREEDOMS[name]:
            raise ValueError(unknown(f"choice of the freedom {name!r} named", choice, FREEDOMS[name]))
    return MappingProxyType({name: chosen.get(name, choices[0]) for name, choices in FREEDOMS.items()})


def known_imitations(wanted: Iterable[str]) -> frozenset[str]:
    """Return the departures to imitate as a set; raises ValueError with one sentence for one that is not known."""
    found = frozenset(wanted)
    for name in sorted(found - IMITATIONS):
        raise ValueError(unknown("known departure", name, IMITATIONS))
    return found
