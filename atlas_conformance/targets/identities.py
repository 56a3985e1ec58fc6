"""Credentials by the names of environment variables, from the environment or a file with tight permissions."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

from atlas_conformance.contracts.exchange import Credential
from atlas_conformance.http.failures import TargetError
from atlas_conformance.http.secret import USUAL_NAMES, Credentials, Secret
from atlas_conformance.targets.table import Table

KEYS = ("public_key", "private_key", "client_id", "client_secret", "token")
PAIRS = (("public_key", "private_key"), ("client_id", "client_secret"))

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_SECTIONS: tuple[tuple[Credential, str], ...] = (("reader", "reader"), ("off-list", "off_list"))


def identities_from_environment(environ: Mapping[str, str]) -> Mapping[Credential, Credentials]:
    """Return the owner's credentials from the usual variables, or nothing where none is set.

    Raises TargetError where one half of a pair is set without the other.
    """
    owner = _usual(environ, "the environment")
    return MappingProxyType({"owner": owner} if owner else {})


def identities_from_table(
    table: Table, environ: Mapping[str, str], folder: Path
) -> tuple[Mapping[Credential, Credentials], str | None]:
    """Read the `authentication` table: return the identities and the secrets file as it was named, or None.

    A variable of the environment wins over the same name in the secrets file, whose path is relative to `folder`.
    """
    secrets_file = table.take("secrets_file", str)
    values = dict(environ)
    if secrets_file is not None:
        values = {**_read_secrets(folder / secrets_file, table.place("secrets_file")), **values}
    identities: dict[Credential, Credentials] = {}
    owner = _identity(table, values)
    subtables = [(credential, table.table(section)) for credential, section in _SECTIONS]
    table.finish()
    if owner is None:
        owner = _usual(values, table.place("secrets_file") if secrets_file else "the environment")
    if owner is not None:
        identities["owner"] = owner
    for credential, subtable in subtables:
        if subtable is None:
            continue
        identity = _identity(subtable, values)
        subtable.finish()
        if identity is None:
            raise TargetError(f"{subtable.place()} is empty; name a key pair, a service account or a token")
        identities[credential] = identity
    return MappingProxyType(identities), secrets_file


def _usual(environ: Mapping[str, str], where: str) -> Credentials | None:
    found = {key: name for key, name in USUAL_NAMES.items() if environ.get(name)}
    for first, second in PAIRS:
        if (first in found) != (second in found):
            has, lacks = (first, second) if first in found else (second, first)
            raise TargetError(f"{where}: {USUAL_NAMES[has]} is set and {USUAL_NAMES[lacks]} is not; set both")
    if "client_id" in found:
        found.pop("token", None)  # a service account fetches its own, which is always good for a while
    return _credentials(found, environ) if found else None


def _identity(table: Table, environ: Mapping[str, str]) -> Credentials | None:
    names: dict[str, str] = {}
    for key in KEYS:
        name = table.take(key, str)
        if name is None:
            continue
        if not _NAME.fullmatch(name):
            # What stands there may be the secret itself, so it is not repeated.
            table.fail(key, "must be the name of an environment variable, not a value")
        if not environ.get(name):
            table.fail(key, f"names the environment variable {name}, which is not set")
        names[key] = name
    for first, second in PAIRS:
        if (first in names) != (second in names):
            has, lacks = (first, second) if first in names else (second, first)
            table.fail(has, f"is given without {lacks}; they work together")
    return _credentials(names, environ) if names else None


def _credentials(names: Mapping[str, str], environ: Mapping[str, str]) -> Credentials:
    secrets = {}
    for key, name in names.items():
        value = environ[name].strip()
        if not value or any(not 32 < ord(c) < 127 for c in value):
            raise TargetError(
                f"{name}: the value is empty or holds a blank, a control character or a letter beyond ASCII"
            )
        if key in ("public_key", "client_id") and any(c in ':"\\' for c in value):
            raise TargetError(f"{name}: the value holds a colon, quote or backslash, which no key id has")
        secrets[key] = Secret(value)
    return Credentials(**secrets, names=MappingProxyType(dict(names)))


def _read_secrets(path: Path, where: str) -> dict[str, str]:
    """Read NAME=value lines; blank lines, `#` comments, a leading `export` and one pair of quotes are understood."""
    try:
        with path.open("rb") as file:
            mode = stat.S_IMODE(os.fstat(file.fileno()).st_mode)
            data = file.read(1_000_000)
    except OSError as error:
        raise TargetError(f"{where} cannot be read ({(error.strerror or 'no reason given').lower()})") from None
    if mode & 0o077:
        raise TargetError(f"{where} can be read by others (mode {mode:03o}); run chmod 600 on it")
    values: dict[str, str] = {}
    for number, line in enumerate(data.decode("utf-8", "replace").splitlines(), 1):
        text = line.strip().removeprefix("export ").strip()
        if not text or text.startswith("#"):
            continue
        name, equals, value = text.partition("=")
        name, value = name.strip(), value.strip()
        if not equals or not _NAME.fullmatch(name):
            raise TargetError(f"{where}: line {number} of the secrets file is not NAME=value")
        if len(value) >= 2 and value[0] == value[-1] and value[0] in "'\"":
            value = value[1:-1]
        values[name] = value
    return values
