"""No secret is in anything that a run writes: canaries are planted everywhere, and every byte is searched for them."""

from __future__ import annotations

import base64
import json
import os
import re
import signal
import subprocess
import sys
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from atlas_conformance.http.authentication import WRONG
from atlas_conformance.reference.credentials import environment
from atlas_conformance.reference.fixtures import target_toml
from atlas_conformance.reference.server import ReferenceServer
from tests.atlas_conformance.program import COMMAND, ROOT, surroundings
from tests.safety.leaky import COOKIE, KEY_URL, Leaky

REQUIREMENTS = ("A-NONE", "T-CANCEL", "N-JOB", "A-ROLE")
NO_SECRETS = {secret.reveal() for secret in WRONG.secrets} | {"x.y.z"}
"""What the suites send as wrong credentials is the same in every run."""
_STORED = re.compile(rb"[A-Za-z0-9+/]{80,}={0,2}")


@pytest.fixture(scope="module")
def server() -> Iterator[ReferenceServer]:
    with ReferenceServer(seed=21, step=0.01) as running:
        yield running


@pytest.fixture
def leaky(server: ReferenceServer) -> Iterator[Leaky]:
    server.reset()
    with Leaky(server.url) as front:
        front.canaries.update(environment(server.credentials).values())
        yield front


class Desk:
    """A folder that commands run in, everything that they wrote and said, and the search through it."""

    def __init__(self, folder: Path, server: ReferenceServer, leaky: Leaky) -> None:
        self.folder = folder
        self.leaky = leaky
        self.said = b""
        self._inputs: set[Path] = set()
        self.credentials = dict(environment(server.credentials))
        for name in ("home", "tmp"):
            (folder / name).mkdir()
        self._text = target_toml(leaky.url, server.inventory)

    def write(self, name: str, text: str) -> Path:
        """Write an input, which is not searched."""
        path = self.folder / name
        path.write_text(text, encoding="utf-8")
        path.chmod(0o600)
        self._inputs.add(path)
        return path

    def target(self, name: str, *, without: tuple[str, ...] = (), first: str = "") -> Path:
        """Write a target file that leaves out the keys `without`."""
        lines = [line for line in self._text.splitlines() if line.partition(" = ")[0] not in without]
        return self.write(name, "\n".join([*lines[:4], first, *lines[4:]]) + "\n")

    def environ(self, **more: str) -> Mapping[str, str]:
        """The environment of a command: home and temporary folder inside the desk's."""
        home, tmp = str(self.folder / "home"), str(self.folder / "tmp")
        return surroundings(HOME=home, TMPDIR=tmp, XDG_CACHE_HOME=home, **more)

    def run(self, *arguments: str | Path, command: tuple[str, ...] = COMMAND, **more: str) -> int:
        """Run a command to its end, keep what it says, and return its exit code."""
        done = subprocess.run(
            [*command, *map(str, arguments)],
            cwd=self.folder,
            env=self.environ(**more),
            capture_output=True,
            timeout=120,
        )
        self.said += done.stdout + done.stderr
        return done.returncode

    def found(self) -> list[str]:
        """Return where a canary is found: in a file, plainly or in what is stored compressed there, or in what was
        said.
        """
        places = {str(p.relative_to(self.folder)): p.read_bytes() for p in self.written()} | {"output": self.said}
        canaries = self.leaky.canaries - NO_SECRETS
        wanted = {value: [form.encode() for form in _forms(value)] for value in canaries}
        return [
            f"{name}: {value}"
            for name, content in places.items()
            for text in [b"\n".join([content, *_unpacked(content)])]
            for value, forms in wanted.items()
            if any(form in text for form in forms) or value.lower().encode() in text.lower()
        ]

    def written(self) -> list[Path]:
        """Every file but the inputs."""
        return [path for path in self.folder.rglob("*") if path.is_file() and path not in self._inputs]


def _forms(value: str) -> list[str]:
    """How a canary may stand somewhere: as it is, in hex, from any place of a base64 text."""
    found = [value, value.encode().hex(), value[::-1]]
    for before in range(3):
        code = base64.b64encode(b"\0" * before + value.encode()).decode().rstrip("=")
        found.append(code[4 if before else 0 : -1])
    return [form for form in found if len(form) > 5]


def _unpacked(content: bytes) -> Iterator[bytes]:
    """Yield what is stored in base64, deflated or not."""
    for match in _STORED.finditer(content):
        try:
            raw = base64.b64decode(match[0] + b"==")
        except ValueError:
            continue
        yield raw
        try:
            yield zlib.decompress(raw)
        except zlib.error:
            continue


@pytest.fixture
def desk(tmp_path: Path, server: ReferenceServer, leaky: Leaky) -> Desk:
    return Desk(tmp_path, server, leaky)


def chosen(*requirements: str) -> list[str]:
    return [part for requirement in requirements for part in ("--requirement", requirement)]


DIGEST = ("client_id", "client_secret")
BEARER = ("public_key", "private_key")


@pytest.mark.parametrize("without", [DIGEST, BEARER], ids=["digest", "bearer"])
def test_a_failing_run_and_all_that_is_made_of_it(desk: Desk, without: tuple[str, ...]) -> None:
    target = desk.target("target.toml", without=without)
    usual = ("--target", target, "--profile", "quick", "--seed", "3", *chosen(*REQUIREMENTS))
    assert desk.run("run", *usual, "--report", "first", **desk.credentials) == 1
    every = ("html", "junit", "json", "markdown", "sarif", "ctrf", "badge")
    assert desk.run("report", "first", *(part for name in every for part in (f"--{name}", f"again.{name}"))) == 1
    assert desk.run("report", "first", "--format", "github") == 1
    assert desk.run("check", "first/journal.jsonl", "--report", "checked") == 1
    desk.run("compare", "first", "checked")
    desk.run("history", "first", "checked")
    desk.run("doctor", "--target", target, "--profile", "quick", *chosen("N-JOB"), **desk.credentials)
    assert len(desk.written()) > 12
    assert len(desk.leaky.canaries) > 20
    assert desk.found() == []


def test_shards_and_their_merging(desk: Desk) -> None:
    secrets = "".join(f"{name}={value}\n" for name, value in desk.credentials.items())
    desk.write("atlas.secrets", secrets)
    target = desk.target("target.toml", first='secrets_file = "atlas.secrets"')
    for shard in ("1/2", "2/2"):
        usual = ("--target", target, "--profile", "quick", "--seed", "3", "--shard", shard, *chosen("N-JOB", "A-NONE"))
        assert desk.run("run", *usual, "--report", f"part{shard[0]}") in (0, 1, 4)
    assert desk.run("merge", "part1", "part2", "--report", "whole") in (0, 1, 4)
    assert desk.found() == []


CRASHES = {
    "in a test": "import atlas_conformance.runner.endpoint as m; m.Endpoint.send_all = boom",
    "in the client": "import atlas_conformance.http.signing as m; m.Signer.exchange = boom",
    "in the judge": "import atlas_conformance.contracts.chronicle as m; m.Chronicle._follow = boom",
    "in a report": "import atlas_conformance.reports.writing as m; m.RENDERERS = {name: boom for name in m.RENDERERS}",
    "at the end": "import atlas_conformance.runner.session as m; m.Session.finish = boom",
    "on the way in": "import atlas_conformance.runner.session as m; m.Session.prepare = boom",
    "in the reading of the target": "import atlas_conformance.runner.served as m; m.target_from_file = boom",
}


@pytest.mark.parametrize("crash", CRASHES.values(), ids=CRASHES)
def test_a_crash_tells_no_secret(desk: Desk, crash: str) -> None:
    """The exception itself holds every secret there is."""
    target = desk.target("target.toml")
    script = (
        "import os, sys\n"
        f"sys.path.insert(0, {str(ROOT)!r})\n"
        "told = ' '.join(v for n, v in os.environ.items() if n.startswith('ATLAS_REFERENCE_'))\n"
        "def boom(*given, **more):\n"
        "    raise ValueError('boom ' + told + ' Authorization: Bearer ' + told.split()[-1])\n"
        f"{crash}\n"
        "from atlas_conformance.__main__ import main\n"
        "main()\n"
    )
    arguments = ("run", "--target", target, "--profile", "quick", "--seed", "3", *chosen("N-JOB"), "--report", "out")
    code = desk.run(*arguments, command=(sys.executable, "-c", script), **desk.credentials)
    assert code in (1, 4)
    assert b"boom" in desk.said + b"".join(path.read_bytes() for path in desk.written())
    assert b"Traceback" not in desk.said
    assert desk.found() == []


def test_urls_and_proxies_with_a_password(desk: Desk) -> None:
    password = "c4n4ry-password-2Ws7"
    desk.leaky.canaries.add(password)
    with_password = f"http://me:{password}@127.0.0.1:1"
    assert desk.run("run", "--base-url", with_password) == 2
    nowhere = desk.write("nowhere.toml", 'level = "core"\n')
    assert desk.run("run", "--target", nowhere, MONGODB_ATLAS_BASE_URL=with_password) == 2
    target = desk.write("remote.toml", 'base_url = "http://atlas.example.test:9"\n')
    for command in ("run", "doctor"):
        code = desk.run(command, "--target", target, HTTP_PROXY=with_password, http_proxy=with_password)
        assert code in (2, 3)
    for odd in ("http://me:%s@[x", "ftp://me:%s@127.0.0.1:1"):
        desk.run("run", "--target", target, HTTP_PROXY=odd % password, http_proxy=odd % password)
    assert desk.found() == []


def test_traffic_that_is_recorded(desk: Desk) -> None:
    """`record` sees every credential go by, and `check` reads recordings that nobody cleaned."""
    recording = subprocess.Popen(
        [*COMMAND, "record", "--upstream", desk.leaky.url, "--out", "traffic.har", "--port", "0"],
        cwd=desk.folder,
        env=desk.environ(PYTHONUNBUFFERED="1"),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    try:
        assert recording.stdout is not None
        line = recording.stdout.readline()
        match = re.search(rb"http://127\.0\.0\.1:\d+", line)
        assert match is not None, line
        text = (desk.target("target.toml")).read_text("utf-8").replace(desk.leaky.url, match[0].decode())
        target = desk.write("recorded.toml", text)
        usual = ("--profile", "quick", "--seed", "3", *chosen("N-JOB", "A-NONE"))
        assert desk.run("run", "--target", target, *usual, **desk.credentials) in (0, 1)
        recording.send_signal(signal.SIGINT)
        rest, _ = recording.communicate(timeout=20)
        desk.said += line + rest
    finally:
        recording.kill()
        recording.wait()
    assert (desk.folder / "traffic.har").stat().st_size > 10_000
    assert desk.run("check", "traffic.har", "--report", "checked") in (0, 1)
    raw = desk.write("raw.har", json.dumps(_uncleaned(desk)))
    assert desk.run("check", raw, "--report", "raw") in (0, 1, 4)
    assert desk.found() == []


def _uncleaned(desk: Desk) -> dict[str, object]:
    """A recording with a credential in each place where one can be."""
    token, secret = "c4n4ry-token-4Fd6", "c4n4ry-client-secret-9Lk3"
    desk.leaky.canaries.update((token, secret))
    pair = base64.b64encode(f"c4n4ry-client-id:{secret}".encode()).decode()
    desk.leaky.canaries.add("c4n4ry-client-id")
    group = "a" * 24
    url = f"{desk.leaky.url}/api/atlas/v2/groups/{group}/clusters/C/backup/restoreJobs/{'b' * 24}"
    job = {"id": "b" * 24, "deliveryUrl": [KEY_URL], "components": [{"downloadUrl": KEY_URL}], "snapshotUrl": KEY_URL}
    by_token, by_pair = {**job, "detail": f"{token} {COOKIE}"}, {**job, "detail": f"{secret} {pair} {COOKIE}"}

    def entry(authorization: str, body: object) -> dict[str, object]:
        pairs = [("Authorization", authorization), ("Cookie", f"a={COOKIE}; b={token}")]
        headers = [{"name": name, "value": value} for name, value in pairs]
        return {
            "startedDateTime": "2026-01-01T00:00:00.000Z",
            "time": 5,
            "request": {"method": "GET", "url": url, "headers": headers, "httpVersion": "HTTP/1.1", "queryString": []},
            "response": {
                "status": 200,
                "headers": [{"name": "X-Echo", "value": authorization}, {"name": "Set-Cookie", "value": f"a={COOKIE}"}],
                "content": {"mimeType": "application/json", "text": json.dumps(body), "size": 1},
            },
        }

    entries = [entry(f"Bearer {token}", by_token), entry(f"Basic {pair}", by_pair)]
    return {"log": {"version": "1.2", "creator": {"name": "x", "version": "1"}, "entries": entries}}


def test_the_search_finds_what_is_there(desk: Desk) -> None:
    """The tests above prove nothing unless it does."""
    canary = desk.credentials["ATLAS_REFERENCE_OWNER_PRIVATE_KEY"]
    for number, content in enumerate(
        (
            canary.encode(),
            base64.b64encode(b"x" + canary.encode()),
            base64.b64encode(zlib.compress(os.urandom(90).hex().encode() + canary.encode())),
            canary.encode().hex().encode(),
        )
    ):
        (desk.folder / f"{number}.txt").write_bytes(content)
    assert len({place.partition(":")[0] for place in desk.found()}) == 4
    desk.said = canary.encode()
    assert any(place.startswith("output") for place in desk.found())
