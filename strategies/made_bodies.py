"""Bodies of creates that the package does not know, made from their schema alone, and every one-step departure.

The judge's own reading of a request says what a body breaks, so that a body breaks what the contract at hand binds.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import chain, islice
from typing import Any

from hypothesis import strategies as st

from atlas_conformance.contracts.contract import Contract
from atlas_conformance.contracts.operation import Operation
from atlas_conformance.strategies.bodies import Body
from atlas_conformance.strategies.boundaries import INT32_LIMIT, refused_values
from atlas_conformance.strategies.values import documents, plain_value

_PER_PROPERTY = 40
_OTHER_TYPES: tuple[tuple[Any, str], ...] = (
    ("x", "a text"),
    (42, "a number"),
    (1.5, "a fraction"),
    (True, "true"),
    ([], "an array"),
    ({}, "an object"),
)


def made_bodies(contract: Contract, operation: Operation) -> list[Body]:
    """Return bodies that the schema of a create takes: with every property, without each optional one, the needed ones.

    Raises ValueError where none can be made.
    """
    name, schema = _schema(contract, operation)
    required = schema.get("required", ())
    drawn = {key: plain_value(contract, described) for key, described in schema.get("properties", {}).items()}
    full = {key: value[0] for key, value in drawn.items() if value}
    optional = [key for key in full if key not in required]
    found = [Body(full, None, "every property")]
    found += [Body({k: v for k, v in full.items() if k != key}, None, f"without {key}") for key in optional]
    found.append(Body({key: full[key] for key in full if key in required}, None, "no more than what is needed"))
    valid = contract.validator(name).is_valid
    taken = [body for number, body in enumerate(found) if valid(body.document) and body not in found[:number]]
    if not taken:
        why = "it asks for more than properties of plain values"
        raise ValueError(f"no body of {operation.id} can be made up from {name}: {why}")
    return taken


def drawn_bodies(contract: Contract, operation: Operation) -> st.SearchStrategy[dict[str, Any]]:
    """Draw bodies that the schema of a create takes. Raises ValueError where none can be made."""
    name, _ = _schema(contract, operation)
    plain = st.sampled_from([body.document for body in made_bodies(contract, operation)])
    return plain | documents(contract, name).filter(contract.validator(name).is_valid)


def departing_from(contract: Contract, operation: Operation) -> Iterator[Body]:
    """Yield bodies one step from one that the schema takes; what each breaks is left open."""
    _, schema = _schema(contract, operation)
    bases = made_bodies(contract, operation)
    for base in bases[:1] if len(bases) == 1 else (bases[0], bases[-1]):
        for key in base.document:
            rest = {name: value for name, value in base.document.items() if name != key}
            yield Body(rest, None, f"{base.what}: {key} missing")
            yield Body(rest | {key: None}, None, f"{base.what}: {key} null")
        for key, good in base.document.items():
            for value, what in islice(_others(schema["properties"][key], good), _PER_PROPERTY):
                yield Body(base.document | {key: value}, None, f"{base.what}: {key} with {what}")


def _others(described: Mapping[str, Any], good: Any) -> Iterator[tuple[Any, str]]:
    """Yield values near a good one, and of other types."""
    near: Iterator[tuple[Any, str]] = iter(())
    if isinstance(good, str) and good:
        near = ((one.value, one.what) for one in refused_values({**described, "type": "string"}, good))
    elif isinstance(good, int) and not isinstance(good, bool):
        bounded = {"minimum": -INT32_LIMIT, **described, "type": "integer"}
        near = ((one.value, one.what) for one in refused_values(bounded, good))
        if "maximum" in described:
            near = chain([(described["maximum"] + 1, "one above the greatest")], near)
    return chain(_OTHER_TYPES, near)


def _schema(contract: Contract, operation: Operation) -> tuple[str, Mapping[str, Any]]:
    """Return the request schema of a create, by its name."""
    if operation.request_schema is None:
        raise ValueError(f"{operation.id} has no requestBody, from whose schema a body could be drawn")
    return operation.request_schema, contract.schemas.documents[operation.request_schema]
