"""What recorders, proxies and browsers write: bodies odd, packed or missing, and entries that are half legible."""

from __future__ import annotations

import base64
import gzip
import io
import json
import zipfile
import zlib
from pathlib import Path
from typing import Any

import pytest
import zstandard
from click.testing import CliRunner, Result

from atlas_conformance.cli.check import check_command
from atlas_conformance.recordings.entries import Recorded, Unjudged
from atlas_conformance.recordings.har import recorded
from atlas_conformance.recordings.har_entry import ANY_MOMENT
from tests.recordings.samples import FLEX, entry, har, job

BODY = json.dumps(job(), separators=(",", ":"))


def command(*arguments: object, given: bytes | None = None) -> Result:
    return CliRunner().invoke(check_command, [str(argument) for argument in arguments], input=given)


def made(content: dict[str, Any], **headers: str) -> dict[str, Any]:
    """Return an entry whose answer has this content and these further header lines."""
    one = entry(job())
    one["response"]["content"] = {"mimeType": "application/json", **content}
    one["response"]["headers"] += [{"name": name.replace("_", "-"), "value": value} for name, value in headers.items()]
    return one


def body_of(one: dict[str, Any]) -> bytes:
    found = recorded(one)
    assert isinstance(found, Recorded), found
    return found.exchange.response.body


# Bodies that were not recorded


@pytest.mark.parametrize(
    ("content", "transferred", "headers"),
    [
        ({}, -1, {}),
        ({"comment": "Response bodies are not included."}, -1, {}),
        ({"size": 0, "comment": "left out"}, -1, {}),
        ({"size": -1}, -1, {}),
        ({"size": 0}, 250, {}),
        ({"size": 0}, -1, {"Content_Length": "250"}),
        ({"size": 0}, -1, {"Transfer_Encoding": "chunked"}),
        ({"size": 0, "text": ""}, -1, {"Content_Length": "250"}),
        ({"size": 250, "text": ""}, -1, {}),
        ({"size": 250, "text": None}, -1, {}),
    ],
)
def test_a_body_that_was_not_written_down_is_never_an_empty_one(
    content: dict[str, Any], transferred: int, headers: dict[str, str]
) -> None:
    one = made(content, **headers)
    one["response"]["bodySize"] = transferred
    found = recorded(one)
    assert isinstance(found, Unjudged)
    assert found.reason == "that had an answer whose body was not recorded"


@pytest.mark.parametrize("content", [{"size": 0}, {"size": 0, "text": ""}, {"text": ""}])
def test_an_empty_body_that_nothing_contradicts_is_one(content: dict[str, Any]) -> None:
    assert body_of(made(content)) == b""
    assert body_of(made(content, Content_Length="0")) == b""


@pytest.mark.parametrize(
    ("sent", "known"),
    [
        ({"bodySize": 0}, False),
        ({"bodySize": 0, "headers": [{"name": "Content-Type", "value": "application/json"}]}, False),
        ({"bodySize": 0, "headers": [{"name": "Content-Length", "value": "0"}]}, True),
        ({"bodySize": 0, "postData": {"mimeType": "application/json", "text": ""}}, True),
        ({"bodySize": -1, "postData": {"mimeType": "application/json"}}, False),
        ({"bodySize": -1, "postData": {"text": "", "params": [{"name": "a"}]}}, False),
    ],
)
def test_a_request_without_its_body_is_not_one_that_had_none(sent: dict[str, Any], known: bool) -> None:
    found = recorded(entry(job(), method="POST", path=FLEX, **sent))
    assert isinstance(found, Recorded)
    assert (found.exchange.request.body, found.exchange.request.body_recorded) == (None, known)


# Bodies in odd encodings


def in_base64(data: bytes) -> str:
    return base64.b64encode(data).decode()


PACKED = {
    "gzip": gzip.compress(BODY.encode()),
    "deflate": zlib.compress(BODY.encode()),
    "zstd": zstandard.ZstdCompressor().compress(BODY.encode()),
}


@pytest.mark.parametrize("encoding", PACKED)
def test_a_body_that_is_still_packed_is_unpacked(encoding: str) -> None:
    content = {"text": in_base64(PACKED[encoding]), "encoding": "base64"}
    assert body_of(made(content, Content_Encoding=encoding)) == BODY.encode()
    assert body_of(made({"text": BODY}, Content_Encoding=encoding)) == BODY.encode()


@pytest.mark.parametrize(
    "content",
    [
        {"text": base64.encodebytes(BODY.encode()).decode().replace("\n", "\r\n"), "encoding": "base64"},
        {"text": in_base64(BODY.encode()).rstrip("="), "encoding": "base64"},
        {"text": base64.urlsafe_b64encode(BODY.encode()).decode(), "encoding": "Base64"},
        {"text": BODY, "encoding": "base64"},
        {"text": BODY, "encoding": "utf-8"},
        {"text": in_base64(BODY.encode()), "size": len(BODY)},
        {"text": json.dumps(job(), indent=4), "size": len(BODY)},
    ],
)
def test_however_a_body_is_written_down_it_is_read(content: dict[str, Any]) -> None:
    assert body_of(made(content)) == BODY.encode()


def test_chunks_are_joined() -> None:
    framed = f"{len(BODY):x}\r\n{BODY}\r\n0\r\n\r\n"
    assert body_of(made({"text": framed}, Transfer_Encoding="chunked")) == BODY.encode()


@pytest.mark.parametrize(
    ("content", "headers"),
    [
        ({"text": "\x1f\ufffd\b\0", "size": 4}, {"Content_Encoding": "gzip"}),
        ({"text": in_base64(b"\x0b\x02\x80\xff\xfe"), "encoding": "base64"}, {"Content_Encoding": "br"}),
        ({"text": "abc", "encoding": "quoted"}, {}),
    ],
)
def test_what_cannot_be_undone_is_not_judged(content: dict[str, Any], headers: dict[str, str]) -> None:
    found = recorded(made(content, **headers))
    assert isinstance(found, Unjudged)
    assert found.reason == "that had an answer whose body is in an encoding that cannot be undone"


def test_what_unpacks_beyond_all_measure_is_not_judged() -> None:
    bomb = in_base64(gzip.compress(bytes(40_000_000)))
    found = recorded(made({"text": bomb, "encoding": "base64"}, Content_Encoding="gzip"))
    assert found == Unjudged("that had an answer whose body is larger than 16 MB")


# Entries that are legible in part


def test_only_the_odd_place_of_an_entry_is_left_out() -> None:
    one = entry(job())
    one["response"]["headers"].append({"name": "X-Odd", "value": None})
    one["response"]["headers"].append({"name": "X-Number", "value": 7})
    one["response"]["status"] = "200"
    del one["startedDateTime"]
    found = recorded(one)
    assert isinstance(found, Recorded)
    assert found.exchange.response.status == 200
    assert ("X-Number", "7") in found.exchange.response.headers
    assert (found.exchange.started, found.exchange.ended) == ANY_MOMENT
    assert len(found.left_out) == 2


def test_the_media_type_stands_in_for_headers_that_were_not_recorded() -> None:
    one = entry(job())
    del one["response"]["headers"]
    found = recorded(one)
    assert isinstance(found, Recorded)
    assert found.exchange.response.content_type == "application/vnd.atlas.2024-11-13+json"


def test_entries_whose_time_is_not_known_are_in_no_order(tmp_path: Path) -> None:
    done = entry(job(status="COMPLETED", restoreFinishedDate="2026-02-23T03:30:08Z"), at="never")
    file = tmp_path / "a.har"
    file.write_bytes(har(done, entry(job(status="RUNNING"), at="never")))
    result = command(file)
    assert result.exit_code == 0, result.output
    assert "Judged in part: 2 entries whose time could not be read" in result.output


def test_each_reason_is_reported_with_its_first_entry(tmp_path: Path) -> None:
    silent = entry(job())
    del silent["response"]
    nested = "[" * 30_000 + "]" * 30_000
    text = har(entry(job()), silent, entry(job()), {"odd": 1}).decode().replace('"odd": 1', f'"odd": {nested}')
    text = text.replace('"time": 20', f'"time": {"9" * 100_000}', 1)
    file = tmp_path / "a.har"
    file.write_text(text)
    result = command(file)
    assert result.exit_code == 0, result.output
    assert "2 exchanges in" in result.output
    assert "Not judged: 1 entry that had no answer (first: entry 2)." in result.output
    assert "Not judged: 1 entry that could not be read (first: entry 4, which is nested too deeply)." in result.output


# Ways in


GOOD = har(entry(job()))
BAD = har(entry(job(status="DONE")))


def zipped(**files: bytes) -> bytes:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        for name, content in files.items():
            archive.writestr(name.replace("__", "."), content)
    return data.getvalue()


@pytest.mark.parametrize(
    "packed",
    [
        gzip.compress,
        zlib.compress,
        zstandard.ZstdCompressor().compress,
        lambda data: zipped(traffic__har=data),
        lambda data: data.decode().encode("utf-16"),
        lambda data: data.decode().encode("utf-16-le"),
        lambda data: gzip.compress(data[:100]) + gzip.compress(data[100:]),
        lambda data: zstandard.ZstdCompressor().compress(gzip.compress(data)),
    ],
)
def test_packed_files_are_read(tmp_path: Path, packed: Any) -> None:
    file = tmp_path / "file"
    for data, code in ((GOOD, 0), (BAD, 1)):
        file.write_bytes(packed(data))
        assert command(file).exit_code == code


def test_standard_input_is_read(tmp_path: Path) -> None:
    assert command("-", given=GOOD).exit_code == 0
    assert command("-", given=BAD).exit_code == 1
    assert "standard input is empty" in command("-", given=b"").stderr


def test_bodies_in_files_are_read_from_the_folder_and_from_nowhere_else(tmp_path: Path) -> None:
    folder = tmp_path / "inside"
    folder.mkdir()
    (tmp_path / "outside.json").write_text(BODY)
    (folder / "body.json").write_text(json.dumps(job(status="DONE"), separators=(",", ":")))
    one = made({"_file": "body.json"})
    (folder / "a.har").write_bytes(har(one))
    assert "S-STATUS" in command(folder / "a.har").output
    assert command(folder).exit_code == 1
    for name in ("../outside.json", str(tmp_path / "outside.json"), "none.json"):
        (folder / "a.har").write_bytes(har(made({"_file": name})))
        result = command(folder / "a.har")
        assert result.exit_code == 4
        assert "whose body is in a file that cannot be read" in result.output
    archive = tmp_path / "a.zip"
    archive.write_bytes(zipped(a__har=har(one), body__json=BODY.encode()))
    assert command(archive).exit_code == 0


def test_what_follows_the_end_of_a_document_is_judged_or_told(tmp_path: Path) -> None:
    file = tmp_path / "a.har"
    for data in (GOOD + BAD, GOOD + b"\n" + BAD, gzip.compress(GOOD) + gzip.compress(BAD)):
        file.write_bytes(data)
        assert command(file).exit_code == 1
    for data in (GOOD + b"{", GOOD + b"rest", gzip.compress(GOOD) + b"rest", zlib.compress(GOOD) + b"rest"):
        file.write_bytes(data)
        result = command(file)
        assert result.exit_code == 2, data[-10:]
        assert "breaks off" in result.stderr


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (zipped(a__txt=b"x"), "is a ZIP archive in which no file ends in .har or .jsonl"),
        (zipped(**{"raw/1_c.txt": b"x"}), "a session archive of Fiddler"),
        (b"PK\x03\x04nothing", "is a ZIP archive that is damaged or cut off"),
        (b"\xd4\xc3\xb2\xa1\x02\x00\x04\x00" + bytes(40), "a packet capture (pcap)"),
        (b"\n\r\r\n\x1c\x00\x00\x00M<+\x1a" + bytes(40), "a packet capture (pcapng)"),
        (b"BZh91AY&SY", "compressed with bzip2"),
        (b'{"info": {"_postman_id": "1", "schema": "x"}, "item": []}', "a Postman collection"),
        (b'{"_type": "export", "__export_format": 4, "resources": []}', "an Insomnia export"),
        (b"http_interactions:\n- request:\n    method: get\n", "a cassette of VCR"),
        (b"interactions:\n- request:\n    method: GET\nversion: 1\n", "a cassette of VCR"),
        (b"1234:9:websocket;0:~7:version;", "a flow file of mitmproxy"),
        (b"<?xml version='1.0'?><charles-session>", "a session of a proxy in XML"),
        (b'{"type":"Metric","data":{}}', "figures of k6"),
        (b"openapi: 3.1.0\ninfo: {}\n", "an OpenAPI description"),
        (b'[{"request": {}}]', "a list in JSON"),
        (b'{"entries": []}', "the inside of a HAR file"),
    ],
)
def test_what_is_no_recording_is_called_what_it_is(tmp_path: Path, data: bytes, words: str) -> None:
    file = tmp_path / "file"
    file.write_bytes(data)
    result = command(file)
    assert result.exit_code == 2
    assert words in result.stderr
    assert result.stderr.count("\n") == 1


def test_words_of_other_tools_in_a_har_file_do_no_harm(tmp_path: Path) -> None:
    file = tmp_path / "a.har"
    other = entry('{"info": {"_postman_id": "1"}, "item": [], "openapi": "3.1.0"}', path="/other")
    file.write_bytes(har(other, entry(job())))
    assert command(file).exit_code == 0


# Pages


def paged(one: dict[str, Any], page: str) -> dict[str, Any]:
    return one | {"pageref": page}


def test_a_page_may_be_a_session_of_its_own(tmp_path: Path) -> None:
    done = job(status="COMPLETED", restoreFinishedDate="2026-02-23T03:30:08Z")
    early = paged(entry(done, at="2026-02-23T03:31:00.0Z"), "page_1")
    anew = [
        paged(entry(job(status=status), at=f"2026-02-23T03:3{minute}:00.0Z"), "page_2")
        for minute, status in ((2, "PENDING"), (3, "RUNNING"))
    ]
    file = tmp_path / "a.har"
    file.write_bytes(har(early, *anew))
    result = command(file)
    assert result.exit_code == 0, result.output
    assert "Page page_2 of" in result.output
    assert command(file, "--sessions", "one").exit_code == 1
    file.write_bytes(har(early, *anew, paged(entry(job(status="PENDING"), at="2026-02-23T03:35:00.0Z"), "page_2")))
    result = command(file)
    assert result.exit_code == 1
    assert "S-FLOW" in result.output
