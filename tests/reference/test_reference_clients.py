"""Clients from PyPI, unpatched: each restores, waits and is done, and all that it was answered holds to the contract.

Clients from npm have a script of their own, `clients/npm.sh`, as they need another registry.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from atlas_conformance.reference.mock import MockAtlas

CLIENTS = Path(__file__).with_name("clients")
ROOT = Path(__file__).resolve().parents[2]


def surroundings(**more: str) -> dict[str, str]:
    """The environment without proxies and without credentials of anybody's own."""
    kept = {name: value for name, value in os.environ.items() if "proxy" not in name.lower() and "ATLAS" not in name}
    return {**kept, "PYTHONPATH": str(ROOT), "NO_PROXY": "*", **more}


@contextmanager
def recorded(url: str, out: Path) -> Iterator[str]:
    """Give the address of a relay to an endpoint; at the end, hold what went by to have been judged and passed."""
    command = [sys.executable, "-m", "atlas_conformance", "record", "--upstream", url, "--out", str(out)]
    relay = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=surroundings(), cwd=ROOT
    )
    try:
        assert relay.stdout is not None
        said = relay.stdout.readline()
        assert said.startswith("Recording http://"), said
        yield said.split()[1].rstrip(",")
        relay.send_signal(signal.SIGINT)
        rest, _ = relay.communicate(timeout=30)
        assert relay.returncode == 0, rest
        assert "PASSED" in rest
    finally:
        relay.kill()
        relay.communicate()


@pytest.mark.parametrize(
    ("script", "operations"),
    [
        ("with_atlasapi.py", {"cluster-create-v1", "cluster-get-v1"}),
        ("with_http_libraries.py", {"flex-create", "flex-get"}),
    ],
)
def test_a_client_restores_waits_and_is_done(script: str, operations: set[str], tmp_path: Path) -> None:
    with MockAtlas(step=0.2) as mock:
        with recorded(mock.url, tmp_path / "traffic.har") as url:
            environment = {**mock.environment, "MONGODB_ATLAS_BASE_URL": url, "BASE_URL": url}
            ran = subprocess.run(
                [sys.executable, "-W", "ignore", str(CLIENTS / script)],
                env=surroundings(**environment),
                capture_output=True,
                text=True,
                timeout=60,
            )
            assert (ran.returncode, ran.stdout) == (0, "done\n"), ran.stderr
        asked = {one.operation for one in mock.requests} - {None}
        assert operations <= asked
        assert {one.state for one in mock.jobs} >= {"COMPLETED"}
        assert not [one for one in mock.requests if one.status >= 500]


def test_a_client_that_insists_on_https_trusts_the_authority_that_is_named() -> None:
    with MockAtlas(step=0.05, tls=True) as mock:
        assert mock.url.startswith("https://127.0.0.1:")
        authority = str(mock.ca_file)
        for trust, code in (({"SSL_CERT_FILE": authority, "REQUESTS_CA_BUNDLE": authority}, 0), ({}, 1)):
            ran = subprocess.run(
                [sys.executable, "-W", "ignore", str(CLIENTS / "with_http_libraries.py")],
                env=surroundings(**mock.environment, **trust),
                capture_output=True,
                text=True,
                timeout=60,
            )
            assert ran.returncode == code, ran.stderr
        assert "CERTIFICATE_VERIFY_FAILED" in ran.stderr
        folder = mock.ca_file
        assert folder is not None
    assert not folder.exists()
