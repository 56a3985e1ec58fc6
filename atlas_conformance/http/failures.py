"""What can keep a request from becoming an exchange. None of these is a verdict on the endpoint by itself."""

from __future__ import annotations

from typing import Any, Literal, TypeAlias

from atlas_conformance.contracts.exchange import Request

Cause: TypeAlias = Literal["unreachable", "refused", "tls", "timeout", "closed", "malformed", "too-large", "stopped"]
"""Why no answer came: the host name does not resolve or cannot be routed to; nobody listens; TLS failed; a time limit
passed; the connection ended early; what came is not HTTP; the answer exceeds the size limit; the client was closed."""


class TargetError(Exception):
    """A target file, an option or the environment is wrong; the message is one sentence for a person."""


class PreflightFailed(Exception):
    """The endpoint cannot be verified; the message is one sentence for a person."""


class NotSent(Exception):
    """Base of all that is raised instead of returning an exchange; `request` and `reason` say of what and why."""

    def __init__(self, request: Request, reason: str) -> None:
        super().__init__(f"{request.method} {request.path}: {reason}")
        self.request = request
        self.reason = reason

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.request, self.reason), vars(self)


class Withheld(NotSent):
    """The safety guard did not allow the request, so it never left."""


class MissingCredentials(NotSent):
    """The target has no credentials of the kind, or for the scheme, that the request asks for; it never left."""


class Unsendable(NotSent):
    """The request cannot be written as HTTP/1.1 (a control character or non-ASCII letter in target or headers)."""


class NoAnswer(NotSent):
    """The request may have left, and no complete answer came back; `cause` is why in one word."""

    def __init__(self, request: Request, reason: str, cause: Cause) -> None:
        super().__init__(request, reason)
        self.cause = cause

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.request, self.reason, self.cause), vars(self)
