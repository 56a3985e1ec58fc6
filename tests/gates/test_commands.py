"""The commands that start from journals: what they write, print and exit with."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from atlas_conformance.cli.commands import command
from atlas_conformance.reports.writing import FILES, RENDERERS, report_of, write_reports
from tests.reports import sample_journal as sample


def atlas(*arguments: object) -> Result:
    """Run a command line in this process."""
    return CliRunner().invoke(command, [str(argument) for argument in arguments])


def stored(folder: Path, build: sample.Builder) -> Path:
    """Store the reports of a sample run in a folder of its own, and return the folder."""
    journal = folder / f"{build.__name__}.jsonl"
    write_reports(folder / build.__name__, build(journal), journal)
    return folder / build.__name__


def test_a_journal_is_rendered_in_every_format_in_one_go(tmp_path: Path) -> None:
    folder = stored(tmp_path, sample.failing)
    names = {form: tmp_path / "again" / name for name, form in FILES.items()}
    outputs = [word for form, path in names.items() for word in (f"--{form}", path)]
    result = atlas("report", folder / "journal.jsonl", *outputs)
    assert result.exit_code == 1 and result.output == ""
    again = {name: path.read_bytes() for name, path in names.items()}
    assert atlas("report", folder, *outputs).exit_code == 1
    assert again == {name: path.read_bytes() for name, path in names.items()}
    report = report_of(folder / "journal.jsonl")
    for form, content in again.items():
        if form not in ("html", "json", "junit", "ctrf", "sarif", "markdown"):  # these hold curl commands besides
            assert content == RENDERERS[form](report, None, None)


def test_a_rendered_journal_has_its_curl_commands_with_names_of_variables(tmp_path: Path) -> None:
    made = sample.Sample(
        tmp_path / "j",
        target={
            "base_url": "https://atlas.example.net",
            "level": "core",
            "source": "staging.toml",
            "credentials": {"owner": {"public_key": "OUR_PUBLIC", "private_key": "OUR_PRIVATE"}},
        },
    )
    made.add(sample.finding())
    made.end()
    assert atlas("report", tmp_path / "j", "--markdown", tmp_path / "s.md").exit_code == 1
    text = (tmp_path / "s.md").read_text()
    assert '--digest --user "$OUR_PUBLIC:$OUR_PRIVATE"' in text
    assert "https://atlas.example.net/api/atlas/v2/groups/" in text


@pytest.mark.parametrize(("build", "code"), [(sample.passing, 0), (sample.failing, 1)])
def test_report_prints_what_no_file_is_asked_for(tmp_path: Path, build: sample.Builder, code: int) -> None:
    result = atlas("report", stored(tmp_path, build))
    assert result.exit_code == code and "exercised requirements" in " ".join(result.output.split())
    shown = atlas("report", tmp_path / build.__name__, "--format", "github")
    assert shown.exit_code == code and all(line.startswith("::") for line in shown.output.splitlines())


def test_a_partial_journal_is_rendered_as_one(tmp_path: Path) -> None:
    made = sample.Sample(tmp_path / "j")
    made.hold_everything(1)
    made.writer.flush()
    result = atlas("report", tmp_path / "j")
    assert result.exit_code == 4 and "INCOMPLETE" in result.output and "without its closing line" in result.output
    made.writer.close(ended=sample.ENDED, verdict="passed", exit=0)


def test_compare_says_what_is_worse_and_what_is_better(tmp_path: Path) -> None:
    good, bad = stored(tmp_path, sample.passing), stored(tmp_path, sample.failing)
    worse = atlas("compare", good, bad / "journal.jsonl")
    assert worse.exit_code == 1 and worse.output.count("\nNew failure: ") == 3
    assert "Lost coverage: A-LIST is no longer exercised anywhere" in worse.output
    better = atlas("compare", bad, good)
    assert better.exit_code == 0 and better.output.count("Fixed: ") == 5 and "0 new failures" in better.output
    assert atlas("compare", good, bad, "--gate", "none").exit_code == 0
    assert atlas("compare", bad, bad).exit_code == 0 and atlas("compare", bad, bad, "--gate", "any").exit_code == 1


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("report", "missing.jsonl"), "cannot be read"),
        (("compare", "missing", "missing"), "cannot be read"),
        (("report", "{good}", "--waivers", "missing.toml"), "missing.toml cannot be read"),
        (("report", "{good}", "--html", "{good}/journal.jsonl/x.html"), "cannot be written"),
        (("merge", "{good}"), "is no shard but a whole run"),
        (("merge", "{good}", "--gate", "new"), "needs an earlier run"),
        (("merge", "{good}", "--update-waivers"), "needs --waivers FILE"),
        (("history", "{good}/.."), ""),
    ],
)
def test_bad_input_gets_one_sentence(tmp_path: Path, arguments: tuple[str, ...], words: str) -> None:
    good = stored(tmp_path, sample.passing)
    result = atlas(
        *(word.format(good=good) for word in arguments),
        *(("--html", tmp_path / "h.html") if arguments[0] == "history" else ()),
    )
    assert result.exit_code == (2 if words else 0) and words in result.output
    assert "Traceback" not in result.output


def test_shards_are_merged_and_gated(tmp_path: Path) -> None:
    for index in (1, 2):
        made = sample.Sample(tmp_path / f"{index}.jsonl", shard=f"{index}/2")
        made.hold_everything(1)
        if index == 2:
            made.add(sample.finding())
        made.end()
    shards = (tmp_path / "1.jsonl", tmp_path / "2.jsonl")
    merged = atlas("merge", *shards, "--report", tmp_path / "whole", "--format", "github")
    assert merged.exit_code == 1 and "::error title=S-ECHO on flex-create (failed)::" in merged.output
    assert {path.name for path in (tmp_path / "whole").iterdir()} == {*FILES, "journal.jsonl"}
    waivers = tmp_path / "waivers.toml"
    first = atlas("merge", *shards, "--waivers", waivers, "--update-waivers")
    assert first.exit_code == 1 and "1 waiver with blanks" in first.output
    assert "leaves reason, owner, link, expires blank" in atlas("merge", *shards, "--waivers", waivers).output
    filled = waivers.read_text().replace('expires = ""', 'expires = "2027-01-01"')
    for name in ("reason", "owner", "link"):
        filled = filled.replace(f'{name} = ""', f'{name} = "known"')
    waivers.write_text(filled)
    assert atlas("merge", *shards, "--waivers", waivers).exit_code == 0


def test_history_is_one_page(tmp_path: Path) -> None:
    folders = [stored(tmp_path, build) for build in (sample.passing, sample.failing)]
    result = atlas("history", *folders, "--html", tmp_path / "trend.html")
    assert result.exit_code == 0 and result.output.endswith("trend.html, 2 runs\n")
    assert "T-TARGET" in (tmp_path / "trend.html").read_text()
