"""The checks of who calls: credentials, the access list, the rate, the role."""

from __future__ import annotations

from email.utils import formatdate

from atlas_conformance.reference.backend import Backend
from atlas_conformance.reference.messages import Call, Refusal

ADVERTISED_RATE = 1_200
"""Requests a minute that the rate headers show where no limit is set."""


def check_credentials(backend: Backend, call: Call) -> None:
    """Refuse a call without valid credentials with 401, before anything else is looked at (`A-NONE`, `A-WRONG`,
    `A-BEFORE`).
    """
    call.role = backend.authentication.role_of(call)


def check_access_list(backend: Backend, call: Call) -> None:
    """Refuse an address outside the API access list (`A-LIST`)."""
    if call.role == "off-list":
        status = int(backend.free["off-list"])
        raise Refusal(status, "IP_ADDRESS_NOT_ON_ACCESS_LIST", "The address is not on the API access list.")


def check_rate(backend: Backend, call: Call) -> None:
    """Count the call, and refuse it where its caller's minute is used up (`A-RATE`)."""
    if backend.rate is None:
        return
    minute = int(call.wall // 60)
    seen, used = backend.used.get(call.role or "", (minute, 0))
    used = used if seen == minute else 0
    backend.used[call.role or ""] = (minute, used + 1)
    if used >= backend.rate:
        left = 60 - int(call.wall % 60)
        waits = {"seconds": str(left), "date": formatdate(call.wall + left, usegmt=True)}
        wait = waits.get(backend.free["retry-after"])
        headers = () if wait is None else (("Retry-After", wait),)
        raise Refusal(429, "RATE_LIMITED", "Too many requests in this minute.", headers=headers)


def check_role(backend: Backend, call: Call) -> None:
    """Refuse what a lesser role than Project Owner may not do (`A-ROLE`)."""
    assert call.operation is not None
    choice = backend.free["reader-reads" if call.operation.kind in {"get", "list"} else "reader-writes"]
    if call.role == "reader" and choice != "200":
        raise Refusal(int(choice), "USER_UNAUTHORIZED", "The Project Owner role is needed.")
