"""A credential that one exchange shows is masked wherever another one repeats it, and no verdict changes by that."""

from __future__ import annotations

import base64
import gzip
import json
import re
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from atlas_conformance.cli.check import check_command
from atlas_conformance.cli.record import _Desk
from atlas_conformance.recordings.checking import Check, Examination, header_of
from atlas_conformance.recordings.entries import Recorded
from atlas_conformance.recordings.har_writing import HarWriter
from atlas_conformance.recordings.masking import Masking
from atlas_conformance.recordings.reading import opened
from atlas_conformance.recordings.watched import Message, Watched
from tests.recordings.samples import FLEX, JOB, PROJECT, SNAPSHOT, entry, har, job
from tests.safety.leaky import spellings

TOKEN = "c4n4ry-tok/en+4Fd6.eyJzdWIiOiJ4In0.Zm9vYmFyYmF6cXV4"
USER, PASSWORD = "c4n4ry-user-7Hs", "c4n4ry pass\"word&'9Lk"
PAIR = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
NONCE, CNONCE, SIGNED = "c4n4rynonce0123456789", "c4n4ryc1", "0f1e2d3c4b5a69788796a5b4c3d2e1f0"
COOKIE, SHORT = "c4n4ry-cookie-5Jq2-xyz", "c4n4Ry"
DIGEST = f'Digest username="{USER}", realm="r", nonce="{NONCE}", uri="/", cnonce="{CNONCE}", response="{SIGNED}"'
Entry = dict[str, Any]


def sent(name: str, value: str) -> Entry:
    """An exchange whose request carries a header."""
    return entry(job(), headers=[{"name": name, "value": value}])


def got(name: str, value: str, status: int = 200) -> Entry:
    """An exchange whose answer carries a header."""
    made = entry(job() if status == 200 else refusal("no"), status=status)
    made["response"]["headers"].append({"name": name, "value": value})
    return made


def refusal(detail: str) -> Entry:
    return {"error": 401, "errorCode": "USER_UNAUTHORIZED", "reason": "Unauthorized", "detail": detail}


def elsewhere(document: Any, **request: Any) -> Entry:
    """An exchange of no operation of the contract."""
    return entry(document, path="/api/oauth/token", method="POST", **request)


def in_base64(made: Entry) -> Entry:
    content = made["response"]["content"]
    content |= {"encoding": "base64", "text": base64.b64encode(content["text"].encode()).decode()}
    return made


def form(text: str) -> Entry:
    return {"mimeType": "application/x-www-form-urlencoded", "text": text}


SHOWN = {
    "a bearer token": (sent("Authorization", f"Bearer {TOKEN}"), [TOKEN]),
    "a proxy's token": (sent("proxy-authorization", f"Bearer {TOKEN}"), [TOKEN]),
    "an API key": (sent("X-API-Key", TOKEN), [TOKEN]),
    "a basic pair": (sent("authorization", f"Basic {PAIR}"), [PAIR, USER, PASSWORD]),
    "digest fields": (sent("Authorization", DIGEST), [USER, NONCE, CNONCE, SIGNED]),
    "cookies": (sent("Cookie", f"a={COOKIE}; b={SHORT}"), [COOKIE, SHORT]),
    "new cookies": (got("Set-Cookie", f"a={COOKIE}; Path=/\nb={SHORT}; Secure"), [COOKIE, SHORT]),
    "a challenge": (got("WWW-Authenticate", f'Digest realm="r", nonce="{NONCE}"', 401), [NONCE]),
    "a token handed out": (elsewhere({"access_token": TOKEN, "token_type": "Bearer"}), [TOKEN]),
    "a token in base64": (in_base64(elsewhere({"refresh_token": TOKEN})), [TOKEN]),
    "an escaped name": (elsewhere('{"access\\u005ftoken": "' + TOKEN + '"}'), [TOKEN]),
    "a secret in a form": (
        elsewhere({}, postData=form("grant_type=x&client_secret=c4n4ry%2Dsecret12")),
        ["c4n4ry-secret12"],
    ),
    "parameters of a form": (
        elsewhere({}, postData={"mimeType": "x", "params": [{"name": "client_secret", "value": COOKIE}]}),
        [COOKIE],
    ),
    "a token in a query": (entry(job(), path=f"{FLEX}/{JOB}?access_token={COOKIE}"), [COOKIE]),
    "HAR's own cookies": (entry(job(), cookies=[{"name": "a", "value": COOKIE}]), [COOKIE]),
}


def echoes(values: list[str]) -> list[Entry]:
    """Exchanges that repeat the values, in many spellings, in bodies and headers."""
    made = []
    for value in values:
        said = spellings(value)
        plain = entry(job(extra=said, note={f"k{n}": f"x{text}y" for n, text in enumerate(said)}))
        plain["response"]["headers"] += [{"name": f"X-{n}", "value": f"_{text}_"} for n, text in enumerate(said)]
        plain["request"]["headers"] = [{"name": "X-Again", "value": value}]
        escaped = json.dumps(refusal(" ".join(said))).replace("\\\\u", "\\u")
        made += [plain, entry(escaped, status=401), entry("<html>" + value, status=404)]
    return made


def forms(value: str) -> list[str]:
    """What must not be found: the value, in hex, and in base64 at any place of it."""
    found = [value, json.dumps(value)[1:-1], value.encode().hex()]
    for before in range(3):
        code = base64.b64encode(b"\0" * before + value.encode()).decode().rstrip("=")
        found.append(code[4 if before else 0 : -2])
    escaped = "".join(f"\\u{ord(letter):04x}" for letter in value)
    return [form for form in (*found, escaped) if len(form) > 5]


def leaks(values: list[str], texts: dict[str, bytes]) -> list[str]:
    """Where a value is found, escapes of JSON within JSON undone too."""
    return [
        f"{name}: {form}"
        for name, text in texts.items()
        for seen in (text, re.sub(rb"\\\\+", rb"\\", text))
        for value in values
        for form in forms(value)
        if form.encode() in seen
    ]


def checked(folder: Path, *files: bytes) -> tuple[int, dict[str, bytes]]:
    """Check files; return the exit code, and everything that was written and printed."""
    paths = []
    for number, data in enumerate(files):
        paths.append(folder / f"{number}.har")
        paths[-1].write_bytes(data)
    result = CliRunner().invoke(check_command, [*map(str, paths), "--report", str(folder / "out")])
    written = {path.name: path.read_bytes() for path in (folder / "out").iterdir()}
    return result.exit_code, written | {"output": result.output.encode()}


@pytest.mark.parametrize("what", SHOWN)
def test_what_one_exchange_shows_no_other_one_tells(tmp_path: Path, what: str) -> None:
    """Neither one before it nor one behind it."""
    shown, values = SHOWN[what]
    code, written = checked(tmp_path, har(*echoes(values), shown, *echoes(values)))
    assert code in (0, 1), written["output"]
    assert b"[masked]" in written["journal.jsonl"]
    assert leaks(values, written) == []


def test_what_one_file_shows_no_other_one_tells(tmp_path: Path) -> None:
    shown = har(sent("Authorization", f"Bearer {TOKEN}"))
    _, written = checked(tmp_path, har(*echoes([TOKEN])), gzip.compress(shown), har(*echoes([TOKEN])))
    assert leaks([TOKEN], written) == []


def test_without_the_exchange_that_shows_it_a_value_is_reported(tmp_path: Path) -> None:
    """The tests above prove nothing unless it is."""
    _, written = checked(tmp_path, har(*echoes([TOKEN])))
    assert {leak.partition(":")[0] for leak in leaks([TOKEN], written)} >= {"journal.jsonl"}


def test_a_journal_is_masked_as_well(tmp_path: Path) -> None:
    _, first = checked(tmp_path, har(*echoes([TOKEN])))
    assert leaks([TOKEN], first) != []
    again = tmp_path / "again"
    again.mkdir()
    _, second = checked(again, first["journal.jsonl"], har(sent("Authorization", f"Bearer {TOKEN}")))
    assert leaks([TOKEN], second) == []


# The relay


def watched(made: Entry) -> Watched:
    """What a relay sees of an entry."""
    request, response = made["request"], made["response"]
    url = request["url"].partition("/some/base")[2]

    def pairs(headers: list[dict[str, str]]) -> tuple[tuple[str, str], ...]:
        return tuple((pair["name"], pair["value"].replace("\n", ", ")) for pair in headers)

    posted = request.get("postData", {}).get("text", "")
    asked = Message(request["method"], url, headers=pairs(request["headers"]), body=bytearray(posted.encode()))
    body = bytearray(response["content"]["text"].encode())
    answer = Message(status=response["status"], headers=pairs(response["headers"]), body=body)
    return Watched(asked, answer, 1.0, 2.0)


RELAYED = [what for what in SHOWN if what not in ("a token in base64", "parameters of a form", "HAR's own cookies")]


@pytest.mark.parametrize("what", RELAYED)
def test_what_went_by_a_relay_is_reported_no_more(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], what: str
) -> None:
    shown, values = SHOWN[what]
    values = values[:1] if what == "new cookies" else values
    out = tmp_path / "out.har"
    with HarWriter(out, "http://up.example") as writer:
        desk = _Desk(Examination(header_of([str(out)])), writer)
        for made in (shown, *echoes(values)):
            desk.take(watched(made))
    recorded = json.loads(out.read_bytes())["log"]["entries"]
    assert len(recorded) >= 3 * len(values)
    assert leaks(values, {"file": out.read_bytes(), "output": capsys.readouterr().out.encode()}) == []


# What is not masked


ORDINARY = [
    "one",  # too short to be masked at all
    "RESTORE",
    "PENDING",
    "finishedAt",
    "restoreFinishedDate",
    "application/json",
    "targetDeploymentItem",
    "restoreJobs",
    PROJECT,
    JOB,
    SNAPSHOT,
    JOB[:8],
    "2026-02-23",
    "2026-02-23T09:21:08Z",
    "cluster-eu-1",
    "cluster",
    "******",
    "[masked]",
    "masked",
    "Not Found",
]


def plain_traffic() -> list[Entry]:
    """Conforming exchanges: a job on its way, a list, and an error."""
    named = {"targetDeploymentItemName": "cluster-eu-1"}
    done = {"status": "COMPLETED", "restoreFinishedDate": "2026-02-23T03:30:08Z"}
    body = json.dumps({"snapshotId": SNAPSHOT, "targetProjectId": PROJECT, **named})
    gone = {"error": 404, "errorCode": "RESOURCE_NOT_FOUND", "reason": "Not Found", "detail": "one is not there"}
    posted = {"mimeType": "application/json", "text": body}
    accept = [{"name": "Content-Type", "value": "application/json"}]
    return [
        entry(job(**named), path=FLEX, method="POST", postData=posted, bodySize=len(body), headers=accept),
        entry(job(**named, status="RUNNING"), at="2026-02-23T03:22:09.500Z"),
        entry({"results": [job(**named, status="RUNNING")], "totalCount": 1}, path=FLEX, at="2026-02-23T03:23:09.500Z"),
        entry(gone, path=f"{FLEX}/{SNAPSHOT}", status=404, at="2026-02-23T03:24:09.500Z"),
        entry(job(**named, **done), at="2026-02-23T03:31:09.500Z"),
    ]


def verdicts(folder: Path, *entries: Entry) -> dict[str, Any]:
    file = folder / "traffic.har"
    file.write_bytes(har(*entries))
    report = Check([file]).run().report
    return {id: [(cell.passed, cell.failed) for cell in row.cells.values()] for id, row in report.rows.items()}


OTHER = f"{FLEX.replace('/one/', '/cluster-eu-1/')}/{SNAPSHOT}"


def made_of(number: int) -> dict[str, Any]:
    """A job of one cluster that restores to another; the second one is that other's own."""
    other = {"instanceName": "cluster-eu-1", "id": SNAPSHOT} if number == 1 else {}
    return job(targetDeploymentItemName="cluster-eu-1", **other)


def with_credentials(value: str, place: int, *names: str) -> list[Entry]:
    """The plain traffic, one request of which carries a value in headers of these names."""
    entries = plain_traffic()
    pair = base64.b64encode(f"{value}:{value}".encode()).decode()
    texts = {"Cookie": f"a={value}", "Authorization": f"Basic {pair}", "X-API-Key": value}
    entries[place]["request"]["headers"] += [{"name": name, "value": texts[name]} for name in names]
    return entries


@pytest.mark.parametrize("names", [("Cookie",), ("Authorization",), ("X-API-Key",)])
@pytest.mark.parametrize("value", ORDINARY)
def test_an_ordinary_word_that_is_a_credential_as_well_changes_no_verdict(
    tmp_path: Path, plain_verdicts: dict[str, Any], value: str, names: tuple[str, ...]
) -> None:
    assert verdicts(tmp_path, *with_credentials(value, 4, *names)) == plain_verdicts
    for place in (0, 2, 4):
        examination, masking = Examination(header_of(["x"])), Masking()
        for made in with_credentials(value, place, *names):
            recorded = watched(made).entry(masking)
            assert isinstance(recorded, Recorded)
            assert not [found for found in examination.judge(recorded) if found.departure is None]


@pytest.fixture(scope="module")
def plain_verdicts(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    found = verdicts(tmp_path_factory.mktemp("plain"), *plain_traffic())
    assert sum(passed for cells in found.values() for passed, _ in cells) > 20
    assert not any(failed for cells in found.values() for _, failed in cells)
    return found


@pytest.mark.parametrize("name", ["Cookie", "Authorization", "X-API-Key"])
def test_names_stay_legible(tmp_path: Path, name: str) -> None:
    entries = [entry(made_of(n), path=path) for n, path in enumerate((f"{FLEX}/{JOB}", OTHER, f"{FLEX}/{JOB}"))]
    entries[0]["request"]["headers"] = with_credentials("cluster-eu-1", 0, name)[0]["request"]["headers"][1:]
    _, written = checked(tmp_path, har(*entries))
    text = written["journal.jsonl"].replace(b"\\", b"")
    assert text.count(b'"targetDeploymentItemName":"cluster-eu-1"') == 3
    assert text.count(b"[masked]") == (name == "X-API-Key")


def test_an_id_that_is_a_cookie_stays_where_it_is_an_id(tmp_path: Path) -> None:
    entries = [entry(job()), sent("Cookie", f"last={JOB}")]
    _, written = checked(tmp_path, har(*entries))
    assert JOB.encode() in written["journal.jsonl"]


# Bounds


def test_what_every_request_shows_again_does_not_fill_the_memory(tmp_path: Path) -> None:
    def numbered(n: int) -> Entry:
        return sent("Authorization", DIGEST.replace(NONCE, f"{NONCE}{n:06x}").replace(SIGNED, f"{n:06x}{SIGNED}"))

    file = tmp_path / "long.har"
    file.write_bytes(har(sent("Authorization", f"Bearer {TOKEN}"), *(numbered(n) for n in range(2_000))))
    masking = Masking()
    with opened(file, masking) as recording:
        recording.learn()
    assert masking.known <= 300
    masking.settle()
    told = har(*echoes([TOKEN, USER, f"{NONCE}{1_999:06x}"]))
    file.write_bytes(told)
    with opened(file, masking) as recording:
        texts = {str(n): repr(each).encode() for n, each in enumerate(recording)}
    assert leaks([TOKEN, USER, f"{NONCE}{1_999:06x}"], texts) == []
    assert TOKEN not in repr(masking) + repr(vars(masking))
