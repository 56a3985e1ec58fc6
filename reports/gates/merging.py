"""Joining the journals of shards into the journal of one run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from atlas_conformance.reports.copying import copy_records
from atlas_conformance.reports.gates.sharding import Shard, ShardError, missing
from atlas_conformance.reports.journal import Journal, JournalError, JournalWriter
from atlas_conformance.reports.matrix import Tally
from atlas_conformance.reports.model import Report
from atlas_conformance.reports.records import Header
from atlas_conformance.reports.writing import JOURNAL, end_journal

_SAME = ("contract", "suite", "profile", "seed", "mode", "requirements", "excluded", "strict", "target", "offered")
_WORDS = {"requirements": "selected requirements", "excluded": "excluded requirements", "offered": "offered operations"}


class MergeError(Exception):
    """Journals do not add up to one whole run; the message is one sentence."""


def merge(paths: Sequence[Path], into: Path, *, strict: bool = False) -> Report:
    """Join the journals (or folders that hold one) of all shards of a run, write the joined one, return its report.

    With `strict` advice is failure in it, as it is where the shards are strict.

    Exchanges keep their order within a shard and are numbered again, shard by shard. Raises MergeError where the shards
    do not add up: one is missing, given twice or cut short, or they are of different runs. Raises ReportError where
    the journal cannot be written.
    """
    journals = _in_order([_opened(path) for path in paths])
    if into.exists() and any(journal.path.samefile(into) for journal in journals):
        raise MergeError(f"{into} is the journal of a shard: the joined one needs a place of its own")
    first = journals[0].header
    started = min(journal.header.started for journal in journals)
    tally = Tally(replace(first, shard=None, started=started, strict=first.strict or strict))
    try:
        with JournalWriter(into, tally.header, tally.add) as writer:
            ended = max(_copy_whole(journal, writer) for journal in journals)
            return end_journal(writer, tally, ended=ended)
    except JournalError as problem:
        into.unlink(missing_ok=True)
        raise MergeError(str(problem)) from None
    except MergeError:
        into.unlink(missing_ok=True)
        raise


def _opened(path: Path) -> Journal:
    try:
        return Journal(path / JOURNAL if path.is_dir() else path)
    except JournalError as problem:
        raise MergeError(str(problem)) from None


def _in_order(journals: list[Journal]) -> list[Journal]:
    """Return the journals by shard; raise MergeError where their headers do not belong to one whole run."""
    first = journals[0]
    by_shard: dict[int, Journal] = {}
    count = None
    for journal in journals:
        if journal.header.shard is None:
            raise MergeError(f"{journal.path} is no shard but a whole run")
        try:
            shard = Shard.parse(journal.header.shard)
        except ShardError as problem:
            raise MergeError(f"{journal.path}: {problem}") from None
        if count is not None and shard.count != count:
            raise MergeError(f"{journal.path} is a shard of {shard.count}, {first.path} one of {count}")
        count = shard.count
        if shard.index in by_shard:
            raise MergeError(f"shard {shard} is given twice: {by_shard[shard.index].path} and {journal.path}")
        by_shard[shard.index] = journal
        for name in _SAME:
            ours, theirs = _member(journal.header, name), _member(first.header, name)
            if ours != theirs:
                words = f"{_WORDS.get(name, name)}: {_shown(theirs)} and {_shown(ours)}"
                raise MergeError(f"{first.path} and {journal.path} are not of one run; they differ in {words}")
    assert count is not None
    if lost := missing((Shard(index, count) for index in by_shard), count):
        names = ", ".join(f"{index}/{count}" for index in lost)
        raise MergeError(f"{'shards' if len(lost) > 1 else 'shard'} {names} {'are' if len(lost) > 1 else 'is'} missing")
    return [by_shard[index] for index in sorted(by_shard)]


def _member(header: Header, name: str) -> Any:
    """Return what must be the same; an endpoint that a run starts itself has another port each time."""
    value = getattr(header, name)
    if name == "target" and value.get("source") == "reference":
        return {key: item for key, item in value.items() if key != "base_url"}
    return value


def _shown(value: Any) -> str:
    text = str(dict(value) if hasattr(value, "items") else value)
    return text if len(text) <= 200 else text[:199] + "…"


def _copy_whole(journal: Journal, writer: JournalWriter) -> str:
    """Append a shard's records to the joined journal and return when the shard ended."""
    ended = copy_records(journal, writer, f"shard {journal.header.shard}")
    if journal.partial is not None:
        raise MergeError(f"{journal.path}, shard {journal.header.shard}, is partial: {journal.partial}")
    return ended
