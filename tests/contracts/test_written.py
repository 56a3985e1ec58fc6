"""Files that a person writes are read within bounds: what is larger, or made to cost much, is refused in a sentence."""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest

from atlas_conformance.contracts.written import LARGEST, parse_toml, small_file
from atlas_conformance.http.failures import TargetError
from atlas_conformance.reference.scenario_file import ScenarioError, read_scenario, scenario_of_text
from atlas_conformance.reports.earlier import outline_at, summary_at
from atlas_conformance.reports.gates.waivers import WaiverError, load_waivers
from atlas_conformance.reports.writing import ReportError
from atlas_conformance.targets.target_file import target_from_file, target_from_text

READERS: dict[str, tuple[Callable[[Path], object], type[Exception]]] = {
    "a target file": (lambda path: target_from_file(path, {}), TargetError),
    "waivers": (load_waivers, WaiverError),
    "a scenario": (read_scenario, ScenarioError),
    "a summary": (summary_at, ReportError),
    "an earlier run": (outline_at, ReportError),
}


@pytest.mark.skipif(not Path("/dev/zero").exists(), reason="there is no file without an end")
@pytest.mark.parametrize("kind", READERS)
def test_a_file_without_an_end_is_refused(kind: str) -> None:
    read, error = READERS[kind]
    with pytest.raises(error, match=r"/dev/zero.*(larger than|is no journal)"):
        read(Path("/dev/zero"))


def test_a_file_of_just_that_size_is_read(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(bytes(LARGEST))
    assert len(small_file(path)) == LARGEST
    path.write_bytes(bytes(LARGEST + 1))
    with pytest.raises(OSError, match="larger than 4 MB"):
        small_file(path)


@pytest.mark.parametrize(
    "text",
    [
        "a" + ".a" * 50_000 + " = 1",
        "b = 1\n[x" + " . 'a b'" * 50_000 + "]",
        "x = {" + '"a".' * 50_000 + "a = 1}",
    ],
    ids=["key", "header", "inline"],
)
def test_a_key_of_very_many_parts_is_refused(text: str) -> None:
    """Each part would cost as much as all those before it: 100 kB took 9 GB."""
    with pytest.raises(tomllib.TOMLDecodeError, match="A key of more than 100 parts"):
        parse_toml(text)
    with pytest.raises(TargetError, match="is not TOML: A key of more than 100 parts"):
        target_from_text(text, {})


def test_what_is_ordinary_is_read_as_always() -> None:
    text = 'a.b."c d".e = "1.2.3.4"\nlong = "' + "x." * 90 + '"\nwide = "' + "y" * 3_000_000 + '"\n'
    assert parse_toml(text) == tomllib.loads(text)


MERGES = "a0: &a0 {x: 1}\n" + "".join(
    f"a{n + 1}: &a{n + 1} {{<<: [{', '.join([f'*a{n}'] * 9)}], k{n}: 1}}\n" for n in range(12)
)
ALIASES = "a0: &a0 [x]\n" + "".join(f"a{n + 1}: &a{n + 1} [{', '.join([f'*a{n}'] * 9)}]\n" for n in range(12))


@pytest.mark.parametrize(
    "text", [MERGES, ALIASES, "a: &a [*a]", "a: &a {b: *a}"], ids=["merge", "alias", "list", "map"]
)
def test_a_scenario_whose_aliases_make_it_huge_is_refused(text: str) -> None:
    with pytest.raises(ScenarioError, match="aliases make it too large"):
        scenario_of_text(text, "scenario.yaml")
