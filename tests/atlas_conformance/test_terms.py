"""The words of the project: `terms.toml` lists those that it does not use, with those that it uses."""

from __future__ import annotations

import ast
import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.atlas_conformance.program import ROOT

TERMS: list[dict[str, Any]] = tomllib.loads(Path(__file__).with_name("terms.toml").read_text("utf-8"))["term"]
PRODUCT = ("contracts", "strategies", "suites", "reports", "atlas_conformance")
DOCUMENTED = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)


@dataclass(frozen=True)
class Words:
    """A text of the project: where it stands, what it is, and how it reads."""

    place: str
    kind: str
    text: str


def documents() -> Iterator[Words]:
    """Yield the documents, without their code."""
    folders = (ROOT.glob("*.md"), (ROOT / "docs").rglob("*.md"), (ROOT / "contracts").glob("*.md"))
    for path in (path for found in folders for path in sorted(found)):
        text = re.sub(r"^(`{3,})[^\n]*\n.*?^\1$", "", path.read_text("utf-8"), flags=re.DOTALL | re.MULTILINE)
        yield Words(str(path.relative_to(ROOT)), "documents", text)


def statements() -> Iterator[Words]:
    """Yield the statements of the requirements."""
    for name, table in tomllib.loads((ROOT / "contracts" / "requirements.toml").read_text("utf-8")).items():
        yield Words(f"requirement {name}", "statements", f"{table['statement']} {table['technique']}")


def of_module(path: Path) -> Iterator[Words]:
    """Yield a module's docstrings and messages; of a test module, the names of its tests."""
    place = str(path.relative_to(ROOT))
    tree = ast.parse(path.read_text("utf-8"))
    documented = [node for node in ast.walk(tree) if isinstance(node, DOCUMENTED) and ast.get_docstring(node)]
    for node in documented:
        line = f"{place}:{node.body[0].lineno}"
        yield Words(line, "docstrings", ast.get_docstring(node) or "")
    if place.startswith("tests"):
        named = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")]
        for node in named:
            yield Words(f"{place}:{node.lineno}", "tests", node.name.replace("_", " "))
        return
    told = {id(node.body[0].value) for node in documented if isinstance(node.body[0], ast.Expr)}
    for node in ast.walk(tree):
        if (
            isinstance(node, ast.Constant)
            and isinstance(node.value, str)
            and id(node) not in told
            and " " in node.value
        ):
            yield Words(f"{place}:{node.lineno}", "messages", node.value)


def every_word() -> Iterator[Words]:
    """Yield every text that somebody reads."""
    yield from documents()
    yield from statements()
    for folder in (*PRODUCT, "tests", "benchmarks"):
        for path in sorted((ROOT / folder).rglob("*.py")):
            above = [part for part in path.parents if part.is_relative_to(ROOT)]
            if not any(part.is_symlink() for part in (path, *above)):
                yield from of_module(path)


WORDS = [Words(words.place, words.kind, re.sub(r"`[^`]*`|\s+", " ", words.text)) for words in every_word()]


@pytest.mark.parametrize("term", TERMS, ids=lambda term: term["not"])
def test_a_word_that_is_not_ours_is_nowhere(term: dict[str, Any]) -> None:
    pattern = re.compile(term["not"], re.IGNORECASE)
    kinds = term.get("in", ["documents", "docstrings", "messages", "statements", "tests"])
    here = [words for words in WORDS if words.kind in kinds]
    found = [
        f"{words.place}: ...{words.text[max(0, hit.start() - 40) : hit.end() + 30]}..."
        for words in here
        for hit in pattern.finditer(words.text)
    ]
    assert not found, f"say: {term['but']}\n" + "\n".join(found)


def test_every_kind_of_text_is_read() -> None:
    counts = {kind: sum(words.kind == kind for words in WORDS) for kind in {words.kind for words in WORDS}}
    assert counts["documents"] > 80 and counts["statements"] > 70
    assert counts["docstrings"] > 1_500 and counts["messages"] > 1_000 and counts["tests"] > 800
