"""Faults in the checks of a body's single fields (`B-*`, `N-SNAPSHOT`)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeAlias

from atlas_conformance.reference.bodies import Field, is_cluster_name, is_item_name
from atlas_conformance.reference.fault import Class, Fault
from atlas_conformance.reference.fault_parts import (
    CREATES,
    DEDICATED,
    SHARED,
    also_refusing,
    excusing,
    field_where,
    normalising,
    resource_of,
    sound,
)
from atlas_conformance.reference.messages import Call
from atlas_conformance.reference.resources import SERVED


def _fields(operation: str) -> tuple[Field, ...]:
    return SERVED[resource_of(operation)].fields


def _form_of(operation: str, name: str) -> Callable[[str], bool]:
    """Return what tells whether a property's value has the form that it must have."""
    found = next(field.conforms for field in _fields(operation) if field.name == name)
    assert found is not None
    return found


def _target(operation: str) -> tuple[str, str]:
    """Return the names of an operation's target and target project."""
    project, name = resource_of(operation).target or ("", "")
    return name, project


def _taking(
    operation: str,
    what: str,
    field: str,
    taken: Callable[[Any], bool],
    sentence: str,
    kind: Class,
    steps: tuple[str, ...],
) -> Fault:
    """A fault that takes some malformed values of a field: none of the named steps minds them."""
    excused = field_where(field, taken)
    return Fault(
        id=f"{operation}/{field}-{what}",
        requirement=steps[0].partition("/")[0],
        operations=(operation,),
        sentence=sentence,
        kind=kind,
        replace={step: excusing(sound(operation, step), excused) for step in steps},
    )


def _malformed(conforms: Callable[[str], bool]) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, str) and not conforms(value)


def _of_text(clean: Callable[[str], str]) -> Callable[[Any], Any]:
    return lambda value: clean(value) if isinstance(value, str) else value


def _name_is(field: str, refused: Callable[[str], bool]) -> Callable[[Call], bool]:
    return field_where(field, lambda value: isinstance(value, str) and refused(value))


def _lacks(name: str) -> Callable[[Call], bool]:
    return lambda call: name not in call.fields


def _is_null(name: str) -> Callable[[Call], bool]:
    return lambda call: call.fields.get(name, "") is None


_Slip: TypeAlias = tuple[str, Callable[[str], bool], str]

_SLIPS: Mapping[Callable[[str], bool] | None, tuple[_Slip, ...]] = {
    None: (
        ("65", lambda value: len(value) == 65, "A 65th code point is taken."),
        ("empty", lambda value: not value, "An empty name is taken."),
    ),
    is_cluster_name: (
        ("hyphen-first", lambda value: value.startswith("-"), "A leading hyphen is taken."),
        ("scripts", str.isalnum, "Letters of every script are taken in a cluster's name."),
        ("underscore", lambda value: "_" in value, "An underscore is taken."),
    ),
    is_item_name: (
        ("space", lambda value: " " in value, "A space is taken."),
        ("utf16-length", lambda value: 65 <= len(value) <= 128, "Up to 128 code points are taken."),
    ),
}
"""Malformed names that slip through: of every target, and of one whose name must have a form."""


def _unchecked_patterns() -> Iterator[Fault]:
    for operation in CREATES:
        target, project = _target(operation)
        for field, lookup in (("snapshotId", "N-SNAPSHOT"), (target, "free/target"), (project, "free/target")):
            conforms = _form_of(operation, field)
            steps = (f"B-PATTERN/{field}", lookup)
            yield _taking(
                operation,
                "unchecked",
                field,
                _malformed(conforms),
                f"The form of {field} is not checked.",
                "negative",
                steps,
            )
    for operation in CREATES:
        target, _ = _target(operation)
        conforms = _form_of(operation, target)

        def rare(test: Callable[[str], bool], good: Callable[[str], bool] = conforms) -> Callable[[Any], bool]:
            return lambda value: isinstance(value, str) and not good(value) and test(value)

        def newline(value: str, good: Callable[[str], bool] = conforms) -> bool:
            return value.endswith("\n") and good(value[:-1])

        slips: tuple[_Slip, ...] = (("newline", newline, "A trailing newline is taken."), *_SLIPS[None])
        for what, taken, sentence in (*slips, *_SLIPS[conforms]):
            steps = (f"B-PATTERN/{target}", "free/target")
            yield _taking(operation, what, target, rare(taken), sentence, "subtle", steps)


def _normalised_identifiers() -> Iterator[Fault]:
    cleanings: tuple[tuple[str, Callable[[str], str], str], ...] = (
        ("upper-case", str.lower, "Upper-case hexadecimal digits are taken."),
        ("newline", lambda text: text.removesuffix("\n"), "A trailing newline is taken."),
        ("trimmed", str.strip, "White space around it is cut off."),
        ("cut", lambda text: text[:24], "What follows the 24th digit is ignored."),
    )
    for operation in CREATES:
        for field in ("snapshotId", _target(operation)[1]):
            step = f"B-PATTERN/{field}"
            for what, clean, sentence in cleanings:
                if operation.endswith("v1") and what in {"trimmed", "cut"}:
                    continue  # the same code serves both versions in most servers
                yield Fault(
                    id=f"{operation}/{field}-{what}",
                    requirement="B-PATTERN",
                    operations=(operation,),
                    sentence=f"{field}: {sentence.lower()}",
                    kind="subtle",
                    replace={
                        step: normalising(
                            field,
                            _of_text(clean),
                            sound(operation, step),
                        )
                    },
                )


def _refused_names() -> Iterator[Fault]:
    """Names that conform and are refused (`B-ACCEPT`)."""
    too_strict: tuple[tuple[str, Callable[[str], bool], str], ...] = (
        ("ascii-only", lambda name: not name.isascii(), "A name in another script is refused."),
        ("no-astral", lambda name: max(map(ord, name)) > 0xFFFF, "A letter outside the basic plane is refused."),
        ("63", lambda name: len(name) > 63, "A name of 64 code points is refused."),
        ("utf16-64", lambda name: len(name.encode("utf-16-le")) > 128, "64 UTF-16 units are the limit."),
        ("one", lambda name: len(name) == 1, "A name of one code point is refused."),
        ("apostrophe", lambda name: "'" in name, "An apostrophe is refused."),
        ("plus", lambda name: "+" in name, "A plus sign is refused."),
        ("parentheses", lambda name: "(" in name or ")" in name, "Parentheses are refused."),
        (
            "letters-only-numbers",
            lambda name: any(c in "½Ⅷ" for c in name),
            "Numbers that are no decimal digits are refused.",
        ),
    )
    for operation in SHARED:
        step = "B-PATTERN/targetDeploymentItemName"
        for what, refused, sentence in too_strict:
            if operation == "tenant-create" and what in {"plus", "one", "letters-only-numbers"}:
                continue
            yield Fault(
                id=f"{operation}/item-{what}-refused",
                requirement="B-ACCEPT",
                operations=(operation,),
                sentence=sentence,
                kind="subtle",
                replace={
                    step: also_refusing(
                        sound(operation, step),
                        _name_is("targetDeploymentItemName", refused),
                    )
                },
            )
    for operation in DEDICATED:
        step = "B-PATTERN/targetClusterName"
        for what, refused, sentence in (
            ("63", lambda name: len(name) > 63, "A cluster name of 64 letters is refused."),
            ("digit-first", lambda name: name[:1].isdigit(), "A cluster name that begins with a digit is refused."),
        ):
            yield Fault(
                id=f"{operation}/name-{what}-refused",
                requirement="B-ACCEPT",
                operations=(operation,),
                sentence=sentence,
                kind="subtle",
                replace={
                    step: also_refusing(
                        sound(operation, step),
                        _name_is("targetClusterName", refused),
                    )
                },
            )


def _types_and_presence() -> Iterator[Fault]:
    for operation in CREATES:
        for field in _fields(operation):
            name = field.name
            if field.required and name != "deliveryType":
                yield Fault(
                    id=f"{operation}/{name}-optional",
                    requirement="B-REQUIRED",
                    operations=(operation,),
                    sentence=f"{name} may be left out.",
                    kind="negative",
                    replace={f"B-REQUIRED/{name}": excusing(sound(operation, f"B-REQUIRED/{name}"), _lacks(name))},
                )
                yield Fault(
                    id=f"{operation}/{name}-null",
                    requirement="B-REQUIRED",
                    operations=(operation,),
                    sentence=f"null is taken for {name}.",
                    kind="subtle",
                    replace={
                        step: excusing(sound(operation, step), _is_null(name))
                        for step in (f"B-REQUIRED/{name}", f"B-TYPE/{name}")
                    },
                )
            if field.type == "string" and name != "deliveryType":
                yield Fault(
                    id=f"{operation}/{name}-untyped",
                    requirement="B-TYPE",
                    operations=(operation,),
                    sentence=f"Any JSON type is taken for {name}.",
                    kind="negative",
                    skip=frozenset({f"B-TYPE/{name}"}),
                )
            elif field.type == "integer":
                yield from _integers(operation, field)


def _integers(operation: str, field: Field) -> Iterator[Fault]:
    name = field.name
    step = f"B-TYPE/{name}"

    def coerced(what: str, change: Callable[[Any], Any], sentence: str, kind: Class) -> Fault:
        return Fault(
            id=f"{operation}/{name}-{what}",
            requirement="B-TYPE",
            operations=(operation,),
            sentence=sentence,
            kind=kind,
            replace={step: normalising(name, change, sound(operation, step))},
        )

    yield coerced(
        "numeric-string",
        lambda value: int(value) if isinstance(value, str) and value.isascii() and value.isdigit() else value,
        f"A string of digits is taken for {name}.",
        "negative",
    )
    yield coerced(
        "fraction",
        lambda value: int(value) if isinstance(value, float) else value,
        f"A fraction is cut down to an integer for {name}.",
        "subtle",
    )
    if field.minimum == 1:
        yield coerced("true", lambda value: 1 if value is True else value, f"true is taken for {name}.", "subtle")
    below = f"B-RANGE/{name}/minimum"
    above = f"B-RANGE/{name}/maximum"
    yield Fault(
        id=f"{operation}/{name}-minimum-off-by-one",
        requirement="B-RANGE",
        operations=(operation,),
        sentence=f"{field.minimum - 1} is taken for {name}.",
        kind="subtle",
        freedoms={"point-outside-window": "taken"},
        replace={below: excusing(sound(operation, below), field_where(name, lambda value: value == field.minimum - 1))},
    )
    yield Fault(
        id=f"{operation}/{name}-no-minimum",
        requirement="B-RANGE",
        operations=(operation,),
        sentence=f"{name} has no lower limit.",
        kind="negative",
        freedoms={"point-outside-window": "taken"},
        skip=frozenset({below}),
    )
    yield Fault(
        id=f"{operation}/{name}-int64",
        requirement="B-RANGE",
        operations=(operation,),
        sentence=f"{name} takes what is no int32, such as 2147483648.",
        kind="subtle",
        freedoms={"point-outside-window": "taken"},
        skip=frozenset({above}),
    )


FAULTS: tuple[Fault, ...] = (
    *_unchecked_patterns(),
    *_normalised_identifiers(),
    *_refused_names(),
    *_types_and_presence(),
)
"""Faults of this family."""
