"""The pictures of the documents: well formed, loading nothing, and as the program prints today."""

from __future__ import annotations

import re
from xml.etree import ElementTree

import pytest

from docs.making import flow, picture


def plain(text: str) -> list[str]:
    """Return the lines of a terminal's text, without colours."""
    return re.sub(r"\x1b\[[0-9;]*m", "", text).splitlines()


def failure(lines: list[str]) -> list[tuple[int, str]]:
    """Return the form of the first failure of T-TARGET: of each of its lines the indent and the first word."""
    start = next(number for number, line in enumerate(lines) if re.match(r"[^\w\s]\W*T-TARGET\b", line))
    end = next((n for n in range(start + 1, len(lines)) if re.match(r"\S", lines[n])), len(lines))
    shown = [line for line in lines[start:end] if line.strip()]
    return [(len(line) - len(line.lstrip()), re.sub(r"[0-9a-f]{24}|\d+", "0", line.split()[0])) for line in shown]


@pytest.mark.parametrize("path", [picture.PICTURE, flow.PICTURE], ids=lambda path: path.name)
def test_a_picture_is_well_formed_and_loads_nothing(path: object) -> None:
    root = ElementTree.parse(str(path)).getroot()
    assert root.tag == "{http://www.w3.org/2000/svg}svg" and root.get("viewBox")
    assert root.findtext("{http://www.w3.org/2000/svg}title")
    for element in root.iter():
        assert not element.tag.endswith(("}script", "}image", "}foreignObject"))
        assert not any(name.endswith("href") for name in element.attrib)
        assert not re.search(r"url\((?!#)|@import|@font-face", (element.text or "") + str(element.attrib))


def test_the_picture_of_the_flow_is_what_its_script_draws() -> None:
    assert flow.PICTURE.read_text("utf-8") == flow.drawn()


def test_the_picture_of_a_report_is_as_the_program_prints_today() -> None:
    shown = picture.words(picture.PICTURE.read_text("utf-8"))
    assert shown[0] == f"$ atlas-conformance {' '.join(picture.ARGUMENTS)}", shown[:3]
    assert shown[-1].startswith("FAILED: 1 of ")
    printed = plain(picture.printed("--requirement", "T-TARGET"))
    here = failure(printed)
    assert len(here) >= 1
    assert failure(shown) == here, "The program prints something else now: `make pictures` draws it again."


def test_the_lines_of_a_picture_can_be_read_back() -> None:
    drawn = picture.drawn("\x1b[31mone <two> & three\x1b[0m\nfour  five\n", ["run", "--seed", "1"])
    ElementTree.fromstring(drawn)
    assert picture.words(drawn)[-2:] == ["one <two> & three", "four  five"]


def test_a_long_report_shows_its_end() -> None:
    lines = [f"line {number}" for number in range(100)]
    shown = picture.words(picture.drawn("\n".join(lines)))
    assert shown[-1] == "line 99" and len(shown) <= picture.MOST_LINES + 3
