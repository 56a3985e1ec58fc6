"""Waivers: what is accepted, and by whom, until when; what is not in order is complained of by name."""

from __future__ import annotations

import datetime
from pathlib import Path

import pytest

from atlas_conformance.reports.comparison import Outline, outline
from atlas_conformance.reports.gates.waivers import Waiver, WaiverError, add_waivers, apply_waivers, load_waivers
from tests.reports import sample_journal as sample

WAIVER = """
[[waiver]]
requirement = "{requirement}"
operation = "{operation}"
{place}
reason = "Known since the spring."
owner = "storage team"
link = "https://tracker.example.com/42"
expires = {expires}
"""


def written(
    folder: Path,
    requirement: str = "S-ECHO",
    operation: str = "flex-create",
    place: str = "",
    expires: str = "2026-02-01",
) -> Path:
    """Write a file with one waiver."""
    path = folder / "waivers.toml"
    path.write_text(WAIVER.format(requirement=requirement, operation=operation, place=place, expires=expires))
    return path


def run(folder: Path, **changes: object) -> Outline:
    """Return a run of 5 January 2026 in which S-ECHO fails on flex-create at one place, and all else holds."""
    made = sample.Sample(folder / "j", **changes)
    made.hold_everything(1, but=frozenset({("A-LIST", "flex-get")}))
    made.add(sample.finding("S-ECHO"))
    return outline(made.end())


@pytest.mark.parametrize("place", ["", 'place = "/response/body/projectId"'])
def test_a_waiver_covers_its_failure(tmp_path: Path, place: str) -> None:
    waived = apply_waivers(load_waivers(written(tmp_path, place=place)), run(tmp_path))
    assert list(waived.covered) == [("S-ECHO", "flex-create", "/response/body/projectId")]
    assert waived.complaints == ()
    assert waived.covered[next(iter(waived.covered))].owner == "storage team"


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"place": 'place = "/response/body/id"'}, "matches nothing that failed"),
        ({"expires": "2026-01-04"}, "expired on 2026-01-04 (storage team)"),
        ({"requirement": "S-NEW"}, "is no longer needed: the requirement holds"),
        ({"requirement": "A-LIST", "operation": "flex-get"}, "matches nothing that failed (no request of this run"),
        ({"requirement": "S-ECHO", "operation": "cluster-create"}, "matches nothing that failed"),
    ],
)
def test_a_waiver_that_is_not_in_order_is_complained_of_by_name(
    tmp_path: Path, given: dict[str, str], words: str
) -> None:
    path = written(tmp_path, **given)
    waived = apply_waivers(load_waivers(path), run(tmp_path))
    (complaint,) = waived.complaints
    assert waived.covered == {} and words in complaint
    assert f"{given.get('requirement', 'S-ECHO')} on {given.get('operation', 'flex-create')}" in complaint


def test_a_waiver_holds_on_its_last_day(tmp_path: Path) -> None:
    waived = apply_waivers(load_waivers(written(tmp_path, expires="2026-01-05")), run(tmp_path))
    assert waived.covered and not waived.complaints


def test_what_a_run_left_out_says_nothing_of_a_waiver(tmp_path: Path) -> None:
    waivers = load_waivers(written(tmp_path, "A-LIST", "flex-get"))
    assert apply_waivers(waivers, run(tmp_path)).complaints
    assert not apply_waivers(waivers, run(tmp_path, requirements=("S-ECHO",))).complaints
    assert not apply_waivers(waivers, run(tmp_path, shard="1/2")).complaints


def test_a_waiver_covers_what_its_failure_explains(tmp_path: Path) -> None:
    made = sample.Sample(tmp_path / "j")
    made.add(sample.finding("C-5XX", pointer="/response/status"), sample.finding("C-MEDIA"))
    waived = apply_waivers(load_waivers(written(tmp_path, "C-5XX")), outline(made.end()))
    assert {key[0] for key in waived.covered} == {"C-5XX", "C-MEDIA"}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (('requirement = "S-ECHO"', 'requirement = "S-EKO"'), "names 'S-EKO', which is no requirement"),
        (('operation = "flex-create"', 'operation = "create"'), "names 'create', which is no operation"),
        (('owner = "storage team"', ""), "lacks 'owner'"),
        (('owner = "storage team"', 'owner = ""'), "leaves owner blank"),
        (('owner = "storage team"', "owner = 3"), "has a 'owner' that is no text"),
        (('owner = "storage team"', 'ownr = "x"'), "has 'ownr', which no waiver has"),
        (("expires = 2026-02-01", 'expires = "soon"'), "has an 'expires' that is no date"),
        (("expires = 2026-02-01", "expires = 2026-02-01T00:00:00Z"), "has an 'expires' that is no date"),
        (("[[waiver]]", "[[waivers]]"), "holds waivers"),
        (("[[waiver]]", "[[waiver"), "is no TOML"),
    ],
)
def test_a_wrong_file_is_reported_in_one_sentence(tmp_path: Path, change: tuple[str, str], words: str) -> None:
    path = written(tmp_path)
    text = path.read_text()
    assert change[0] in text
    path.write_text(text.replace(*change))
    with pytest.raises(WaiverError) as caught:
        load_waivers(path)
    assert words in str(caught.value) and "\n" not in str(caught.value)


def test_a_waiver_that_stands_there_twice_is_reported(tmp_path: Path) -> None:
    path = written(tmp_path)
    path.write_text(path.read_text() * 2)
    with pytest.raises(WaiverError, match="is in the file twice"):
        load_waivers(path)


def test_new_waivers_have_blanks_and_leave_the_file_as_it_was(tmp_path: Path) -> None:
    path = written(tmp_path, "S-ECHO", "flex-create")
    path.write_text("# Ours.\n" + path.read_text())
    before = path.read_text()
    made = sample.Sample(tmp_path / "j")
    made.add(sample.finding("S-ECHO"), sample.finding("S-NEW", pointer="/response/body/id"))
    made.add(sample.finding("C-5XX"), sample.finding("C-MEDIA"))
    failures = outline(made.end()).failures.values()
    added = add_waivers(path, failures)
    assert path.read_text().startswith(before.rstrip("\n"))
    with pytest.raises(WaiverError, match="leaves reason, owner, link, expires blank"):
        load_waivers(path)
    waivers = load_waivers(path, blanks_allowed=True)
    assert len(waivers) == 1 + added and {w.requirement for w in waivers[1:]} <= {"S-NEW", "C-5XX", "C-MEDIA"}
    assert add_waivers(path, failures) == 0


def test_a_file_of_waivers_is_begun(tmp_path: Path) -> None:
    path = tmp_path / "new.toml"
    assert add_waivers(path, run(tmp_path).failures.values()) == 1
    (waiver,) = load_waivers(path, blanks_allowed=True)
    expected = Waiver("S-ECHO", "flex-create", "/response/body/projectId", "", "", "", None)
    assert waiver == expected
    filled = path.read_text().replace('expires = ""', f"expires = {datetime.date(2027, 1, 1)}")
    for name in ("reason", "owner", "link"):
        filled = filled.replace(f'{name} = ""', f'{name} = "x"')
    path.write_text(filled)
    assert load_waivers(path)[0].expires == datetime.date(2027, 1, 1)
