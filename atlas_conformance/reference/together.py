"""Several faults at once, on different operations: each breaks its own, and the rest of the endpoint stays sound."""

from __future__ import annotations

from collections.abc import Sequence

from atlas_conformance.reference.fault import Fault


def together(faults: Sequence[Fault]) -> Fault:
    """Return one fault that has all of these as its parts.

    Raises ValueError where two of them break the same operation, need different choices of one freedom, or one leaves
    out a step of the authentication, which every operation has.
    """
    names = " and ".join(fault.id for fault in faults)
    operations = [operation for fault in faults for operation in fault.operations]
    if len(set(operations)) < len(operations):
        raise ValueError(f"{names} break the same operation, so that one would hide the other")
    freedoms: dict[str, str] = {}
    for fault in faults:
        if fault.credentials:
            raise ValueError(f"{fault.id} shows on every operation, so no other fault can be seen beside it")
        for name, choice in fault.freedoms.items():
            if freedoms.setdefault(name, choice) != choice:
                raise ValueError(f"{names} need different choices of the freedom {name}")
    return Fault(
        id="+".join(fault.id for fault in faults),
        requirement=faults[0].requirement,
        operations=tuple(operations),
        sentence="; ".join(fault.sentence for fault in faults),
        kind=faults[0].kind,
        freedoms=freedoms,
        pause=max(fault.pause for fault in faults),
        parts=tuple(faults),
    )
