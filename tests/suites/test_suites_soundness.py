"""No false alarm: every conforming endpoint passes, whatever it does where the contract leaves it free."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from atlas_conformance.cli.run import run_suites
from atlas_conformance.contracts.contract import Contract
from atlas_conformance.reference.freedoms import FREEDOMS, IMITATIONS
from atlas_conformance.reference.server import ReferenceServer
from atlas_conformance.reports.records import ExchangeRecord, Record
from atlas_conformance.runner.options import Options
from atlas_conformance.runner.plugin import SuitePlugin
from atlas_conformance.runner.session import Session
from tests.suites.running import ACCOUNT, KEYS, complaint, unexercised, verified

DEPARTURES = Contract.load().departures

# Which requirements are about a freedom; a run of these alone meets every place where an endpoint may use it.
ABOUT: dict[tuple[str, ...], tuple[str, ...]] = {
    (
        "null-optional",
        "float-integer",
        "unknown-properties",
        "download-with-target",
        "both-points",
        "point-with-snapshot",
        "point-outside-window",
        "seconds-beside-half-pair",
        "meaningless-fields",
        "malformed-value",
    ): ("T-ONLY-TARGET", "T-POINT", "B-UNKNOWN", "B-PATTERN"),
    (
        "absent-target",
        "wrong-kind-target",
        "impossible-target",
        "absent-snapshot",
        "foreign-snapshot",
        "flex-through-tenant",
        "absent-group",
    ): ("N-SNAPSHOT", "N-CLUSTER", "N-TARGET", "N-GROUP", "A-DIGEST"),
    ("busy-target",): ("B-ACCEPT",),
    (
        "content-type",
        "unversioned-accept",
        "early-date",
        "unpublished-date",
        "long-target",
        "junk-flag",
        "page-range",
        "wrong-method",
    ): ("V-QUERY", "V-FLOOR", "C-STATUS"),
    (
        "malformed-snapshot",
        "unfinished-snapshot",
        "second-take",
        "empty-take",
        "long-retention",
        "no-description",
        "sharded-on-replica-set",
        "download-done",
    ): ("P-SNAPSHOT", "SNAP-RESTORE", "SNAP-NEW", "SNAP-FOUND", "B-ACCEPT", "S-URL", "L-PAGE"),
    ("sunset",): ("S-STATUS", "L-FOUND", "A-NONE"),
    (
        "malformed-path",
        "malformed-group",
        "malformed-name",
        "malformed-job",
        "wrong-kind-cluster",
        "foreign-job",
        "extended-absent",
        "check-order",
        "reference-order",
    ): ("P-GROUP", "N-JOB", "L-SCOPE", "A-BEFORE", "A-WRONG"),
    (
        "cancel-finished",
        "list-order",
        "total-count",
        "expiration",
        "expires-at",
        "download-parts",
        "utc",
        "links",
        "first-status",
        "queued",
        "download-finished",
        "point-targets",
        "desired-timestamp",
        "item-name",
        "date-fraction",
    ): ("L-STABLE", "T-CANCEL", "L-PAGE", "V-PRETTY"),
    (
        "envelope-key",
        "envelope-on-error",
        "error-body",
        "error-reason",
        "error-parameters",
        "error-code-header",
        "charset",
        "rate-headers",
        "retry-after",
        "deprecation",
    ): ("V-ENVELOPE", "E-STATUS"),
    ("reader-reads", "reader-writes", "off-list", "digest-algorithms"): ("A-ROLE", "A-NONE", "A-LIST"),
}


def turns(names: tuple[str, ...]) -> Iterator[dict[str, str]]:
    """Yield settings of a group of freedoms such that each choice but the first of each is made in one of them."""
    for turn in range(1, max(len(FREEDOMS[name]) for name in names)):
        yield {name: FREEDOMS[name][min(turn, len(FREEDOMS[name]) - 1)] for name in names}


CASES = [(names, turn) for names in ABOUT for turn in turns(names)]


@pytest.fixture(scope="module")
def server() -> Iterator[ReferenceServer]:
    with ReferenceServer(seed=11, step=0.02) as running:
        yield running


def test_every_freedom_belongs_to_one_group() -> None:
    assert sorted(name for names in ABOUT for name in names) == sorted(FREEDOMS)


@pytest.mark.unmeasured
@pytest.mark.parametrize(
    ("names", "freedoms"), CASES, ids=lambda value: "-".join(value.values()) if isinstance(value, dict) else ""
)
def test_an_endpoint_that_uses_its_freedom_passes(
    server: ReferenceServer, tmp_path: Path, names: tuple[str, ...], freedoms: dict[str, str]
) -> None:
    # Where targets are busy, the suites wait for jobs to end again and again.
    server.reset(freedoms=freedoms, step=0.005 if "busy-target" in names else 0.02)
    code, report = verified(server, tmp_path, requirements=ABOUT[names], level="workflow")
    assert complaint(report) == []
    assert (code, report.verdict) == (0, "passed")


@pytest.mark.unmeasured
def test_every_other_choice_at_once_and_every_known_departure_pass(server: ReferenceServer, tmp_path: Path) -> None:
    """A whole run; known departures are reported as such, and every requirement is exercised all the same."""
    # An endpoint without the sunset operations shows nothing of them.
    kept = ("busy-target", "sunset", "flex-through-tenant")
    others = {name: choices[-1] for name, choices in FREEDOMS.items() if name not in kept}
    server.reset(freedoms=others, imitate=IMITATIONS, step=0.02)
    code, report = verified(server, tmp_path, level="workflow")
    assert complaint(report) == []
    assert (code, report.verdict) == (0, "passed")
    assert {use.id for use in report.departures} == set(DEPARTURES)
    # Fields, reasons and rates are among what an endpoint is free not to show.
    silent = {"E-FIELDS", "E-REASON", "A-RATE", "A-RETRY", "V-SUNSET", "L-TOTAL", "C-ALLOW"}
    assert unexercised(report, "workflow") <= silent


@pytest.mark.parametrize("scheme", ["digest", "bearer"])
def test_either_authentication_alone_passes(tmp_path: Path, scheme: str) -> None:
    with ReferenceServer(seed=11, step=0.02, authentication=(scheme,)) as alone:
        without = ACCOUNT if scheme == "digest" else KEYS
        code, report = verified(
            alone, tmp_path, requirements=("A-DIGEST", "A-WRONG", "A-ROLE", "A-BEFORE"), without=without
        )
    assert complaint(report) == []
    assert code == 0
    exercised = {name for name in ("A-DIGEST", "A-BEARER") if report.rows[name].exercised}
    assert exercised == {"A-DIGEST" if scheme == "digest" else "A-BEARER"}


def test_an_endpoint_of_the_core_alone_passes(tmp_path: Path) -> None:
    with ReferenceServer(seed=11, step=0.02, level="core") as core:
        code, report = verified(core, tmp_path, level="core")
    assert complaint(report) == []
    assert (code, report.verdict) == (0, "passed")
    assert unexercised(report, "core") == {"A-RETRY"}


def sent_with(seed: int) -> list[tuple[str, str]]:
    """What a small run sends: method and target, and the body with its moments, which follow the clock, made equal."""
    found: list[tuple[str, str]] = []

    def observe(record: Record) -> None:
        if isinstance(record, ExchangeRecord) and not record.passing:  # of those there are as many as time wants
            request = record.exchange.request
            body = (request.body or b"").decode("latin-1")
            found.append((f"{request.method} {request.target}", re.sub(r"\b1[0-9]{9}\b", "MOMENT", body)))

    with ReferenceServer(seed=11, step=0.02) as running:
        options = Options(profile="quick", seed=seed, requirements=("P-GROUP", "T-POINT"), workers=1)
        run_suites(SuitePlugin(Session(options, observer=observe, server=running), show=lambda finished: None))
    return found


def test_the_same_seed_sends_the_same_requests() -> None:
    """Reproducible: same seed, same requests in the same order; another seed, others."""
    first = sent_with(3)
    assert len(first) > 50
    assert sent_with(3) == first
    assert sent_with(4) != first


@pytest.mark.parametrize("level", ["core", "extended"])
def test_lists_of_a_mock_that_no_level_is_claimed_for_pass(tmp_path: Path, level: str) -> None:
    """Snapshots can be looked up there all the same, and their lists are held to what other lists are."""
    with ReferenceServer(seed=7, level=level) as server:
        code, report = verified(server, tmp_path, requirements=("L-PAGE", "C-5XX"), seed=26, without=("level",))
    assert complaint(report) == [] and code == 0
    assert report.rows["L-PAGE"].cells["snapshot-list"].exercised
