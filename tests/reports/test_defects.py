"""Defects: what comes of one cause is one of them, what has causes of its own is another one."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from atlas_conformance.contracts.contract import Contract
from atlas_conformance.contracts.exchange import Exchange
from atlas_conformance.contracts.finding import Finding
from atlas_conformance.reports.diagnosis import recounted
from atlas_conformance.reports.evidence import BODY, ERROR, HEADER, OUTCOME, place_of
from atlas_conformance.reports.model import Report
from atlas_conformance.reports.sentences import extent, named
from tests.reports import sample_journal as sample
from tests.reports.sample_journal import exchange, finding

JOB = "63f8a1c2d4e5f60718293a4b"


def told(report: Report) -> list[tuple[str, set[str]]]:
    """Return the requirement of each defect, and those that it explains."""
    return [(defect.requirement, {group.requirement for group in defect.explains}) for defect in report.defects]


def at(requirement: str, operation: str, pointer: str, **changes: str) -> Finding:
    return finding(requirement, operation, pointer=pointer, **changes)


def report_of(path: Path, found: Sequence[tuple[str, Exchange, tuple[Finding, ...]]]) -> Report:
    made = sample.Sample(path)
    for operation, sent, findings in found:
        made.add(*findings, operation=operation, sent=sent)
    return made.end()


def numbered(operation: str, n: int, **changes: object) -> Exchange:
    return exchange(operation, n=n, **changes)  # type: ignore[arg-type]


def test_a_date_that_drifts_is_one_defect_and_no_query_flag_is_to_blame(tmp_path: Path) -> None:
    date, inside = "/response/body/restoreScheduledDate", "/response/body/content/restoreScheduledDate"
    found = [("flex-get", numbered("flex-get", n), (at("S-FIXED", "flex-get", date),)) for n in range(6)]
    found += [
        ("flex-get", numbered("flex-get", 7), (at("V-ENVELOPE", "flex-get", inside),)),
        ("flex-get", numbered("flex-get", 8), (at("V-PRETTY", "flex-get", date),)),
        (
            "flex-list",
            numbered("flex-list", 9),
            (at("S-FIXED", "flex-list", "/response/body/results/3/restoreScheduledDate"),),
        ),
        ("flex-get", numbered("flex-get", 10), (at("S-SAME", "flex-get", date),)),
    ]
    report = report_of(tmp_path / "j", found)
    (defect,) = report.defects
    assert told(report) == [("S-FIXED", {"V-ENVELOPE", "V-PRETTY", "S-SAME"})]
    assert defect.operations == ("flex-get", "flex-list")
    assert defect.count == 7
    assert defect.sentence == "`restoreScheduledDate` changes from read to read"


def test_a_flag_that_changes_the_answer_leads_where_every_request_has_it(tmp_path: Path) -> None:
    sent = numbered("flex-get", 1)
    flagged = Exchange(
        type(sent.request)(sent.request.method, sent.request.target + "?envelope=true", sent.request.headers),
        sent.response,
        sent.started,
        sent.ended,
    )
    inside = "/response/body/content/snapshotId"
    both = (at("C-SCHEMA", "flex-get", inside), at("V-ENVELOPE", "flex-get", inside))
    assert told(report_of(tmp_path / "a", [("flex-get", flagged, both)])) == [("V-ENVELOPE", {"C-SCHEMA"})]
    plain = ("flex-get", sent, (at("C-SCHEMA", "flex-get", "/response/body/snapshotId"),))
    assert told(report_of(tmp_path / "b", [("flex-get", flagged, both), plain])) == [("C-SCHEMA", {"V-ENVELOPE"})]


def test_what_is_found_on_a_job_belongs_to_the_request_that_should_not_have_made_it(tmp_path: Path) -> None:
    answer = json.dumps({"id": JOB}).encode()
    other = [("flex-create", numbered("flex-create", n, answer=b'{"id": "%024d"}' % n), ()) for n in range(5)]
    made = numbered("flex-create", 5, answer=answer)
    page = json.dumps({"results": [{"id": "f" * 24}, {"id": JOB}]}).encode()
    found = [
        *other,
        ("flex-create", made, (at("B-PATTERN", "flex-create", "/request/body/snapshotId", seen="200"),)),
        *(
            (
                "flex-list",
                numbered("flex-list", n, answer=page),
                (at("C-SCHEMA", "flex-list", "/response/body/results/1/snapshotId"),),
            )
            for n in range(6, 12)
        ),
    ]
    assert told(report_of(tmp_path / "a", found)) == [("B-PATTERN", {"C-SCHEMA"})]
    elsewhere = at("C-SCHEMA", "flex-list", "/response/body/results/0/snapshotId")
    apart = report_of(tmp_path / "b", [*found[:6], ("flex-list", numbered("flex-list", 20, answer=page), (elsewhere,))])
    assert {head for head, _ in told(apart)} == {"B-PATTERN", "C-SCHEMA"}


def test_a_read_that_is_compared_with_a_faulty_create_belongs_to_it(tmp_path: Path) -> None:
    answer = json.dumps({"id": JOB, "status": "COMPLETED", "restoreFinishedDate": "2026-01-01T00:00:00Z"}).encode()
    read = exchange("flex-get", n=3, answer=answer)
    read = Exchange(
        type(read.request)("GET", read.request.target.rpartition("/")[0] + f"/{JOB}", read.request.headers),
        read.response,
        read.started,
        read.ended,
    )
    before = at(
        "S-FINISHED", "flex-get", "/response/body/restoreFinishedDate", expected="as before: '2026-01-01T00:00:00Z'"
    )
    found = [
        (
            "flex-create",
            numbered("flex-create", 1, answer=answer),
            (at("S-NEW", "flex-create", "/response/body/status"),),
        ),
        ("flex-get", read, (before,)),
    ]
    assert told(report_of(tmp_path / "j", found)) == [("S-NEW", {"S-FINISHED"})]


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (
            at("S-URL", "flex-get", "/response/body/snapshotUrl"),
            at("T-PARTS", "cluster-get", "/response/body/components"),
        ),
        (
            at("C-5XX", "flex-create", "/response/status", seen="500"),
            at("N-JOB", "tenant-get", "/request/path/restoreId", seen="403"),
        ),
        (at("E-CODE", "flex-get", "/response/body/errorCode"), at("E-REASON", "cluster-get", "/response/body/reason")),
    ],
)
def test_independent_faults_on_different_operations_stay_two(tmp_path: Path, first: Finding, second: Finding) -> None:
    found = [(one.operation, numbered(one.operation, n), (one,)) for n, one in enumerate((first, second) * 3)]
    report = report_of(tmp_path / "j", found)
    assert {defect.requirement for defect in report.defects} == {first.requirement, second.requirement}


def test_the_form_of_every_error_is_another_matter_than_one_wrong_refusal(tmp_path: Path) -> None:
    form = at("E-SCHEMA", "flex-create", "/response/body/error")
    refusal = at("N-CLUSTER", "flex-create", "/request/path/name", seen="403")
    found = [("flex-create", numbered("flex-create", n, status=403), (form,)) for n in range(20)]
    found += [("flex-create", numbered("flex-create", 30, status=403), (refusal, form))]
    assert {head for head, _ in told(report_of(tmp_path / "a", found))} == {"E-SCHEMA", "N-CLUSTER"}
    only = [("flex-create", numbered("flex-create", n, status=403), (refusal, form)) for n in range(3)]
    assert told(report_of(tmp_path / "b", only)) == [("N-CLUSTER", {"E-SCHEMA"})]


def test_what_happens_everywhere_leads_before_what_is_more_specific(tmp_path: Path) -> None:
    status = at("C-STATUS", "flex-create", "/response/status", seen="201")
    story = at("SNAP-RESTORE", "flex-create", "/response/status", seen="201")
    found = [("flex-create", numbered("flex-create", n, status=201), (status,)) for n in range(8)]
    found += [("flex-create", numbered("flex-create", n, status=201), (story, status)) for n in range(8, 14)]
    assert told(report_of(tmp_path / "j", found)) == [("C-STATUS", {"SNAP-RESTORE"})]


def test_one_name_means_the_same_on_several_operations(tmp_path: Path) -> None:
    found = [
        (
            "flex-get",
            numbered("flex-get", 1, status=400),
            (at("N-JOB", "flex-get", "/request/path/restoreJobId", seen="400"),),
        ),
        (
            "tenant-get",
            numbered("tenant-get", 2, status=400),
            (at("N-JOB", "tenant-get", "/request/path/restoreId", seen="400"),),
        ),
    ]
    (defect,) = report_of(tmp_path / "j", found).defects
    assert defect.operations == ("flex-get", "tenant-get")


def test_advice_comes_last_and_belongs_to_what_explains_it(tmp_path: Path) -> None:
    links = at("L-PAGE", "flex-list", "/response/body/links")
    total = Finding("L-TOTAL", "flex-list", "3", "4", "/response/body/totalCount", advice=True)
    made = sample.Sample(tmp_path / "a")
    made.add(total, operation="flex-list")
    made.add(at("S-URL", "flex-get", "/response/body/snapshotUrl"), operation="flex-get")
    assert [(d.requirement, d.advice) for d in made.end().defects] == [("S-URL", False), ("L-TOTAL", True)]
    other = sample.Sample(tmp_path / "b")
    first = other.add(total, operation="flex-list")
    last = other.add(operation="flex-list")
    other.writer.finding(last, links, related=[first])
    report = other.end()
    assert told(report) == [("L-PAGE", {"L-TOTAL"})]
    assert report.advice and not report.defects[0].advice


def test_a_defect_is_counted_again_with_its_groups(tmp_path: Path) -> None:
    report = report_of(tmp_path / "j", [("flex-get", numbered("flex-get", 1), (finding("S-ECHO", "flex-get"),))])
    (group,) = report.groups
    more = type(group)(**{name: getattr(group, name) for name in group.__dataclass_fields__} | {"count": 70})
    (defect,) = recounted(report.defects, {(False, group.key): more})
    assert (defect.count, defect.headline.count) == (70, 70)


@pytest.mark.parametrize(
    ("requirement", "place", "part", "field"),
    [
        ("B-PATTERN", "/request/body/snapshotId", OUTCOME, "snapshotId"),
        ("B-JSON", "/request/body", OUTCOME, ""),
        ("C-STATUS", "/response/status", OUTCOME, ""),
        ("C-MEDIA", "/response/headers/content-type", HEADER, "content-type"),
        ("S-ECHO", "/response/body/content/projectId", BODY, "projectId"),
        ("S-ECHO", "/response/body/results/*/projectId", BODY, "projectId"),
        ("L-PAGE", "/response/body/results", BODY, "results"),
        ("T-ONLY-URL", "/response/body/components/*/downloadUrl", BODY, "components"),
        ("E-CODE", "/response/body/errorCode", ERROR, "errorCode"),
    ],
)
def test_a_place_is_named_whatever_it_is_wrapped_in(requirement: str, place: str, part: str, field: str) -> None:
    found = place_of(requirement, "flex-get", place)
    assert (found.part, found.field) == (part, field)


def test_every_sentence_of_a_requirement_can_be_filled_in() -> None:
    said = [known.says for known in Contract.load().requirements.values() if known.says is not None]
    assert len(said) >= 20
    for words in said:
        assert words.format(field="`a`", expected="b", seen="c", operations="d")
    for known in Contract.load().requirements.values():
        assert known.id not in (*known.before, *known.outright)
        assert not any(known.id in Contract.load().requirements[other].before for other in known.before)


def test_extents_are_given_in_words() -> None:
    assert extent(69, 70, ["flex-get", "flex-list"]) == "69 of 70 exchanges of flex-get and flex-list"
    assert extent(3, 3, ["flex-get"]) == "3 exchanges of flex-get"
    assert named(["a", "b", "c"]) == "a, b and c"
    assert named(["a", "b", "c", "d"]) == "a, b and 2 more operations"


def test_a_date_that_drifts_past_another_one_leads_before_their_order(tmp_path: Path) -> None:
    drifts = at("S-FIXED", "flex-get", "/response/body/restoreScheduledDate", expected="as before: '2026'")
    order = at("S-TIME", "flex-get", "/response/body/restoreFinishedDate")
    found = [("flex-get", numbered("flex-get", n), (drifts, order)) for n in range(4)]
    assert told(report_of(tmp_path / "a", found)) == [("S-FIXED", {"S-TIME"})]
    wrong = at("S-TIME", "flex-get", "/response/body/restoreFinishedDate")
    differs = [
        at("S-FINISHED", name, f"/response/body{inside}/restoreFinishedDate", expected="as before: '2026'")
        for name, inside in (("flex-get", ""), ("flex-list", "/results/0"))
    ]
    found = [("flex-get", numbered("flex-get", n), (wrong, differs[0])) for n in range(4)]
    found += [("flex-list", numbered("flex-list", n), (differs[1],)) for n in range(4, 12)]
    assert told(report_of(tmp_path / "b", found)) == [("S-TIME", {"S-FINISHED"})]


def test_who_finds_a_job_anywhere_does_not_look_at_its_path(tmp_path: Path) -> None:
    found = [
        ("flex-get", numbered("flex-get", n), (at(requirement, "flex-get", pointer, seen="200"),))
        for n, (requirement, pointer) in enumerate(
            [
                ("L-SCOPE", "/response/status"),
                ("N-CLUSTER", "/request/path/name"),
                ("P-GROUP", "/request/path/groupId"),
            ]
        )
    ]
    assert told(report_of(tmp_path / "j", found)) == [("L-SCOPE", {"N-CLUSTER", "P-GROUP"})]


def test_an_id_that_repeats_leads_before_what_is_lost_by_it(tmp_path: Path) -> None:
    answer = json.dumps({"id": JOB}).encode()
    made = [("flex-create", numbered("flex-create", n, answer=b'{"id": "%024d"}' % n), ()) for n in range(4)]
    found = [
        *made,
        ("flex-create", numbered("flex-create", 5, answer=answer), (at("S-NEW", "flex-create", "/response/body/id"),)),
        *(
            (
                "flex-list",
                numbered("flex-list", n),
                (at("L-FOUND", "flex-list", "/response/body/results", seen=f"1 missing, such as {JOB}"),),
            )
            for n in range(6, 20)
        ),
    ]
    assert told(report_of(tmp_path / "j", found)) == [("S-NEW", {"L-FOUND"})]


def test_one_rule_broken_on_two_fields_is_one_defect_and_a_schema_two(tmp_path: Path) -> None:
    def told_of(requirement: str) -> int:
        found = [
            (
                "cluster-create",
                numbered("cluster-create", n),
                (at(requirement, "cluster-create", f"/response/body/{name}"),),
            )
            for n, name in enumerate(["oplogTs", "pointInTimeUTCSeconds"])
        ]
        return len(report_of(tmp_path / requirement, found).defects)

    assert (told_of("T-ONLY-POINT"), told_of("C-SCHEMA")) == (1, 2)


def test_what_shows_wherever_another_fault_does_is_no_case_of_it_if_it_has_a_cause_of_its_own(tmp_path: Path) -> None:
    name = "targetDeploymentItemName"
    everywhere = at("S-TIME", "flex-list", "/response/body/results/0/restoreFinishedDate")
    found = [("flex-list", numbered("flex-list", n), (everywhere,)) for n in range(40)]
    compared = at("S-SAME", "flex-list", f"/response/body/results/1/{name}")
    found += [("flex-list", numbered("flex-list", n), (everywhere, compared)) for n in range(40, 44)]
    alone = report_of(tmp_path / "a", found)
    assert told(alone) == [("S-TIME", {"S-SAME"})]
    shown = at("S-DELIVERY", "flex-create", f"/response/body/{name}")
    found += [("flex-create", numbered("flex-create", n), (shown,)) for n in range(50, 60)]
    apart = dict(told(report_of(tmp_path / "b", found)))
    assert apart == {"S-TIME": set(), "S-DELIVERY": {"S-SAME"}}


@pytest.mark.parametrize(("second", "defects"), [("text/html", 1), ("application/vnd.atlas.2023-01-01+json", 2)])
def test_a_header_of_two_operations_is_one_defect_where_it_is_wrong_alike(
    tmp_path: Path, second: str, defects: int
) -> None:
    where = "/response/headers/content-type"
    one = at("C-MEDIA", "flex-create", where, seen="text/html", expected="an error as application/json")
    other = at("C-MEDIA", "tenant-create", where, seen=second, expected="application/json")
    found = [
        ("flex-create", numbered("flex-create", 1), (one,)),
        ("tenant-create", numbered("flex-create", 2), (other,)),
    ]
    assert len(told(report_of(tmp_path / "j", found))) == defects


def test_a_challenge_that_is_missing_explains_why_a_digest_is_refused(tmp_path: Path) -> None:
    challenge = at("A-NONE", "flex-create", "/response/headers/www-authenticate", seen="null")
    refused = at("A-DIGEST", "flex-create", "/response/status", seen="401")
    found = [
        ("flex-create", numbered("flex-create", 1, status=401), (challenge,)),
        ("flex-create", numbered("flex-create", 2, status=401), (refused,)),
    ]
    assert told(report_of(tmp_path / "j", found)) == [("A-NONE", {"A-DIGEST"})]


def test_what_is_found_on_jobs_of_several_wrong_creates_belongs_to_that_which_made_most(tmp_path: Path) -> None:
    jobs = [f"{n:024x}" for n in range(1, 4)]
    found = [("flex-create", numbered("flex-create", n, answer=b'{"id": "%024d"}' % n), ()) for n in range(10, 20)]
    pages = json.dumps({"results": [{"id": job} for job in jobs]}).encode()
    makes = ["flex-create", "flex-create", "flex-download"]
    for n, (operation, job) in enumerate(zip(makes, jobs, strict=True), 20):
        wrong = at("B-PATTERN", operation, "/request/body/snapshotId", seen="200")
        found.append((operation, numbered("flex-create", n, answer=json.dumps({"id": job}).encode()), (wrong,)))
    for n, place in enumerate([0, 1, 2], 30):
        shown = at("SNAP-RESTORE", "flex-list", f"/response/body/results/{place}/snapshotFinishedDate")
        found.append(("flex-list", numbered("flex-list", n, answer=pages), (shown,)))
    assert told(report_of(tmp_path / "j", found)) == [("B-PATTERN", {"SNAP-RESTORE"})]


@pytest.mark.parametrize(("second", "defects"), [("a boolean", 1), ("a string", 2)])
def test_one_type_that_is_taken_for_another_is_one_defect_wherever_it_stands(
    tmp_path: Path, second: str, defects: int
) -> None:
    found = [
        (operation, numbered("flex-create", n), (at("B-TYPE", operation, where, seen="200", expected=expected),))
        for n, (operation, where, expected) in enumerate(
            [
                ("cluster-create", "/request/body/oplogInc", "refused: must be an integer, is a boolean"),
                ("snapshot-take", "/request/body/retentionInDays", f"refused: must be an integer, is {second}"),
            ]
        )
    ]
    assert len(told(report_of(tmp_path / "j", found))) == defects


def test_wrong_credentials_that_are_let_in_are_one_defect_whatever_test_sent_them(tmp_path: Path) -> None:
    made = sample.Sample(tmp_path / "j")
    for n, (operation, status) in enumerate([("flex-get", 200), ("snapshot-delete", 404)]):
        wrong = at("A-WRONG", operation, "/response/status", seen=str(status))
        made.add(
            wrong,
            operation=operation,
            sent=numbered("flex-get", n, status=status),
            test=f"suites/test_a.py::test_{n}[{operation}]",
        )
    assert len(told(made.end())) == 1


@pytest.mark.parametrize(
    ("requirement", "expected", "seen"),
    [
        ("E-CODE", "X-Error-Code equal to errorCode 'JOB_{}'", "'{}'"),
        ("V-FLOOR", "media type application/vnd.atlas.202{}-01-01+json", "'application/vnd.atlas.2022-0{}-01+json'"),
    ],
)
def test_a_header_with_values_of_its_operation_is_wrong_alike(
    tmp_path: Path, requirement: str, expected: str, seen: str
) -> None:
    found = []
    for n, operation in enumerate(["flex-get", "cluster-get"], 3):
        where = "/response/headers/x-error-code"
        wrong = at(requirement, operation, where, expected=expected.format(n), seen=seen.format(n))
        found.append((operation, numbered("flex-get", n, status=404), (wrong,)))
    assert len(told(report_of(tmp_path / "j", found))) == 1


def test_what_fails_only_where_another_requirement_does_and_seldom_is_a_case_of_it(tmp_path: Path) -> None:
    echo = at("S-ECHO", "flex-get", "/response/body/instanceName")
    schema = at("C-SCHEMA", "flex-get", "/response/body/instanceName", expected="must match ^[a-z]$")

    def leads(often: int) -> list[tuple[str, set[str]]]:
        found = [("flex-get", numbered("flex-get", n), (echo, *([schema] * (n < 4)))) for n in range(often)]
        return told(report_of(tmp_path / str(often), found))

    assert leads(4) == [("C-SCHEMA", {"S-ECHO"})]
    assert leads(12) == [("S-ECHO", {"C-SCHEMA"})]


def test_a_comparison_that_fails_far_more_often_leads_what_its_answers_show_by_themselves(tmp_path: Path) -> None:
    where = "/response/body/timestamp"
    late = at("T-TIME", "cluster-get", where, expected="no later than the answer itself")
    other = at("SNAP-RESTORE", "cluster-get", where, expected="when its snapshot was done")

    def leads(often: int) -> list[tuple[str, set[str]]]:
        found = [("cluster-get", numbered("cluster-get", n), (late,)) for n in range(3)]
        found += [("cluster-get", numbered("cluster-get", n), (other,)) for n in range(3, 3 + often)]
        return told(report_of(tmp_path / str(often), found))

    assert leads(6) == [("T-TIME", {"SNAP-RESTORE"})]
    assert leads(40) == [("SNAP-RESTORE", {"T-TIME"})]


def test_who_shows_what_never_was_shows_what_was_deleted_too(tmp_path: Path) -> None:
    absent = at("N-SNAPSHOT", "snapshot-get", "/request/path/snapshotId", seen="200")
    deleted = at("SNAP-FOUND", "snapshot-get", "/response/status", seen="200")
    found = [("snapshot-get", numbered("flex-get", n), (one,)) for n, one in enumerate((deleted, absent, absent))]
    assert told(report_of(tmp_path / "j", found)) == [("N-SNAPSHOT", {"SNAP-FOUND"})]


def test_what_changes_later_on_a_job_that_did_not_begin_as_a_fresh_one_belongs_to_its_create(tmp_path: Path) -> None:
    found = [("flex-create", numbered("flex-create", n, answer=b'{"id": "%024d"}' % n), ()) for n in range(5)]
    made = numbered("flex-create", 5, answer=json.dumps({"id": JOB}).encode())
    found.append(("flex-create", made, (at("S-NEW", "flex-create", "/response/body/status", seen="COMPLETED"),)))
    page = json.dumps({"results": [{"id": JOB}]}).encode()
    later = at("L-STABLE", "flex-list", "/response/body/results/0/restoreFinishedDate", expected="nothing changes")
    found += [("flex-list", numbered("flex-list", n, answer=page), (later,)) for n in range(6, 9)]
    assert told(report_of(tmp_path / "j", found)) == [("S-NEW", {"L-STABLE"})]


def test_what_the_create_itself_shows_does_not_come_of_how_its_job_began(tmp_path: Path) -> None:
    found = [("snapshot-take", numbered("snapshot-take", n, answer=b'{"id": "%024d"}' % n), ()) for n in range(5)]
    for n in range(5, 8):
        made = numbered("snapshot-take", n, answer=b'{"id": "%024d", "status": "done"}' % n)
        wrong = [at(one, "snapshot-take", "/response/body/status", seen="done") for one in ("SNAP-NEW", "SNAP-STATUS")]
        found.append(("snapshot-take", made, tuple(wrong)))
    assert told(report_of(tmp_path / "j", found)) == [("SNAP-STATUS", {"SNAP-NEW"})]
