"""The sentence of a contrast: what was answered how, and the one difference."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping
from typing import Any
from urllib.parse import unquote

from atlas_conformance.contracts.operations import Operation
from atlas_conformance.reports.wording import one_line, shortened
from atlas_conformance.runner.features import FEATURES, FEATURES_OF_BODIES, Value, feature_of
from atlas_conformance.runner.request_parts import (
    BODY,
    CREDENTIAL,
    HEADER,
    ORDER,
    PATH,
    PROPERTY,
    QUERY,
    SCHEME,
    SLASH,
    SPACE,
    Parts,
    Place,
)

_LONGEST = 48
_OPLOG, _SECONDS = frozenset({"oplogTs", "oplogInc"}), "pointInTimeUTCSeconds"
_NOUNS: Mapping[str, str] = {
    "snapshotId": "snapshot",
    "targetProjectId": "project",
    "targetGroupId": "project",
    "groupId": "project",
    "restoreJobId": "job",
    "restoreId": "job",
}


def value_at(place: Place, part: Any) -> Value:
    """Return a part of a request as a value that features are looked for in."""
    if place.kind == PROPERTY:
        return Value(part[1], json=True)
    if place.kind == PATH:
        return Value(unquote(part))
    if place.kind == QUERY:
        return Value(unquote(part[-1].partition("=")[2]))
    if place.kind == HEADER:
        return Value(part[-1][1])
    if place == BODY:
        return Value(part.decode("utf-8", "replace"))
    return Value(str(part))


def named(place: Place) -> str:
    """Return what a place is called."""
    if place.kind == HEADER:
        return "-".join(word.capitalize() for word in place.name.split("-"))
    return place.name or {BODY: "the body"}.get(place, place.kind)


def sentence_of(
    words: tuple[str, str],
    operation: Operation,
    bad: Parts,
    good: Parts,
    places: Collection[Place],
    alike: Iterable[Parts] = (),
    others: Iterable[Parts] = (),
) -> str:
    """Return the sentence on two requests that differ at `places`: `words` say what came of each.

    `alike` and `others` are requests with the outcome of the one, and of the other.
    """
    if len(places) == 1:
        (place,) = places
        return _of_one(words, operation, place, bad, good, list(alike), list(others))
    return _of_several(words, operation, bad, good, places)


def _of_one(
    words: tuple[str, str],
    operation: Operation,
    place: Place,
    bad: Parts,
    good: Parts,
    alike: list[Parts],
    others: list[Parts],
) -> str:
    fails, holds = words
    if place == ORDER:
        order = [", ".join(parts[ORDER]) for parts in (bad, good)]
        return f"{fails} with the order `{order[0]}`, {holds} with `{order[1]}`: the order of the properties"
    if place == SPACE:
        return (
            f"{fails} with white space between the properties, {holds} without: white space in the body"
            if (any(bad[SPACE]))
            else f"{fails} without white space between the properties, {holds} with: white space in the body"
        )
    if place == SLASH:
        with_it = ("with", "without") if bad[SLASH] else ("without", "with")
        return f"{fails} {with_it[0]} a slash at the end of the path, {holds} {with_it[1]}: the trailing slash"
    if place in (CREDENTIAL, SCHEME):
        return f"{fails} with {_caller(bad, place)}, {holds} with {_caller(good, place)}: {_CALLER[place]}"
    if place not in bad or place not in good:
        return _of_presence(words, operation, place, bad, good)
    value, near = value_at(place, bad[place]), value_at(place, good[place])
    features = FEATURES_OF_BODIES if place == BODY else FEATURES
    feature = feature_of(
        value,
        near,
        [value_at(place, parts[place]) for parts in alike if place in parts],
        [value_at(place, parts[place]) for parts in others if place in parts],
        features,
    )
    if feature is None and _same_name_spelt_otherwise(place, bad, good):
        feature = "escaped characters in the name"
    what = f"{fails} with {_shown(place, bad)}, {holds} with {_shown(place, good)}"
    if feature is None:
        return f"{what}: this {_NOUNS.get(place.name, named(place))}"
    where = "" if place == BODY else f" in {named(place)}"
    return f"{what}: {feature}{where}"


_CALLER: Mapping[Place, str] = {CREDENTIAL: "the credentials", SCHEME: "the authentication scheme"}


def _caller(parts: Parts, place: Place) -> str:
    said = str(parts[place])
    return f"{said} credentials" if place == CREDENTIAL else said


def _same_name_spelt_otherwise(place: Place, bad: Parts, good: Parts) -> bool:
    return place.kind == PROPERTY and bad[place][0] != good[place][0] and bad[place][1] == good[place][1]


def _of_presence(words: tuple[str, str], operation: Operation, place: Place, bad: Parts, good: Parts) -> str:
    fails, holds = words
    kind = {PROPERTY: "property", QUERY: "query parameter", HEADER: "header"}.get(place.kind, "")
    what = f"{kind} {named(place)}".strip()
    said = delivery_type(bad)
    if place in bad:
        where = f" in a {said}" if said is not None and place.kind == PROPERTY else ""
        return f"{fails} with {_full(place, bad)}, {holds} without it: {what} present{where}"
    it = _full(place, good) if place.kind == PROPERTY and value_at(place, good[place]).data is None else "it"
    feature = f"{what} left out" + (f" of a {said}" if said is not None and place.kind == PROPERTY else "")
    target = operation.resource.target or ()
    if said is not None and place.name in target and not any(Place(PROPERTY, name) in bad for name in target):
        feature = f"a {said} without a target"
    return f"{fails} without `{named(place)}`, {holds} with {it}: {feature}"


def delivery_type(parts: Parts) -> str | None:
    """Return the deliveryType that a body names, or None."""
    part = parts.get(Place(PROPERTY, "deliveryType"))
    data = Value(part[1], json=True).data if part is not None else None
    return data if isinstance(data, str) else None


def _of_several(
    words: tuple[str, str], operation: Operation, bad: Parts, good: Parts, places: Collection[Place]
) -> str:
    fails, holds = words
    only_bad = [place for place in places if place in bad and place not in good]
    only_good = [place for place in places if place in good and place not in bad]
    changed = [place for place in places if place in good and place in bad]
    for_bad = [_full(place, bad) for place in changed] + [f"`{named(place)}`" for place in only_bad]
    for_good = [_full(place, good) for place in changed] + [f"`{named(place)}`" for place in only_good]
    feature = _combination(operation, bad, good, only_bad, only_good)
    if not for_bad:
        return f"{fails} without {_listed(for_good)}, {holds} with them: {feature}"
    if not for_good:
        return f"{fails} with {_listed(for_bad)}, {holds} without them: {feature}"
    return f"{fails} with {_listed(for_bad)}, {holds} with {_listed(for_good)}: {feature}"


def _combination(operation: Operation, bad: Parts, good: Parts, only_bad: list[Place], only_good: list[Place]) -> str:
    """Return what a set of differences is, taken together."""
    more, fewer = {place.name for place in only_bad}, {place.name for place in only_good}
    target = set(operation.resource.target or ())
    said, instead = delivery_type(bad), delivery_type(good)
    what = said or "restore"
    if more >= _OPLOG:
        return "an oplog pair in place of pointInTimeUTCSeconds" if _SECONDS in fewer else f"an oplog pair in a {what}"
    if _SECONDS in more and fewer >= _OPLOG:
        return "pointInTimeUTCSeconds in place of an oplog pair"
    if target and fewer >= target:
        return f"a {what} without a target"
    if target and more >= target:
        return f"a {what} with a target" if said == instead else f"deliveryType {what}"
    if said != instead and said is not None:
        return f"deliveryType {said}"
    return "these differences together"


def _listed(words: list[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"


def _full(place: Place, parts: Parts) -> str:
    """Return a part with its name."""
    if place.kind == QUERY:
        return f"`{shortened(unquote('&'.join(parts[place])), _LONGEST)}`"
    if place.kind == HEADER:
        return f"`{named(place)}: {one_line(parts[place][-1][1], _LONGEST)}`"
    if place.kind in (ORDER.kind, SPACE.kind, SLASH.kind):
        return {ORDER: "another order", SPACE: "other white space", SLASH: "another end of the path"}[place]
    return f"{named(place)} {_shown(place, parts)}"


def _shown(place: Place, parts: Parts) -> str:
    value = value_at(place, parts[place])
    plain = (
        isinstance(value.data, str)
        and place.kind == PROPERTY
        and value.text == json.dumps(value.words, ensure_ascii=False)
    )
    text = value.words if plain and value.words else value.text
    return f"`{one_line(text, _LONGEST)}`" if text else "nothing"
