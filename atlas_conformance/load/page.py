"""The page of a run under load: one self-contained file, in the form and with the policy of the report."""

from __future__ import annotations

from typing import Any

from markupsafe import Markup

from atlas_conformance.contracts.contract import Contract
from atlas_conformance.load.load import Load, operations_of
from atlas_conformance.load.plan import Limits
from atlas_conformance.load.plots import axis, finding_rows, latency, marks_of, throughput
from atlas_conformance.load.verdict import broken_limits, quantiles
from atlas_conformance.reports.html import asset, policy, template
from atlas_conformance.reports.model import Report
from atlas_conformance.reports.pictures import milliseconds
from atlas_conformance.reports.wording import number, one_line, plural, verdict_sentence


def load_page(report: Report, load: Load, limits: Limits) -> str:
    """Return the page as text, to be stored in UTF-8."""
    style = asset("report.css") + asset("load.css")
    return template("load.html.j2").render(
        style=Markup(style),
        policy=policy(style, ""),
        report=report,
        header=report.header,
        sentence=verdict_sentence(report),
        load_sentence=load_sentence(load),
        broken=broken_limits(load, limits),
        partial=load.partial or report.partial,
        overall=(throughput(load), latency(load), marks_of(load)),
        findings=finding_rows(load),
        axis=axis(load),
        operations=[_operation(load, name) for name in operations_of(load, Contract.load().operations)],
        rows=table_rows(load),
        parts=[(one_line(part.name), number(part.requests), part.partial or "") for part in load.parts],
        jobs=[(family, state, number(count)) for (family, state), count in sorted(load.jobs.items())],
        whole_jobs=number(load.whole_jobs),
        causes=[(cause, number(count)) for cause, count in load.causes.most_common()],
    )


def load_sentence(load: Load) -> str:
    """Return what was sent and how it was answered, in a sentence."""
    rate = load.requests / load.seconds if load.seconds else 0.0
    whole = load.answered()
    return (
        f"{plural(load.requests, 'request')} in {load.seconds:.0f} s, {rate:.0f} a second; half were answered within "
        f"{milliseconds(whole.quantile(0.5))}, 95 of 100 within {milliseconds(whole.quantile(0.95))}, 99 within "
        f"{milliseconds(whole.quantile(0.99))}; {load.error_rate:.2f} per cent had no answer or a 5xx, "
        f"{number(load.paced)} were asked to come back later."
    )


def table_rows(load: Load) -> list[dict[str, Any]]:
    """Return the figures of each operation as text."""
    rows = []
    for name in operations_of(load, Contract.load().operations):
        figures = quantiles(load.answered(name))
        statuses = {
            status: sum(histogram.total for histogram in row.values())
            for (operation, status), row in sorted(load.cells.items())
            if operation == name
        }
        total = sum(statuses.values())
        rows.append(
            {
                "operation": name or "none of the contract",
                "requests": number(total),
                "rate": f"{total / load.seconds if load.seconds else 0:.1f}",
                "times": [milliseconds(figures[part] / 1000) for part in ("p50", "p95", "p99", "most")],
                "statuses": ", ".join(f"{status or 'no answer'} {number(count)}" for status, count in statuses.items()),
            }
        )
    return rows


def _operation(load: Load, name: str) -> dict[str, Any]:
    return {
        "name": name or "none of the contract",
        "plots": [plot for plot in (throughput(load, name), latency(load, name)) if plot is not None],
        "marks": marks_of(load, name),
    }
