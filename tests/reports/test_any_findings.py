"""Whatever was found, however findings lead one to another: every format shows it, each finding in one place."""

from __future__ import annotations

import tempfile
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from atlas_conformance.contracts.contract import Contract
from atlas_conformance.reports.grouping import heads
from atlas_conformance.reports.writing import RENDERERS, write_reports
from tests.reports import sample_journal as sample

REQUIREMENTS = Contract.load().requirements

OPERATIONS = ("flex-create", "cluster-create", "flex-get")
places = st.sampled_from(["/response/status", "/response/body/a", "/response/body/b", "/request/body/\ud800<"])
findings = st.builds(
    lambda id, operation, pointer: sample.finding(id, operation, pointer=pointer, seen="\x1b]]>&\udfff"),
    st.sampled_from(sorted(REQUIREMENTS)[:14]),
    st.sampled_from(OPERATIONS),
    places,
)
exchanges = st.lists(st.tuples(st.booleans(), st.lists(findings, min_size=1, max_size=4)), min_size=1, max_size=10)


@pytest.mark.unmeasured
@given(exchanges)
@settings(max_examples=150, deadline=None)
def test_every_finding_is_reachable_exactly_once_in_every_format(found: list[tuple[bool, list[object]]]) -> None:
    with tempfile.TemporaryDirectory() as scratch:
        run = sample.Sample(Path(scratch) / "j")
        for n, (passing, listed) in enumerate(found):
            number = run.writer.exchange(sample.exchange(n=n), operation="flex-create", test="t", passing=passing)
            run.writer.finding(number, *listed)  # type: ignore[arg-type]
        report = run.end()
        keys = {group.key for group in report.groups}
        shown = Counter(key for head in report.headlines for key in (head.key, *(also.key for also in head.also)))
        assert shown == Counter(keys)
        told = [(group.advice, group.key) for defect in report.defects for group in defect.groups]
        assert Counter(told) == Counter((group.advice, group.key) for group in (*report.groups, *report.advice))
        assert all(defect.sentence and defect.operations for defect in report.defects)
        assert [defect.advice for defect in report.defects] == sorted(defect.advice for defect in report.defects)
        leads = {group.lead for group in report.groups if group.lead is not None}
        assert leads <= {head.key for head in report.headlines}
        assert all(RENDERERS[form](report, lambda request: "curl", None) for form in RENDERERS)
        written = write_reports(Path(scratch) / "out", report, run.writer.path)
        assert written.failures == ()
        page = (Path(scratch) / "out" / "report.html").read_text("utf-8")
        assert page.count('class="card"') == len(report.defects)


keys = st.tuples(st.sampled_from("ABCDEF"), st.just("o"), st.just("p"))


@given(st.dictionaries(keys, st.one_of(st.none(), keys)))
def test_every_chain_of_leads_ends_at_one_that_stands_for_itself(
    leads: dict[tuple[str, str, str], tuple[str, str, str] | None],
) -> None:
    ends = heads(leads)
    assert ends.keys() == leads.keys()
    for key, end in ends.items():
        if end is not None:
            assert end != key
            assert ends[end] is None
    # Who leads nobody astray keeps what it said: a lead that stands for itself stays the lead.
    for key, lead in leads.items():
        if lead is not None and lead in leads and lead != key and leads[lead] is None:
            assert ends[key] == lead
