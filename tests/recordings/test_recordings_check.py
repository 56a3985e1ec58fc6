"""Recordings judged: from files to a report and an exit code."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import orjson
import pytest
from click.testing import CliRunner, Result
from hypothesis import given, settings
from hypothesis import strategies as st

from atlas_conformance.cli.check import check_command
from atlas_conformance.contracts.contract import Contract
from atlas_conformance.recordings.checking import Check, Checked
from atlas_conformance.recordings.condensing import KEPT
from tests.recordings.corruption import Corruptions
from tests.recordings.samples import BASE, FLEX, JOB, entry, har, job, sample, snapshot_sample

DEPARTURES = Contract.load().departures

# No error of the samples has null for its parameters.
SHOWN = {name: departure for name, departure in DEPARTURES.items() if name != "K-PARAMETERS"}
LATER = {"status": "COMPLETED", "restoreFinishedDate": "2026-02-23T03:30:08Z"}


def checked(folder: Path, *files: bytes, **options: Any) -> Checked:
    paths = []
    for number, data in enumerate(files):
        paths.append(folder / f"{number}.har")
        paths[-1].write_bytes(data)
    return Check(paths, **options).run()


def failing(result: Checked) -> set[str]:
    return {group.requirement for group in result.report.groups}


def command(*arguments: object) -> Result:
    return CliRunner().invoke(check_command, [str(argument) for argument in arguments])


# The real service


def test_real_responses_hold_but_for_the_known_departures(tmp_path: Path) -> None:
    result = command(sample(), snapshot_sample(), "--report", tmp_path / "reports")
    assert result.exit_code == 0, result.output
    summary = json.loads((tmp_path / "reports" / "summary.json").read_text())
    assert summary["verdict"] == "passed"
    assert set(summary["known_departures"]) == set(SHOWN)
    exercised = {id for id, row in summary["requirements"].items() if row["exercised"]}
    assert exercised >= {"C-SCHEMA", "E-SCHEMA", "E-REASON", "S-FLOW", "S-SAME", "T-FLAGS", "T-NEW", "L-PAGE", "A-RATE"}
    assert exercised >= {"SNAP-STATUS", "SNAP-FLOW", "SNAP-DONE", "SNAP-TIME", "SNAP-FIXED"}
    for departure in SHOWN.values():
        assert departure.evidence in " ".join(result.output.split())
    bodies = summary["requirements"]["B-TYPE"]["operations"]["flex-create"]
    assert (bodies["status"], bodies["reason"]) == ("not exercised", "no request body was recorded")


def test_strict_fails_by_known_departures_alone() -> None:
    strict = Check([sample(), snapshot_sample()], strict=True).run()
    assert strict.report.exit_code == 1
    assert failing(strict) == {departure.requirement for departure in SHOWN.values()}
    assert strict.report.departures == ()


def test_a_recording_given_twice_says_the_same_twice() -> None:
    once, twice = Check([sample()]).run().report, Check([sample(), sample()]).run().report
    assert twice.exit_code == 0
    assert twice.exchanges == 2 * once.exchanges
    assert [use.count for use in twice.departures] == [2 * use.count for use in once.departures]


def test_the_report_is_that_of_its_own_journal(tmp_path: Path) -> None:
    command(sample(), "--report", tmp_path / "a")
    command(tmp_path / "a" / "journal.jsonl", "--report", tmp_path / "b")
    first, second = (json.loads((tmp_path / name / "summary.json").read_text()) for name in ("a", "b"))
    assert first["requirements"] == second["requirements"]
    assert first["known_departures"] == second["known_departures"]


found: list[bool] = []


@given(st.data())
@settings(max_examples=150, deadline=None, derandomize=True, database=None)
def look_for_one(data: st.DataObject) -> None:
    corruptions = Corruptions(sample())
    corruption = corruptions.draw(lambda below: data.draw(st.integers(0, below - 1)))
    found.append(corruptions.finds(corruption))


def test_corruptions_are_found_by_the_right_requirement() -> None:
    assert Corruptions(sample()).judged() == set()
    found.clear()
    look_for_one()
    assert len(found) >= 100
    assert sum(found) >= 0.99 * len(found)


# Files


def test_a_job_is_followed_across_files(tmp_path: Path) -> None:
    early = har(entry(job(**LATER), at="2026-02-23T03:31:00.0Z"))
    late = har(entry(job(status="RUNNING"), at="2026-02-23T03:32:00.0Z"))
    assert failing(checked(tmp_path, early, late)) == {"S-FLOW"}
    assert failing(checked(tmp_path, late)) == set()


def test_order_within_a_second_is_not_read_into_whole_seconds(tmp_path: Path) -> None:
    moment = "2026-02-23T03:31:00Z"
    done, before = entry(job(**LATER), at=moment), entry(job(status="RUNNING"), at=moment)
    assert failing(checked(tmp_path, har(done, before))) == set()


def test_gzip_is_read_and_its_cut_is_reported(tmp_path: Path) -> None:
    whole = gzip.compress(har(*[entry(job()) for _ in range(400)]), mtime=0)
    assert checked(tmp_path, whole).report.exchanges == 400
    cut = checked(tmp_path, whole[: len(whole) // 2])
    assert cut.report.exit_code == 2
    assert 0 < cut.report.exchanges < 400


def test_a_cut_file_is_judged_up_to_the_cut(tmp_path: Path) -> None:
    whole = har(entry(job()), entry(job(status="DONE")), entry(job()))
    cut = checked(tmp_path, whole[:-200])
    assert cut.report.exchanges == 2
    assert cut.report.exit_code == 2
    assert cut.report.partial is not None
    assert cut.cuts[0].endswith("0.har breaks off after 2 entries")
    assert "S-STATUS" in failing(cut)


def test_a_cut_file_exits_with_2_and_one_sentence(tmp_path: Path) -> None:
    file = tmp_path / "cut.har"
    file.write_bytes(har(entry(job()), entry(job()))[:-100])
    result = command(file)
    assert result.exit_code == 2
    assert f"{file} breaks off after 1 entry; it was judged up to there" in result.stderr


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "is empty"),
        (b"<html>", "looks like an HTML page: a HAR file or a journal of a run is wanted"),
        (b"nothing", "is neither a HAR file nor a journal: '{' is wanted at character 1, and 'n' stands there"),
        (b"{}", "is no HAR file: it has no log.entries"),
        (b'{"log": {"entries": 7}}', "is no HAR file: it has no log.entries"),
        (b'{"kind":"header","journal":9}\n', "is a journal of another version than 1"),
        (b"\x1f\x8bnonsense", "is no readable gzip file"),
    ],
)
def test_what_is_no_recording_is_said_in_one_sentence(tmp_path: Path, data: bytes, words: str) -> None:
    file = tmp_path / "file"
    file.write_bytes(data)
    result = command(file)
    assert result.exit_code == 2
    assert words in result.stderr
    assert result.stderr.count("\n") == 1


def test_a_missing_file_is_said_in_one_sentence(tmp_path: Path) -> None:
    result = command(tmp_path / "none.har")
    assert (result.exit_code, result.stderr.count("\n")) == (2, 1)
    assert "none.har cannot be read: no such file or directory" in result.stderr


def test_what_belongs_to_no_operation_is_counted_not_judged(tmp_path: Path) -> None:
    file = tmp_path / "mixed.har"
    file.write_bytes(har(entry(job()), entry({}, path="/login"), entry("<html>", path="/x"), {"nothing": 1}))
    result = command(file)
    assert result.exit_code == 0, result.output
    assert "Not judged: 2 entries outside the contract (first: entry 2)." in result.output
    assert "Not judged: 1 entry that could not be read (first: entry 4, which has no request)." in result.output


def test_nothing_to_judge_is_no_success(tmp_path: Path) -> None:
    assert checked(tmp_path, har()).report.exit_code == 4


# Counting


def test_many_of_a_kind_are_counted_and_few_are_kept(tmp_path: Path) -> None:
    times = 3 * KEPT
    wrong = [entry(job(id=f"{n:024x}", status="DONE"), path=f"{FLEX}/{n:024x}") for n in range(times)]
    result = checked(tmp_path, har(entry(job()), *wrong), journal=tmp_path / "journal.jsonl")
    group = next(group for group in result.report.groups if group.requirement == "S-STATUS")
    assert (group.count, group.first, group.sample.n) == (times, 2, 2)
    cell = result.report.rows["S-STATUS"].cells["flex-get"]
    assert (cell.passed, cell.failed) == (1, times)
    lines = (tmp_path / "journal.jsonl").read_bytes().splitlines()
    assert sum(orjson.loads(line)["kind"] == "exchange" for line in lines) == times + 1


def test_secrets_do_not_reach_the_reports(tmp_path: Path) -> None:
    made = entry(job(snapshotUrl="https://secret.example/key-0123456789", deliveryType="DOWNLOAD", status="DONE"))
    made["request"]["headers"] = [{"name": "Authorization", "value": "Bearer token-0123456789"}]
    made["response"]["headers"].append({"name": "Set-Cookie", "value": "session=cookie-0123456789"})
    file = tmp_path / "secret.har"
    file.write_bytes(har(made))
    result = command(file, "--report", tmp_path / "reports")
    assert result.exit_code == 1
    written = [result.output, *(path.read_text() for path in (tmp_path / "reports").iterdir())]
    for text in written:
        assert '0123456789"' not in text.replace(JOB, "")
        assert not any(secret in text for secret in ("token-0123", "cookie-0123", "key-0123"))
    assert BASE not in "".join(written)
