"""Shards: every test in exactly one, the same every time; merged they are one whole run, or they are refused."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from atlas_conformance.reports.gates.merging import MergeError, merge
from atlas_conformance.reports.gates.sharding import Shard, ShardError, share
from atlas_conformance.reports.journal import Journal
from atlas_conformance.reports.records import ExchangeRecord, FindingRecord, RepeatRecord
from atlas_conformance.reports.summary import summary
from atlas_conformance.reports.writing import report_of
from tests.reports import sample_journal as sample


@given(st.integers(0, 80), st.integers(1, 9))
def test_every_item_is_in_one_shard(many: int, count: int) -> None:
    items = list(range(many))
    if many < count:
        with pytest.raises(ShardError):
            share(items, Shard(1, count))
        return
    shards = [share(items, Shard(index, count)) for index in range(1, count + 1)]
    assert sorted(item for shard in shards for item in shard) == items
    assert all(shard == sorted(shard) for shard in shards)
    assert max(map(len, shards)) - min(map(len, shards)) <= 1
    assert shards == [share(items, Shard(index, count)) for index in range(1, count + 1)]


@pytest.mark.parametrize("text", ["", "1", "0/2", "3/2", "1/0", "01/2", "1/2\n", "a/b", "-1/2", "1/2/3"])
def test_what_is_no_shard_is_refused(text: str) -> None:
    with pytest.raises(ShardError):
        Shard.parse(text)


def shard(path: Path, name: str, **changes: object) -> Path:
    """Write the journal of a shard: two exchanges, a failure that repeats, and what was not exercised."""
    made = sample.Sample(path, shard=name, **changes)
    made.add(held=(("C-STATUS", "flex-get"),), operation="flex-get")
    n = made.add(sample.finding("S-ECHO"), sample.finding("C-SCHEMA"))
    again = made.add(sample.finding("S-ECHO"))
    made.writer.repeat(RepeatRecord(n, again, *sample.finding("S-ECHO").key, "repeated"))
    made.writer.finding(again, sample.finding("L-PAGE", "flex-list"), related=[n])
    made.writer.status("not exercised", "there was no job", requirement="L-STABLE", operation="flex-get")
    made.end()
    return path


def test_merged_journals_are_one_whole_run(tmp_path: Path) -> None:
    paths = [shard(tmp_path / "b", "2/2", started="2026-01-05T09:59:00Z"), shard(tmp_path / "a", "1/2")]
    report = merge(paths, tmp_path / "joined")
    assert report == report_of(tmp_path / "joined")
    assert (report.exchanges, report.findings, report.partial, report.header.shard) == (6, 8, None, None)
    assert report.header.started == "2026-01-05T09:59:00Z" and report.seconds == pytest.approx(72.5)
    records = list(Journal(tmp_path / "joined"))
    assert [r.n for r in records if isinstance(r, ExchangeRecord)] == [1, 2, 3, 4, 5, 6]
    assert [(r.n, r.again) for r in records if isinstance(r, RepeatRecord)] == [(2, 3), (5, 6)]
    assert [r.related for r in records if isinstance(r, FindingRecord) and r.related] == [(2,), (5,)]
    (echo,) = [group for group in report.groups if group.requirement == "S-ECHO"]
    assert echo.count == 4 and echo.repeat is not None and echo.repeat.outcome == "repeated"
    assert report.rows["L-STABLE"].cells["flex-get"].reason == "there was no job"


def test_the_order_in_which_shards_are_given_does_not_count(tmp_path: Path) -> None:
    paths = [shard(tmp_path / str(n), f"{n}/3", seed=7) for n in (1, 2, 3)]
    first = merge(paths, tmp_path / "x")
    assert summary(first) == summary(merge(paths[::-1], tmp_path / "y"))
    assert (tmp_path / "x").read_bytes() == (tmp_path / "y").read_bytes()


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"seed": 8}, "differ in seed: 7 and 8"),
        ({"contract": "2"}, "differ in contract: 1 and 2"),
        ({"profile": "thorough"}, "differ in profile"),
        ({"target": {"base_url": "http://elsewhere", "level": "core", "source": "t.toml"}}, "differ in target"),
        ({"requirements": ("S-ECHO",)}, "differ in selected requirements"),
        ({"offered": {"flex-get": "gone"}}, "differ in offered operations"),
    ],
)
def test_shards_of_different_runs_are_refused(tmp_path: Path, changes: dict[str, object], words: str) -> None:
    paths = [shard(tmp_path / "a", "1/2"), shard(tmp_path / "b", "2/2", **changes)]
    with pytest.raises(MergeError, match=words):
        merge(paths, tmp_path / "joined")
    assert not (tmp_path / "joined").exists()


@pytest.mark.parametrize(
    ("names", "words"),
    [
        (["1/3"], "shards 2/3, 3/3 are missing"),
        (["1/2", "1/2"], "shard 1/2 is given twice"),
        (["1/2", "2/3"], "is a shard of 3"),
        ([None], "is no shard but a whole run"),
        (["4/3"], "there is no shard 4 of 3"),
    ],
)
def test_shards_that_do_not_add_up_are_refused(tmp_path: Path, names: list[str | None], words: str) -> None:
    paths = []
    for place, name in enumerate(names):
        made = sample.Sample(tmp_path / str(place), shard=name)
        made.end()
        paths.append(made.path)
    with pytest.raises(MergeError, match=words):
        merge(paths, tmp_path / "joined")


def test_a_shard_that_was_cut_short_is_refused(tmp_path: Path) -> None:
    shard(tmp_path / "a", "1/2")
    lines = shard(tmp_path / "b", "2/2").read_bytes().splitlines(keepends=True)
    (tmp_path / "b").write_bytes(b"".join(lines[:-1]))
    with pytest.raises(MergeError, match="shard 2/2, is partial: the journal ends without its closing line"):
        merge([tmp_path / "a", tmp_path / "b"], tmp_path / "joined")
    assert not (tmp_path / "joined").exists()


def test_a_shard_is_never_overwritten(tmp_path: Path) -> None:
    path = shard(tmp_path / "a", "1/1")
    before = path.read_bytes()
    with pytest.raises(MergeError, match="a place of its own"):
        merge([path], path)
    assert path.read_bytes() == before
