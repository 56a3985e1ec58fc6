"""Whatever is wrong with what the program is given: one sentence, the documented exit code, and nothing left behind."""

from __future__ import annotations

import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.atlas_conformance import odd_hosts
from tests.atlas_conformance.program import atlas

USAGE, UNREACHABLE = 2, 3
SECRET = "sesame-0c2d1f"
KEY = {"MONGODB_ATLAS_PUBLIC_API_KEY": "abcdefgh", "MONGODB_ATLAS_PRIVATE_API_KEY": SECRET}


def refused(
    folder: Path, code: int, *words: str, arguments: tuple[str | Path, ...], environ: dict[str, str] | None = None
) -> None:
    """Run the suites with a folder for the reports; they must say one sentence with these words, and leave nothing."""
    before = sorted(folder.rglob("*"))
    ended = atlas("run", "--report", folder / "reports", *arguments, cwd=folder, environ=environ)
    lines = ended.stderr.splitlines()
    assert ended.returncode == code, ended.stderr
    assert len(lines) == 1, ended.stderr
    assert lines[0].startswith("atlas-conformance: ")
    for word in words:
        assert word in lines[0]
    assert ended.stdout == ""
    assert "Traceback" not in ended.stderr
    assert SECRET not in ended.stderr
    assert sorted(folder.rglob("*")) == before


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--requirement", "B-PATERN"], ["B-PATERN", "atlas-conformance requirements"]),
        (["--profile", "quik"], ["quik", "quick", "standard", "thorough"]),
        (["--rate", "often"], ["often", "60/min"]),
        (["--rate", "0/min"], ["0/min"]),
        (["--workers", "0"], ["--workers"]),
        (["--seed", "-1"], ["--seed"]),
        (["--mode", "destroy"], ["destroy", "refusals"]),
        (["--target", "atlas.toml", "--base-url", "http://127.0.0.1:1"], ["target file", "base URL", "not both"]),
        (["--target", "nowhere.toml"], ["nowhere.toml", "no such file"]),
        (["--base-url", "127.0.0.1:8080"], ["127.0.0.1:8080", "https://cloud.mongodb.com"]),
        (["--base-url", f"https://me:{SECRET}@localhost"], ["must not carry credentials"]),
        (["--bogus"], ["--bogus"]),
    ],
    ids=lambda value: value[0] if value[0].startswith("--") else "",
)
def test_options_that_cannot_be_meant(tmp_path: Path, arguments: list[str], words: list[str]) -> None:
    refused(tmp_path, USAGE, *words, arguments=tuple(arguments))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('base_url = "http://127.0.0.1:1"\nlevle = "core"', ["atlas.toml", "line 2", "levle", "did you mean level?"]),
        ("base_url = http://127.0.0.1:1", ["atlas.toml", "TOML", "line 1"]),
        (
            'base_url = "http://127.0.0.1:1"\n[authentication]\ntoken = "MY_ATLAS_TOKEN"',
            ["atlas.toml", "line 3", "MY_ATLAS_TOKEN", "not set"],
        ),
        ('level = "core"', ["atlas.toml", "base_url"]),
    ],
    ids=["a typo", "no TOML", "a missing variable", "no base URL"],
)
def test_target_files_that_cannot_be_used(tmp_path: Path, text: str, words: list[str]) -> None:
    (tmp_path / "atlas.toml").write_text(text, encoding="utf-8")
    refused(tmp_path, USAGE, *words, arguments=("--target", "atlas.toml"))


def test_half_a_key_in_the_environment(tmp_path: Path) -> None:
    half = {"MONGODB_ATLAS_PRIVATE_API_KEY": SECRET}
    words = ("MONGODB_ATLAS_PUBLIC_API_KEY is not",)
    refused(tmp_path, USAGE, *words, arguments=("--base-url", "http://127.0.0.1:1"), environ=half)


def test_a_folder_for_the_reports_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "reports").write_text("a file", encoding="utf-8")
    refused(tmp_path, USAGE, "--report", "reports", "not a directory", arguments=())


def test_a_port_on_which_nobody_listens(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    arguments = ("--base-url", f"http://127.0.0.1:{port}")
    refused(tmp_path, UNREACHABLE, "nothing listens", f"127.0.0.1:{port}", arguments=arguments)


def test_a_host_name_that_does_not_resolve(tmp_path: Path) -> None:
    refused(tmp_path, UNREACHABLE, "atlas.invalid", "resolve", arguments=("--base-url", "https://atlas.invalid"))


@pytest.mark.parametrize(
    ("host", "scheme", "words"),
    [
        (odd_hosts.answers_html, "http", ["HTML", "base URL"]),
        (odd_hosts.lets_nobody_in, "http", ["401", "MONGODB_ATLAS_PUBLIC_API_KEY"]),
        (odd_hosts.hangs, "http", ["no complete answer", "0.3 s"]),
        (odd_hosts.breaks_off_the_handshake, "https", ["127.0.0.1", "handshake"]),
        (odd_hosts.answers_html, "https", ["TLS handshake", "plain http"]),
    ],
    ids=["HTML", "wrong key", "hangs", "truncated handshake", "no TLS"],
)
def test_hosts_that_are_no_atlas(
    tmp_path: Path, host: Callable[[socket.socket], None], scheme: str, words: list[str]
) -> None:
    with odd_hosts.listening(host) as port:
        text = f'base_url = "{scheme}://127.0.0.1:{port}"\n[limits]\ntimeout_seconds = 0.3\n'
        (tmp_path / "atlas.toml").write_text(text, encoding="utf-8")
        refused(tmp_path, UNREACHABLE, *words, arguments=("--target", "atlas.toml"), environ=KEY)
