"""A credential that traffic shows, in every form times every place of other exchanges: `check` and `record` tell none.

The search is that of the canary test of live traffic: it shares nothing with what masks.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from atlas_conformance.cli.check import check_command
from atlas_conformance.cli.record import _Desk
from atlas_conformance.http.redaction.redaction import LEFT_OUT
from atlas_conformance.recordings.checking import Check, Examination, header_of, unjudged_lines
from atlas_conformance.recordings.har_writing import HarWriter
from tests.recordings.samples import entry, har, job
from tests.recordings.test_recordings_credentials import watched
from tests.safety.test_safety_forms import FORMS, KEY, OTHERS, PLACES, SPLIT, shows

NAME, PRIVATE, TOKEN, NONCE, COOKIE = OTHERS
Entry = dict[str, Any]
SPLIT_FORMS = ("plain", "upper case", "hex", "base64", "url", "backwards")


def showing() -> list[Entry]:
    """Exchanges that show each credential where it belongs."""
    pair = base64.b64encode(f"{NAME}:{PRIVATE}".encode()).decode()
    digest = f'Digest username="{NAME}", realm="r", nonce="{NONCE}", uri="/", response="{NONCE[::-1]}"'
    sent = [f"Bearer {KEY}", f"Basic {pair}", f"Bearer {TOKEN}", digest]
    made = [entry(job(), headers=[{"name": "Authorization", "value": value}]) for value in sent]
    made[0]["request"]["headers"].append({"name": "Cookie", "value": f"a={COOKIE}"})
    return made


def repeating(headers: tuple[tuple[str, str], ...], body: str) -> Entry:
    made = entry(body, status=400)
    made["response"]["headers"] += [{"name": name, "value": value} for name, value in headers]
    return made


def echoes() -> Iterator[tuple[str, str, str, Entry]]:
    """Yield value, form, place and exchange: the token in all places, the others in two of them each."""
    places = list(PLACES)
    for number, form in enumerate(FORMS):
        for turn, value in enumerate((KEY, *OTHERS)):
            chosen = places if value == KEY else [places[(number + turn) % 9], places[(number + turn + 4) % 9]]
            if value == NAME and form == "spaced":
                continue  # a short name with blanks between is too likely to be another word
            for place in chosen:
                if place == "much else" and form not in ("plain", "json", "hex with colons"):
                    continue  # to search it takes long
                yield value, form, place, repeating(*PLACES[place](FORMS[form](value)))


def split() -> Iterator[tuple[str, str, str, Entry]]:
    for form in SPLIT_FORMS:
        for place, made in SPLIT.items():
            if (form, place) == ("backwards", "bytes as numbers"):
                continue  # encoded twice over
            for value in (KEY, PRIVATE, TOKEN, NONCE, COOKIE):
                yield value, form, place, repeating(*made(value if place == "bytes as numbers" else FORMS[form](value)))


def checked(folder: Path, *entries: Entry) -> tuple[list[bytes], list[bytes], bytes]:
    """Check the entries; return the journal's exchanges in their order, the other files, and what is said."""
    (folder / "traffic.har").write_bytes(har(*entries))
    result = CliRunner().invoke(check_command, [str(folder / "traffic.har"), "--report", str(folder / "out")])
    assert result.exit_code in (0, 1), result.output
    lines = (folder / "out" / "journal.jsonl").read_bytes().splitlines()
    kept = [line for line in lines if json.loads(line)["kind"] == "exchange"]
    others = [path.read_bytes() for path in (folder / "out").iterdir() if path.name != "journal.jsonl"]
    return kept, [*others, *(line for line in lines if line not in kept)], result.output.encode()


def recorded(folder: Path, *entries: Entry) -> list[bytes]:
    """Let the entries go by a relay; return those of the file that it makes."""
    out = folder / "out.har"
    with HarWriter(out, "http://up.example") as writer:
        desk = _Desk(Examination(header_of([str(out)])), writer)
        for made in entries:
            desk.take(watched(made))
    return [json.dumps(one).encode() for one in json.loads(out.read_bytes())["log"]["entries"]]


def test_no_form_in_any_place_is_left_by_check_or_record(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    made = list(echoes())
    shown = showing()
    journal, others, said = checked(tmp_path, *shown, *(one[3] for one in made))
    by_relay = recorded(tmp_path, *shown, *(one[3] for one in made))
    for kept in (journal, by_relay):
        assert len(kept) == len(shown) + len(made)
        left = [one[:3] for one, line in zip(made, kept[len(shown) :], strict=True) if shows(line, one[0])]
        assert left == []
    for value in (KEY, *OTHERS):
        assert not any(value.encode() in text for text in (*others, said, capsys.readouterr().out.encode()))


def test_what_is_split_over_places_is_left_out_and_says_so(tmp_path: Path) -> None:
    made = list(split())
    shown = showing()
    journal, others, said = checked(tmp_path, *shown, *(one[3] for one in made))
    by_relay = recorded(tmp_path, *shown, *(one[3] for one in made))
    for kept in (journal, by_relay):
        pairs = list(zip(made, kept[len(shown) :], strict=True))
        assert [one[:3] for one, line in pairs if shows(line, one[0])] == []
        assert [one[:3] for one, line in pairs if LEFT_OUT not in line] == []
    assert f"Not shown: {len(made):,} entries whose answer is judged, and its body left out".encode() in said
    assert not any(KEY.encode() in text for text in (*others, said))


def test_a_body_that_was_left_out_fails_nothing_when_it_is_judged_again(tmp_path: Path) -> None:
    """Neither that of a journal, whose findings are taken over, nor that of a recording."""
    halves = entry(job(note=[KEY[:12], "x", {"more": KEY[12:]}]))
    wrong = entry(job(status="NO_STATUS", note=[KEY[:12], "x", {"more": KEY[12:]}]))
    file = tmp_path / "a.har"
    for second, fails in ((halves, False), (wrong, True)):
        file.write_bytes(har(*showing(), second))
        first = Check([file], journal=tmp_path / "journal.jsonl").run()
        assert LEFT_OUT in (tmp_path / "journal.jsonl").read_bytes()
        again = Check([tmp_path / "journal.jsonl"]).run()
        assert first.report.exit_code == again.report.exit_code == int(fails)
        assert any("left out when it was recorded" in line for line in unjudged_lines(again))
    file.write_bytes(har(entry(LEFT_OUT.decode()), entry(job())))
    alone = Check([file]).run()
    assert alone.report.exit_code == 0
    assert any("left out when it was recorded" in line for line in unjudged_lines(alone))


def test_a_request_that_repeats_a_credential_in_pieces_is_judged_without_its_body(tmp_path: Path) -> None:
    body = json.dumps({"a": KEY[:12], "other": 1, "b": KEY[12:]})
    posted = {"mimeType": "application/json", "text": body}
    made = entry(job(), path="/api/atlas/v2/groups/" + "a" * 24 + "/flexClusters/one/backup/restoreJobs",
                 method="POST", postData=posted, bodySize=len(body))  # fmt: skip
    journal, _, said = checked(tmp_path, *showing(), made)
    assert KEY[:12].encode() not in journal[-1]
    assert b"Judged in part: 1 entry without the request's headers and body" in said


def test_words_and_ids_of_the_traffic_are_no_pieces_of_a_credential(tmp_path: Path) -> None:
    """A cookie may hold what answers hold anyway."""
    made = entry(job())
    found = json.loads(made["response"]["content"]["text"])
    value = f"last-{found['id']}-restore-{found['targetProjectId']}-{found['snapshotId']}"
    made["request"]["headers"] = [{"name": "Cookie", "value": f"last={value}"}]
    file = tmp_path / "a.har"
    file.write_bytes(har(made))
    assert not list(unjudged_lines(Check([file]).run()))
