"""Pages of requirements: examples are judged as the pages say, and the pages are current."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from markdown_it import MarkdownIt

from atlas_conformance.cli.commands import command
from atlas_conformance.cli.explanations.example import example_of, faults_of
from atlas_conformance.cli.explanations.folder import EXAMPLES, examples, pages, write_pages
from atlas_conformance.cli.explanations.page import as_markdown, as_text, page_of
from atlas_conformance.cli.explanations.suite_tests import suite_tests_of
from atlas_conformance.cli.explanations.world import World
from atlas_conformance.contracts.chronicle import Chronicle
from atlas_conformance.contracts.contract import Contract
from atlas_conformance.contracts.knowledge import Knowledge

REQUIREMENTS = Contract.load().requirements

ROOT = Path(__file__).resolve().parents[2]
PAGES = ROOT / "docs" / "requirements"

PROVED = [requirement for requirement in REQUIREMENTS if faults_of(requirement)]
each_proved_requirement = pytest.mark.parametrize("requirement", PROVED)


def explain(*arguments: str) -> Result:
    return CliRunner().invoke(command, ["explain", *arguments], catch_exceptions=False)


@each_proved_requirement
def test_a_requirement_has_an_example_that_fails_it_and_one_that_does_not(requirement: str) -> None:
    example = example_of(requirement)
    assert example is not None
    assert example.finding.requirement == requirement
    assert example.fault in faults_of(requirement)
    failing, conforming = (*example.before, example.failing), (*example.conforming_before, example.conforming)
    assert [one.response for one in failing] != [one.response for one in conforming]
    assert example.failing.request.method == example.conforming.request.method


@pytest.mark.parametrize("requirement", ["B-PATTERN", "C-SCHEMA", "P-GROUP", "S-STATUS", "T-TARGET", "V-PRETTY"])
def test_an_example_says_the_same_to_a_judge_who_sees_nothing_else(requirement: str) -> None:
    with World() as world:
        knowledge = Knowledge(inventory=world.inventory)
    example = example_of(requirement)
    assert example is not None and not example.before
    found = Chronicle(knowledge).feed(example.failing).findings
    assert found[0].requirement == requirement
    assert Chronicle(knowledge).feed(example.conforming).findings == ()


def test_what_rests_on_earlier_exchanges_shows_them() -> None:
    example = example_of("T-CANCEL")
    assert example is not None and example.before
    assert "An exchange that fails" in as_markdown(page_of("T-CANCEL"))
    assert "Before it:" in as_markdown(page_of("T-CANCEL"))


@each_proved_requirement
def test_a_requirement_is_covered_by_a_suite_test(requirement: str) -> None:
    assert suite_tests_of(requirement)


def test_the_pages_in_the_docs_are_current() -> None:
    made = pages()
    made[EXAMPLES] = examples()
    stored = {file.name: file.read_text("utf-8") for file in (*PAGES.glob("*.md"), PAGES / EXAMPLES)}
    stale = sorted(name for name in made.keys() | stored.keys() if made.get(name) != stored.get(name))
    assert not stale, f"run `make requirements-docs`: {', '.join(stale)}"


def test_the_pages_are_the_same_each_time_and_show_no_credentials() -> None:
    for requirement in ("A-DIGEST", "A-BEARER", "A-NONE"):
        text = as_markdown(page_of(requirement))
        example_of.cache_clear()
        assert text == as_markdown(page_of(requirement))
        assert "mdb_sa_sk_" not in text and "response=" not in text


def test_a_page_is_read_as_it_is_meant() -> None:
    for name, text in pages().items():
        tokens = MarkdownIt("commonmark").enable("table").parse(text)
        assert not any(token.type == "html_block" for token in tokens), name
        for token in tokens:
            assert not {"html_inline", "image"} & {child.type for child in token.children or ()}, (name, token.content)


def test_a_link_of_the_index_leads_to_a_page() -> None:
    made = pages()
    tokens = MarkdownIt("commonmark").enable("table").parse(made["index.md"])
    links = [child.attrGet("href") for token in tokens for child in token.children or () if child.type == "link_open"]
    assert sorted(str(link) for link in links) == sorted(made.keys() - {"index.md"})


def test_pages_of_former_requirements_are_taken_away_and_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "X-GONE.md").write_text("old")
    (tmp_path / "notes.md").write_text("mine")
    assert write_pages(tmp_path) == (len(REQUIREMENTS) + 1, 1)
    assert (tmp_path / "notes.md").read_text() == "mine" and not (tmp_path / "X-GONE.md").exists()


@pytest.mark.parametrize("requirement", REQUIREMENTS)
def test_a_page_names_the_rules_that_judge_it(requirement: str) -> None:
    items = [block.text for block in page_of(requirement) if block.kind == "item"]
    rules = [found.groups() for text in items if (found := re.match(r"(contracts/\S+\.py), (\w+)", text))]
    assert rules
    for file, name in rules:
        assert re.search(rf"^def {name}\(", (ROOT / file).read_text("utf-8"), re.MULTILINE), (file, name)


def test_lines_fit_a_terminal_but_for_what_is_to_be_copied() -> None:
    for line in as_text(page_of("T-TARGET"), 80).splitlines():
        assert len(line) <= 80 or line.startswith(("    ", "  https://"))


def test_the_command_explains_what_it_is_asked_for() -> None:
    told = explain("t-target", "S-URL")
    assert told.exit_code == 0
    for words in (
        REQUIREMENTS["T-TARGET"].statement.split()[0],
        "documented",
        "AN EXCHANGE THAT FAILS",
        "S-URL",
        "Restore One Snapshot of One Cluster, Body › targetClusterName",
        "https://www.mongodb.com/docs/",
    ):
        assert words in told.output


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "name requirements to explain"),
        (("T-TARGER",), "did you mean T-TARGET?"),
        (("nothing",), "there is no requirement 'nothing'"),
        (("T-TARGET", "--write", "somewhere"), "name requirements to explain"),
    ],
)
def test_wrong_usage_gets_a_sentence(arguments: tuple[str, ...], said: str) -> None:
    told = explain(*arguments)
    assert told.exit_code == 2 and said in told.output and "Traceback" not in told.output


def test_a_folder_that_cannot_be_written_gets_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    told = explain("--write", str(tmp_path / "file" / "inside"))
    assert told.exit_code == 2 and "cannot be written" in told.output
