"""The sentence of a contrast: what was answered how, and the one difference."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

from atlas_conformance.contracts.media import media_type, version_date
from atlas_conformance.contracts.operation import Operation
from atlas_conformance.reports.wording import one_line, shortened
from atlas_conformance.runner.features import FEATURES, FEATURES_OF_BODIES, FEATURES_OF_MEDIA, Value, feature_of
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

_LONGEST, _CONTEXT = 48, 16
_SEVERAL = 3
"""So many values, and so many times as many as are refused, tell that a rule is hardly checked at all."""
_OPLOG, _SECONDS = frozenset({"oplogTs", "oplogInc"}), "pointInTimeUTCSeconds"
_NOUNS: Mapping[str, str] = {
    "snapshotId": "snapshot",
    "targetProjectId": "project",
    "targetGroupId": "project",
    "groupId": "project",
    "the body": "body",
    "restoreJobId": "job",
    "restoreId": "job",
}


@dataclass(frozen=True)
class Rule:
    """What is to be said of the rule that a wrongly accepted request breaks.

    `about` says it in whole, where no feature of the value tells it; `values` is what the values are called that break
    the rule, and `refused` are the requests in which one was refused.
    """

    about: str = ""
    values: str = ""
    refused: tuple[Parts, ...] = ()


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


@dataclass(frozen=True)
class Pair:
    """Two requests of an operation with different outcomes, and `words` for what came of each.

    `alike` and `others` are requests with the outcome of the one, and of the other; `rule` is what an accepted request
    breaks.
    """

    words: tuple[str, str]
    operation: Operation
    bad: Parts
    good: Parts
    alike: Sequence[Parts] = ()
    others: Sequence[Parts] = ()
    rule: Rule | None = None


def sentence_of(pair: Pair, places: Collection[Place]) -> str:
    """Return the sentence on two requests that differ at `places`."""
    if len(places) == 1:
        (place,) = places
        return _of_one(pair, place)
    return _of_several(pair.words, pair.operation, pair.bad, pair.good, places)


def _of_one(pair: Pair, place: Place) -> str:
    words, operation, bad, good = pair.words, pair.operation, pair.bad, pair.good
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
    feature = _feature(pair, place)
    shown = _shown_bodies(bad, good) if place == BODY else (_shown(place, bad), _shown(place, good))
    return f"{fails} with {shown[0]}, {holds} with {shown[1]}: {feature}"


def _feature(pair: Pair, place: Place) -> str:
    """Return what the one value has that the other one has not, and where."""
    operation, bad, good, rule = pair.operation, pair.bad, pair.good, pair.rule
    if rule is not None and rule.about:
        return rule.about
    names_project = operation.resource.target is not None and place.name == operation.resource.target[0]
    if names_project and _is_elsewhere(operation, bad, good):
        return "a target in another project"
    value, near = value_at(place, bad[place]), value_at(place, good[place])
    same = list(dict.fromkeys(value_at(place, parts[place]) for parts in pair.alike if place in parts))
    unlike = list(dict.fromkeys(value_at(place, parts[place]) for parts in pair.others if place in parts))
    where = "" if place == BODY else f" in {named(place)}"
    if rule is not None and rule.values:
        refused = len({value_at(place, parts[place]) for parts in rule.refused if place in parts} - {*same})
        if len(same) >= max(_SEVERAL, _SEVERAL * refused):
            return f"{len(same)} of {len(same) + refused} {rule.values} of {named(place)} are accepted"
    features, sized = FEATURES, True
    if place == BODY:
        features = FEATURES_OF_BODIES
    elif place.kind == HEADER:
        features, sized = FEATURES_OF_MEDIA, False
        if _is_later(value, near):
            return f"a later version{where}"
    sized = sized and (place.kind != QUERY or value.words.isdigit())
    feature = feature_of(value, near, same, unlike, features, sized=sized)
    if feature is None and place == BODY:
        feature = feature_of(value, near, features=features)
    if feature is None and place.kind == PROPERTY and bad[place][1] == good[place][1]:
        feature = "escaped characters in the name"
    if feature is not None:
        return f"{feature}{where}"
    if place.name == "deliveryType":
        return f"deliveryType {value.words}" if value.words else "this deliveryType"
    noun = _NOUNS.get(named(place))
    return f"this {noun}" if noun is not None else f"this value of {named(place)}"


def _is_later(value: Value, near: Value) -> bool:
    """Whether both are versioned media types, and the first one names a later date."""
    dates = [version_date(media_type(one.words)[0]) for one in (value, near)]
    return dates[0] is not None and dates[1] is not None and dates[0] > dates[1]


_CALLER: Mapping[Place, str] = {CREDENTIAL: "the credentials", SCHEME: "the authentication scheme"}


def _caller(parts: Parts, place: Place) -> str:
    said = str(parts[place])
    return f"{said} credentials" if place == CREDENTIAL else said


def _of_presence(words: tuple[str, str], operation: Operation, place: Place, bad: Parts, good: Parts) -> str:
    fails, holds = words
    kind = {PROPERTY: "property", QUERY: "query parameter", HEADER: "header"}.get(place.kind, "")
    what = f"{kind} {named(place)}".strip()
    said = delivery_type(bad)
    if place in bad:
        where = f" ({said})" if said is not None and place.kind == PROPERTY else ""
        return f"{fails} with {_full(place, bad)}, {holds} without it: {what} present{where}"
    it = _full(place, good) if place.kind == PROPERTY and value_at(place, good[place]).data is None else "it"
    feature = f"{what} left out" + (f" ({said})" if said is not None and place.kind == PROPERTY else "")
    target = operation.resource.target or ()
    if said is not None and place.name in target and not any(Place(PROPERTY, name) in bad for name in target):
        feature = f"a {said} without a target"
    if place.name == _SECONDS and all(Place(PROPERTY, name) in bad for name in _OPLOG):
        feature = "an oplog pair alone"
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
    feature = _combination(operation, bad, good, places)
    if not for_bad:
        return f"{fails} without {_listed(for_good)}, {holds} with them: {feature}"
    if not for_good:
        return f"{fails} with {_listed(for_bad)}, {holds} without them: {feature}"
    return f"{fails} with {_listed(for_bad)}, {holds} with {_listed(for_good)}: {feature}"


def _combination(operation: Operation, bad: Parts, good: Parts, places: Collection[Place]) -> str:
    """Return what a set of differences is, taken together."""
    more = {place.name for place in places if place not in good}
    fewer = {place.name for place in places if place not in bad}
    target = set(operation.resource.target or ())
    said, instead = delivery_type(bad), delivery_type(good)
    what = said or "restore"
    if more >= _OPLOG:
        return "an oplog pair in place of pointInTimeUTCSeconds" if _SECONDS in fewer else f"an oplog pair in a {what}"
    if _SECONDS in more and fewer >= _OPLOG:
        return "pointInTimeUTCSeconds in place of an oplog pair"
    if said != instead and said is not None:
        return f"deliveryType {said}"
    changed = {place.name for place in places if place in bad and place in good}
    if target and changed == target:
        return "a target in another project" if _is_elsewhere(operation, bad, good) else "this target"
    if target and fewer >= target:
        return f"a {what} without a target"
    if target and more >= target:
        return f"a {what} with a target"
    return "these differences together"


def _is_elsewhere(operation: Operation, bad: Parts, good: Parts) -> bool:
    """Whether a body names a target in another project than the path's, and the other body one in the same."""
    project = Place(PROPERTY, operation.resource.target[0]) if operation.resource.target else BODY
    if project not in bad or project not in good:
        return False
    own = value_at(Place(PATH, "groupId"), bad[Place(PATH, "groupId")]).words
    return value_at(project, bad[project]).words != own == value_at(project, good[project]).words


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
    """Return a value as it is sent; a text of a body without its quotes where it shows all of itself."""
    if place.kind == QUERY:
        return _full(place, parts)
    value = value_at(place, parts[place])
    text = parts[place] if place.kind == PATH and not _shows(value.words) else value.text
    if place.kind == PROPERTY and _shows(value.words) and value.text == json.dumps(value.words, ensure_ascii=False):
        text = value.words
    return f"`{one_line(text, _LONGEST)}`" if text else "nothing"


def _shown_bodies(*both: Parts) -> tuple[str, ...]:
    """Return two bodies from where they begin to differ."""
    texts = [value_at(BODY, parts[BODY]).text for parts in both]
    same = next((at for at, pair in enumerate(zip(*texts, strict=False)) if pair[0] != pair[1]), min(map(len, texts)))
    cut = same - _CONTEXT if same > 2 * _CONTEXT else 0
    lead = "…" if cut else ""
    return tuple(f"`{lead}{one_line(text[cut:], _LONGEST)}`" if text else "nothing" for text in texts)


def _shows(text: str) -> bool:
    """Whether a text can be read as it is."""
    return bool(text) and text.isprintable() and text == " ".join(text.split())
