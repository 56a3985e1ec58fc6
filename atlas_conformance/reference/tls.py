"""A certificate made on the spot, so that clients that insist on https can be pointed at the endpoint."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Certificate:
    """The files of a certificate: itself, its key, the authority that clients are to trust, and a bundle of it and all
    that is trusted anyway, for clients that trust one file alone.
    """

    certificate: Path
    key: Path
    authority: Path
    bundle: Path


def make_certificate(folder: Path, host: str, authority: Path | None = None) -> Certificate:
    """Make an authority and a certificate for this machine and `host`, and write them into `folder`.

    The authority's file is `authority`, where one is given. Raises OSError where a file can't be written, and
    ImportError where trustme is not installed.
    """
    import certifi
    import trustme

    names = dict.fromkeys(("localhost", "127.0.0.1", "::1", host))
    maker = trustme.CA(organization_name="atlas-conformance", organization_unit_name="mock Atlas")
    made = maker.issue_cert(*(name for name in names if name not in ("0.0.0.0", "::", "")))
    found = Certificate(
        folder / "certificate.pem",
        folder / "key.pem",
        (authority or folder / "authority.pem").absolute(),
        folder / "bundle.pem",
    )
    found.certificate.write_bytes(b"".join(blob.bytes() for blob in made.cert_chain_pems))
    found.key.touch(mode=0o600)
    os.chmod(found.key, 0o600)
    found.key.write_bytes(made.private_key_pem.bytes())
    found.authority.write_bytes(maker.cert_pem.bytes())
    found.bundle.write_bytes(Path(certifi.where()).read_bytes() + b"\n" + maker.cert_pem.bytes())
    return found
