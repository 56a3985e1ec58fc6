"""Which hosts are this machine and which are not: by their spelling alone, never by name resolution."""

from __future__ import annotations

import ipaddress
from urllib.parse import urlsplit

_LOOPBACK_NETWORK = ipaddress.IPv4Network("127.0.0.0/8")


def is_loopback_host(host: str) -> bool:
    """Tell whether `host` is a loopback address literal or the name `localhost`.

    Case, one trailing dot and IPv6 brackets do not matter. Every other name is remote even where it resolves to
    loopback, as a name can be made to point anywhere at any moment.
    """
    bare = host.strip().lower()
    if bare.startswith("[") and bare.endswith("]"):
        bare = bare[1:-1]
    bare = bare.removesuffix(".")
    if bare == "localhost":
        return True
    try:
        address = ipaddress.ip_address(bare)
    except ValueError:
        return False
    if isinstance(address, ipaddress.IPv4Address):
        return address in _LOOPBACK_NETWORK
    return address == ipaddress.IPv6Address("::1")


def is_loopback_url(url: str) -> bool:
    """Tell whether the host of an absolute URL is loopback; a URL without a readable host is not."""
    try:
        host = urlsplit(url).hostname
    except ValueError:
        return False
    return host is not None and is_loopback_host(host)
