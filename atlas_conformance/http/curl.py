"""A request as a shell command that anyone can copy; credentials stay in environment variables."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Mapping
from types import MappingProxyType

from atlas_conformance.contracts.exchange import NEARLY_RIGHT, Request
from atlas_conformance.http.authentication import WRONG
from atlas_conformance.http.secret import USUAL_NAMES, Credentials, Secret
from atlas_conformance.http.target import Target

TOKEN_NAME = "MONGODB_ATLAS_ACCESS_TOKEN"
"""The variable that the command takes a bearer token from where the target names none."""

_FRAMED_METHODS = frozenset({"POST", "PUT", "PATCH"})
_ARGUMENT_BYTES = 100_000
_EXPECT_BYTES = 1_000_000


def curl_of(target: Target) -> Callable[[Request], str]:
    """Return what makes the command for a request to a target, with its credentials and headers."""
    own = {name: header.variable for name, header in target.headers.items()}

    def command(request: Request) -> str:
        whose = "owner" if request.credential in NEARLY_RIGHT else request.credential
        return curl(request, target.base_url, target.credentials.get(whose), own)

    return command


def curl(
    request: Request,
    target_base_url: str,
    credentials: Credentials | None = None,
    headers: Mapping[str, str] = MappingProxyType({}),
) -> str:
    """Return one line of POSIX shell that sends the same method, target, headers and body bytes with curl.

    `credentials` are those of the request's identity, `headers` the target's own ones by name with the variable of
    each; only the names of variables are written, never a value. A body that is not plain text comes
    from `printf` through a pipe.
    """
    words = ["curl", "--include", "--path-as-is", "--globoff"]
    if request.method == "HEAD":
        words.append("--head")
    elif request.method != "GET" or request.body is not None:
        words += ["--request", shlex.quote(request.method)]
    words += _authentication(request, credentials)
    present = set()
    for name, value in request.headers or ():
        present.add(name.lower())
        # curl drops a header with an empty value unless it ends in a semicolon.
        words += ["--header", shlex.quote(f"{name}: {value}" if value else f"{name};")]
    words += [f'--header "{name}: ${variable}"' for name, variable in headers.items() if name.lower() not in present]
    body = request.body
    if body is None and request.method in _FRAMED_METHODS:
        body = b""
    if "accept" not in present:
        words += ["--header", "Accept:"]
    if body is not None and "content-type" not in present:
        words += ["--header", "Content-Type:"]
    if body is not None and len(body) >= _EXPECT_BYTES:
        words += ["--header", "Expect:"]
    prefix = ""
    if body is not None:
        text = _plain_text(body)
        if text is None:
            prefix = f"printf {_printf_format(body)} | "
            words += ["--data-binary", "@-"]
        else:
            words += ["--data-raw", shlex.quote(text)]
    words.append(shlex.quote(target_base_url.rstrip("/") + request.target))
    return prefix + " ".join(words)


_NEARLY_RIGHT = {
    "wrong-secret": "${{{}}}x",
    "cut-token": "${{{}%?}}",
    "changed-token": "${{{}%?}}A",
    "recased-token": '$(printf %s "${}" | tr a-zA-Z A-Za-z)',
}
"""How a shell writes the owner's token with something wrong."""


def _authentication(request: Request, credentials: Credentials | None) -> list[str]:
    if request.credential in ("none", "unknown"):
        return []
    if request.credential == "wrong":
        if request.scheme == "digest" or (
            request.scheme == "any" and credentials is not None and not credentials.bearer
        ):
            return ["--digest", "--user", shlex.quote(f"{_wrong(WRONG.public_key)}:{_wrong(WRONG.private_key)}")]
        return ["--header", shlex.quote(f"Authorization: Bearer {_wrong(WRONG.token)}")]
    if credentials is None or not (credentials.digest or credentials.bearer):
        return []
    if request.credential in NEARLY_RIGHT:
        if request.scheme == "digest":
            public = credentials.names.get("public_key", USUAL_NAMES["public_key"])
            scheme = "--basic" if request.credential == "basic" else "--digest"
            return [scheme, "--user", f'"${public}:{_wrong(WRONG.private_key)}"']
        name = credentials.names.get("token", TOKEN_NAME)
        return ["--header", f'"Authorization: Bearer {_NEARLY_RIGHT[request.credential].format(name)}"']
    if request.scheme == "bearer" or (request.scheme == "any" and credentials.bearer):
        return ["--header", f'"Authorization: Bearer ${credentials.names.get("token", TOKEN_NAME)}"']
    public, private = (credentials.names.get(key, USUAL_NAMES[key]) for key in ("public_key", "private_key"))
    return ["--digest", "--user", f'"${public}:${private}"']


def _wrong(secret: Secret | None) -> str:
    assert secret is not None
    return secret.reveal()


def _plain_text(body: bytes) -> str | None:
    """Return the body as text that can stand in a shell argument as it is, or None."""
    if len(body) > _ARGUMENT_BYTES:
        return None
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError:
        return None
    return text if all(c.isprintable() or c in "\n\t" for c in text) else None


def _printf_format(body: bytes) -> str:
    """Return a quoted printf format that prints exactly `body`: octal escapes for all but plain ASCII."""
    plain = {byte: chr(byte) for byte in range(0x20, 0x7F) if chr(byte) not in "'\\%"}
    escaped = [plain.get(byte) or f"\\{byte:03o}" for byte in body]
    if escaped and escaped[0] == "-":
        escaped[0] = "\\055"
    return "'" + "".join(escaped) + "'"
