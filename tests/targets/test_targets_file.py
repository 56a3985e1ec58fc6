"""Target files: read strictly, written back, errors in one sentence."""

from __future__ import annotations

import pickle
from pathlib import Path

import pytest

from atlas_conformance.contracts.inventory import Cluster, PointInTime, RestoreTarget
from atlas_conformance.http.failures import TargetError
from atlas_conformance.http.secret import Secret
from atlas_conformance.http.target import with_absent, with_mode
from atlas_conformance.targets.target_file import (
    parse_rate,
    target_from_file,
    target_from_text,
    target_from_url,
    write_target,
)

P1, P2, S1 = "0123456789abcdef01234567", "a123456789abcdef01234567", "b123456789abcdef01234567"
WHOLE = f"""
base_url = "https://cloud.example.org/base/"
level = "extended"
operations = ["flex-create", "flex-get"]
contact = "https://example.org/me"
[authentication]
public_key = "PUB"
private_key = "PRIV"
[authentication.reader]
token = "TOK"
[authentication.off_list]
client_id = "CID"
client_secret = "CSEC"
[[clusters]]
project = "{P1}"
name = "Source-1"
kind = "dedicated"
sharded = true
snapshots = ["{S1}"]
point_in_time = {{ utc_seconds = 1700000000, oplog_ts = 1700000000, oplog_inc = 1 }}
[[restore_targets]]
project = "{P2}"
name = "Ziel-Größe"
accepts = ["flex", "dedicated"]
[safety]
mode = "refusals"
destroyable = [{{ project = "{P2}", cluster = "Ziel-Größe" }}]
max_jobs = 3
[limits]
rate = "90/min"
timeout_seconds = 7
"""
ENVIRON = {"PUB": "pub-canary", "PRIV": "priv-canary", "TOK": "tok-canary", "CID": "cid-canary", "CSEC": "csec-canary"}


def test_a_target_may_take_no_restore() -> None:
    for reason in ("encryption at rest", "other major version"):
        text = WHOLE.replace('"flex", "dedicated"]\n', f'"flex", "dedicated"]\nimpossible = "{reason}"\n', 1)
        (found,) = target_from_text(text, ENVIRON).inventory.targets
        assert found.impossible == reason
    assert target_from_text(WHOLE, ENVIRON).inventory.targets[0].impossible is None


def test_a_whole_file_is_read() -> None:
    target = target_from_text(WHOLE, ENVIRON)
    assert target.base_url == "https://cloud.example.org/base"
    assert target.operations == {"flex-create", "flex-get"}
    assert target.inventory.clusters == (
        Cluster(P1, "Source-1", "dedicated", True, (S1,), PointInTime(1700000000, 1700000000, 1)),
    )
    assert target.inventory.targets == (RestoreTarget(P2, "Ziel-Größe", frozenset({"flex", "dedicated"})),)
    assert target.credentials["owner"].digest
    assert not target.credentials["owner"].bearer
    assert target.credentials["reader"].token == Secret("tok-canary")
    assert target.credentials["off-list"].bearer
    assert (target.safety.mode, target.safety.max_jobs) == ("refusals", 3)
    assert target.safety.destroyable == {(P2, "Ziel-Größe")}
    assert (target.limits.rate, target.limits.timeout_seconds) == (1.5, 7.0)
    assert not target.loopback


def test_what_is_written_reads_back_the_same_and_holds_no_secret() -> None:
    target = target_from_text(WHOLE, ENVIRON)
    text = write_target(target)
    assert target_from_text(text, ENVIRON) == target
    assert "canary" not in text
    assert "canary" not in repr(target)
    assert "canary" not in f"{target}"


def test_secrets_do_not_show_or_serialise() -> None:
    secret = Secret("canary")
    assert "canary" not in f"{secret} {secret!r} {secret!s:>20}"
    with pytest.raises(TypeError):
        pickle.dumps(secret)


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ('level = "extended"', 'levle = "core"', ["levle (line 3)", "did you mean level?"]),
        ('level = "extended"', 'level = "extendet"', ["level (line 3)", "did you mean extended?"]),
        ('"flex-get"]', '"flex-gte"]', ["operations (line 4)", "did you mean flex-get?"]),
        ('kind = "dedicated"', 'kind = "dedicatd"', ["clusters[0].kind (line 17)", "did you mean dedicated?"]),
        ("sharded = true", "sharded = 1", ["clusters[0].sharded (line 18)", "true or false, not an integer"]),
        ("oplog_inc = 1", "oplog_inc = 0", ["point_in_time.oplog_inc", "between 1 and"]),
        (", oplog_inc = 1", "", ["clusters[0].point_in_time", "oplog_ts and oplog_inc together"]),
        (f'snapshots = ["{S1}"]', 'snapshots = ["XYZ"]', ["clusters[0].snapshots", "24 lower-case hex"]),
        ('name = "Source-1"', 'name = "Source 1"', ["clusters[0].name", "no cluster name"]),
        ('name = "Source-1"\n', "", ["clusters[0] (line 14) lacks name"]),
        (
            'cluster = "Ziel-Größe"',
            'cluster = "Ziel-Grösse"',
            ["safety.destroyable[0].cluster", "did you mean Ziel-Größe?"],
        ),
        ('"flex", "dedicated"]', '"flexx"]', ["restore_targets[0].accepts", "did you mean flex?"]),
        (
            '"flex", "dedicated"]\n',
            '"flex"]\nimpossible = "encryption"\n',
            ["restore_targets[0].impossible", "did you mean encryption at rest?", "other major version"],
        ),
        ('rate = "90/min"', 'rate = "90"', ["limits.rate", "60/min"]),
        ("max_jobs = 3", "max_jobs = true", ["safety.max_jobs", "an integer, not true or false"]),
        ('token = "TOK"', 'token = "NOPE"', ["authentication.reader.token", "NOPE, which is not set"]),
        ('token = "TOK"', 'token = "mdb-sk-canary!"', ["authentication.reader.token", "not a value"]),
        ('private_key = "PRIV"\n', "", ["authentication.public_key", "without private_key"]),
        ("https://cloud.example.org/base/", "cloud.example.org", ["base_url (line 2)", "https://cloud.mongodb.com"]),
        ("https://cloud.example.org/base/", "https://u:canary@h", ["base_url", "must not carry credentials"]),
        ("https://cloud.example.org/base/", "https://h/api/atlas/v2", ["leave out everything from /api/"]),
        ("[limits]", "[limits", ["is not TOML"]),
    ],
)
def test_a_mistake_is_one_sentence_that_says_where(old: str, new: str, words: list[str]) -> None:
    assert old in WHOLE
    with pytest.raises(TargetError) as caught:
        target_from_text(WHOLE.replace(old, new, 1), ENVIRON, source=Path("my.toml"))
    message = str(caught.value)
    assert message.startswith("my.toml")
    assert "\n" not in message
    assert "canary" not in message
    assert all(word in message for word in words), message


def test_the_usual_variables_work_without_being_named() -> None:
    environ = {
        "MONGODB_ATLAS_PUBLIC_API_KEY": "abcdefgh",
        "MONGODB_ATLAS_PRIVATE_API_KEY": "x-y-z",
        "MONGODB_ATLAS_BASE_URL": "https://cloud.example.org/",
    }
    target = target_from_url(None, environ)
    assert target.base_url == "https://cloud.example.org"
    assert target.credentials["owner"].digest
    assert target_from_text("", environ).base_url == "https://cloud.example.org"
    del environ["MONGODB_ATLAS_PRIVATE_API_KEY"]
    with pytest.raises(TargetError, match="MONGODB_ATLAS_PRIVATE_API_KEY is not"):
        target_from_url(None, environ)
    assert target_from_url("http://localhost:8080", {}).credentials == {}


def test_a_secrets_file_is_read_unless_others_can_read_it(tmp_path: Path) -> None:
    secrets = tmp_path / "secrets.env"
    secrets.write_text("# mine\nexport PUB='pub-canary'\nPRIV=priv-canary\n")
    file = tmp_path / "target.toml"
    file.write_text(
        'base_url = "http://[::1]:1"\n[authentication]\nsecrets_file = "secrets.env"\n'
        'public_key = "PUB"\nprivate_key = "PRIV"\n'
    )
    secrets.chmod(0o600)
    target = target_from_file(file, {"PRIV": "from-environment"})
    assert target.credentials["owner"].public_key == Secret("pub-canary")
    assert target.credentials["owner"].private_key == Secret("from-environment")
    assert target_from_text(write_target(target), {"PRIV": "from-environment"}, source=file) == target
    for mode in (0o640, 0o604, 0o660):
        secrets.chmod(mode)
        with pytest.raises(TargetError, match=r"can be read by others.*chmod 600"):
            target_from_file(file, {})


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(TargetError, match=r"cannot be read \(no such file"):
        target_from_file(tmp_path / "nothing.toml", {})
    (tmp_path / "binary.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(TargetError, match="not UTF-8"):
        target_from_file(tmp_path / "binary.toml", {})


@pytest.mark.parametrize(("text", "rate"), [("60/min", 1.0), ("10/s", 10.0), ("1800/hour", 0.5), ("0.5/s", 0.5)])
def test_rates(text: str, rate: float) -> None:
    assert parse_rate(text, "--rate") == rate


@pytest.mark.parametrize("text", ["0/min", "-1/s", "10", "10/day", "1/s\n", "٣/s"])
def test_what_is_no_rate(text: str) -> None:
    with pytest.raises(TargetError, match=r"^--rate is"):
        parse_rate(text, "--rate")


def test_absent_names_are_drawn_from_the_seed() -> None:
    target = target_from_url("http://localhost", {})
    first, again, other = (with_absent(target, seed).inventory.absent for seed in (1, 1, 2))
    assert first == again != other
    assert first is not None
    assert len({first.project, first.snapshot, first.job}) == 3
    assert all(len(i) == 24 for i in (first.project, first.job))
    assert with_mode(target, "restore").safety.confirmed
    assert not target.safety.confirmed
