"""Waivers: failures that somebody accepted, with a reason, an owner, a link, and a day on which that ends."""

from __future__ import annotations

import datetime
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import tomlkit
from tomlkit.exceptions import TOMLKitError

from atlas_conformance.contracts.contract import Contract
from atlas_conformance.contracts.written import parse_toml, small_file
from atlas_conformance.reports.comparison import Failure, Key, Outline
from atlas_conformance.reports.model import ADVICE, FAILED, NOT_EXERCISED, NOT_OFFERED, WITHHELD

_TEXTS = ("reason", "owner", "link")
_MEMBERS = ("requirement", "operation", "place", *_TEXTS, "expires")


class WaiverError(Exception):
    """A file of waivers cannot be used; the message is one sentence."""


@dataclass(frozen=True, slots=True)
class Waiver:
    """An accepted failure of a requirement on an operation, at one place or (None) at any, up to the day `expires`."""

    requirement: str
    operation: str
    place: str | None
    reason: str
    owner: str
    link: str
    expires: datetime.date | None

    @property
    def name(self) -> str:
        """What the waiver is called in sentences."""
        at = "" if self.place is None else f" at {self.place}"
        return f"{self.requirement} on {self.operation}{at}"

    @property
    def blanks(self) -> tuple[str, ...]:
        """The members that are still to be filled."""
        return tuple(name for name in (*_TEXTS, "expires") if not getattr(self, name))

    def covers(self, failure: Failure) -> bool:
        """Whether the waiver is for this failure."""
        requirement, operation, place = failure.key
        return (requirement, operation) == (self.requirement, self.operation) and self.place in (None, place)


@dataclass(frozen=True, slots=True)
class Waived:
    """A run seen through its waivers: the failures that are covered, each by its waiver; complaints in sentences."""

    covered: dict[Key, Waiver]
    complaints: tuple[str, ...]


def load_waivers(path: Path, *, blanks_allowed: bool = False) -> tuple[Waiver, ...]:
    """Return the waivers of a file; raise WaiverError on what is no waiver, or on blanks unless they are allowed."""
    try:
        document = parse_toml(small_file(path).decode("utf-8"))
    except OSError as problem:
        raise WaiverError(f"{path} cannot be read: {(problem.strerror or str(problem)).lower()}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as problem:
        raise WaiverError(f"{path} is no TOML: {problem}") from None
    except RecursionError:
        raise WaiverError(f"{path} is nested too deeply") from None
    except ValueError:
        raise WaiverError(f"{path} holds a number of more digits than can be read") from None
    unknown = set(document) - {"waiver"}
    entries = document.get("waiver", [])
    if unknown or not isinstance(entries, list):
        wrong = ", ".join(sorted(unknown)) or "waiver"
        raise WaiverError(f"{path} holds {wrong}: waivers are tables of the form [[waiver]]")
    waivers = tuple(_waiver(entry, f"{path}, waiver {index}") for index, entry in enumerate(entries, 1))
    for index, waiver in enumerate(waivers, 1):
        if waiver.blanks and not blanks_allowed:
            blank = ", ".join(waiver.blanks)
            raise WaiverError(f"{path}, waiver {index} ({waiver.name}) leaves {blank} blank: fill it in")
        if any(
            (w.requirement, w.operation, w.place) == (waiver.requirement, waiver.operation, waiver.place)
            for w in waivers[: index - 1]
        ):
            raise WaiverError(f"{path}, waiver {index} ({waiver.name}) is in the file twice")
    return waivers


def _waiver(entry: Any, where: str) -> Waiver:
    if not isinstance(entry, dict):
        raise WaiverError(f"{where} is no table: waivers are tables of the form [[waiver]]")
    for name in entry:
        if name not in _MEMBERS:
            raise WaiverError(f"{where} has {name!r}, which no waiver has: it has {', '.join(_MEMBERS)}")
    for name in _MEMBERS:
        if name not in entry and name != "place":
            raise WaiverError(f"{where} lacks {name!r}")
        if name != "expires" and not isinstance(entry.get(name, ""), str):
            raise WaiverError(f"{where} has a {name!r} that is no text")
    requirement, operation = entry["requirement"], entry["operation"]
    if requirement not in Contract.load().requirements:
        raise WaiverError(
            f"{where} names {requirement!r}, which is no requirement: `atlas-conformance requirements` lists them"
        )
    if operation not in Contract.load().operations:
        raise WaiverError(
            f"{where} names {operation!r}, which is no operation: they are {', '.join(Contract.load().operations)}"
        )
    texts = {name: entry[name].strip() for name in _TEXTS}
    return Waiver(requirement, operation, entry.get("place") or None, **texts, expires=_day(entry["expires"], where))


def _day(value: Any, where: str) -> datetime.date | None:
    if isinstance(value, str) and value.strip() == "":
        return None
    if isinstance(value, str):
        try:
            return datetime.date.fromisoformat(value.strip())
        except ValueError:
            pass
    if isinstance(value, datetime.date) and not isinstance(value, datetime.datetime):
        return value
    raise WaiverError(f"{where} has an 'expires' that is no date such as 2027-01-31")


def apply_waivers(waivers: Iterable[Waiver], run: Outline) -> Waived:
    """Return what waivers make of a run, on the day on which it started.

    A waiver also covers the findings that follow from its own. The result names each waiver that is expired (it covers
    nothing), that matches nothing, or whose requirement now holds. Requirements that an option left out, and operations
    that the run could not reach, make no waiver stale.
    """
    day = datetime.date.fromisoformat(run.started[:10])
    covered: dict[Key, Waiver] = {}
    complaints = []
    for waiver in waivers:
        matched = [failure for failure in run.failures.values() if waiver.covers(failure)]
        if waiver.expires is not None and waiver.expires < day:
            complaints.append(f"The waiver for {waiver.name} expired on {waiver.expires} ({waiver.owner}).")
        elif matched:
            covered.update((failure.key, waiver) for failure in matched)
        elif complaint := _unmatched(waiver, run):
            complaints.append(complaint)
    for failure in run.failures.values():
        if failure.lead in covered:
            covered.setdefault(failure.key, covered[failure.lead])
    return Waived(covered, tuple(complaints))


def _unmatched(waiver: Waiver, run: Outline) -> str | None:
    status, exercised = run.cells.get((waiver.requirement, waiver.operation), ("", 0))
    if exercised and status not in (FAILED, ADVICE):
        return f"The waiver for {waiver.name} is no longer needed: the requirement holds. Remove it."
    if not exercised and status in (NOT_EXERCISED, WITHHELD, NOT_OFFERED) and _left_out(run, waiver):
        return None
    reason = run.reasons.get((waiver.requirement, waiver.operation))
    because = f" ({reason})" if reason else ""
    return f"The waiver for {waiver.name} matches nothing that failed{because}. Correct or remove it."


def _left_out(run: Outline, waiver: Waiver) -> bool:
    """Whether a person told the run to leave out what the waiver is for."""
    selected = run.facts.get("selected requirements", "all")
    chosen = selected == "all" or waiver.requirement in selected.split(", ")
    return not chosen or run.facts.get("shard", "none") != "none"


def add_waivers(path: Path, failures: Iterable[Failure]) -> int:
    """Append a waiver with blanks to fill for each failure that the file has none for; return how many were added.

    What stands in the file, comments included, stays as it is. Raises WaiverError where that cannot be done.
    """
    present = load_waivers(path, blanks_allowed=True) if path.exists() else ()
    missing = [f for f in failures if f.lead is None and not any(waiver.covers(f) for waiver in present)]
    if not missing:
        return 0
    try:
        document = tomlkit.parse(path.read_text("utf-8")) if path.exists() else tomlkit.document()
        tables = document.get("waiver")
        if tables is None:
            tables = tomlkit.aot()
            document.append("waiver", tables)
        for failure in missing:
            requirement, operation, place = failure.key
            table = tomlkit.table()
            table.add("requirement", requirement)
            table.add("operation", operation)
            table.add("place", place)
            for name in (*_TEXTS, "expires"):
                table.add(name, "")
            tables.append(table)
        path.write_text(tomlkit.dumps(document), "utf-8")
    except (OSError, TOMLKitError) as problem:
        raise WaiverError(f"{path} cannot be written: {problem}") from None
    return len(missing)
