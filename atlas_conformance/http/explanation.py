"""From what the transport raises to one sentence that a person can act on."""

from __future__ import annotations

import socket
import ssl

import httpcore

from atlas_conformance.contracts.exchange import Request
from atlas_conformance.http.failures import NoAnswer, NotSent, Unsendable
from atlas_conformance.http.target import Limits
from atlas_conformance.http.wire import TooLarge, Undecodable


def explained(request: Request, error: Exception, limits: Limits, host: str, *, stopped: bool) -> NotSent | None:
    """Turn an exception of the transport into NoAnswer or Unsendable; return None for what is no transport failure.

    `host` is the endpoint's host and port as written in its base URL; `stopped` says that the client has been closed.
    """
    if stopped:
        return NoAnswer(request, "the client was closed", "stopped")
    if isinstance(error, TooLarge):
        return NoAnswer(request, f"the body exceeds the limit of {limits.body_bytes} bytes", "too-large")
    if isinstance(error, Undecodable):
        return NoAnswer(request, str(error), "malformed")
    if isinstance(error, httpcore.LocalProtocolError):
        return Unsendable(request, f"it cannot be written as HTTP/1.1 ({_short(error)})")
    if isinstance(error, httpcore.ConnectTimeout):
        return NoAnswer(request, f"no connection to {host} within {limits.connect_seconds:g} s", "timeout")
    if isinstance(error, httpcore.TimeoutException):
        return NoAnswer(request, f"no complete answer within {limits.timeout_seconds:g} s", "timeout")
    if isinstance(error, httpcore.ProxyError):
        return NoAnswer(request, f"the proxy refused to connect to {host} ({_short(error)})", "unreachable")
    root = _root(error)
    if isinstance(root, ssl.SSLError):
        return NoAnswer(request, _tls_sentence(root, host), "tls")
    if isinstance(error, httpcore.ConnectError):
        return _unconnected(request, root, host)
    if isinstance(error, httpcore.RemoteProtocolError):
        text = str(error).lower()
        if "disconnected" in text or "closed" in text:
            return NoAnswer(request, "the connection was closed before the answer was complete", "closed")
        return NoAnswer(request, f"the answer is not HTTP/1.1 ({_short(error)})", "malformed")
    if isinstance(error, (httpcore.NetworkError, httpcore.ConnectionNotAvailable)):
        return NoAnswer(request, "the connection was reset before the answer was complete", "closed")
    return None


def _unconnected(request: Request, root: BaseException, host: str) -> NoAnswer:
    if isinstance(root, socket.gaierror):
        return NoAnswer(request, f"the host name of {host} does not resolve", "unreachable")
    if isinstance(root, ConnectionRefusedError):
        return NoAnswer(request, f"nothing listens at {host}", "refused")
    if isinstance(root, ConnectionResetError):
        return NoAnswer(request, f"{host} cut the connection while it was being made", "tls")
    reason = getattr(root, "strerror", None) or type(root).__name__
    return NoAnswer(request, f"{host} cannot be reached ({str(reason).lower()})", "unreachable")


def _tls_sentence(error: ssl.SSLError, host: str) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        reason = error.verify_message
        return f"the certificate of {host} is not trusted ({reason}); name its authority under [tls] ca_file"
    if isinstance(error, (ssl.SSLEOFError, ssl.SSLZeroReturnError)):
        return f"the TLS handshake with {host} was broken off by the other side"
    reason = (error.reason or "no reason given").replace("_", " ").lower()
    hint = "; does it speak plain http?" if "wrong version" in reason or "record layer" in reason else ""
    return f"the TLS handshake with {host} failed ({reason}){hint}"


def _root(error: BaseException) -> BaseException:
    """Return the exception at the bottom of the chain of causes."""
    while (deeper := error.__cause__ or error.__context__) is not None:
        error = deeper
    return error


def _short(error: Exception) -> str:
    text = str(error)
    return text if len(text) <= 100 else text[:97] + "..."
