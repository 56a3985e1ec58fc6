"""The limits of a run under load, and its figures as data."""

from __future__ import annotations

from typing import Any

from atlas_conformance.contracts.contract import Contract
from atlas_conformance.load.histogram import Histogram
from atlas_conformance.load.load import PACED, Load, operations_of
from atlas_conformance.load.plan import Limits
from atlas_conformance.reports.model import Report
from atlas_conformance.reports.wording import number


def broken_limits(load: Load, limits: Limits) -> tuple[str, ...]:
    """Return a sentence for each limit that the run broke."""
    broken = []
    p95 = 1000 * load.answered().quantile(0.95)
    if limits.p95 is not None and p95 > limits.p95:
        broken.append(f"95 of 100 answers took up to {p95:.0f} ms, the limit is {limits.p95:g} ms")
    if limits.error_rate is not None and load.error_rate > limits.error_rate:
        share = f"{load.error_rate:.2f} per cent of the requests"
        broken.append(
            f"{number(load.errors)} requests had no answer or a 5xx: {share}, the limit is {limits.error_rate:g}"
        )
    return tuple(broken)


def load_document(report: Report, load: Load, limits: Limits, exit_code: int) -> dict[str, Any]:
    """Return the figures of a run as JSON: totals, operations, series over time, findings by their time."""
    operations = operations_of(load, Contract.load().operations)
    return {
        "load": 1,
        "verdict": report.verdict,
        "exit_code": exit_code,
        "partial": load.partial or report.partial,
        "plan": report.header.target.get("load"),
        "seed": report.header.seed,
        "requests": load.requests,
        "seconds": round(load.seconds, 3),
        "per_second": round(load.requests / load.seconds, 2) if load.seconds else 0.0,
        "error_rate": round(load.error_rate, 4),
        "paced": load.paced,
        "no_answer": dict(load.causes),
        "statuses": {str(status): count for status, count in sorted(load.statuses().items())},
        "latency_ms": quantiles(load.answered()),
        "limits": {"p95": limits.p95, "error_rate": limits.error_rate, "broken": broken_limits(load, limits)},
        "jobs": [
            {"family": family, "state": state, "count": count} for (family, state), count in sorted(load.jobs.items())
        ],
        "jobs_followed_to_the_end": load.whole_jobs,
        "parts": [{"name": part.name, "requests": part.requests, "partial": part.partial} for part in load.parts],
        "operations": {
            name or "none": {
                "latency_ms": quantiles(load.answered(name)),
                "statuses": {
                    str(status): sum(histogram.total for histogram in row.values())
                    for (operation, status), row in sorted(load.cells.items())
                    if operation == name
                },
            }
            for name in operations
        },
        "interval_seconds": load.width,
        "series": [
            {
                "operation": operation or None,
                "status": status,
                "from": [place * load.width for place in sorted(row)],
                "requests": [row[place].total for place in sorted(row)],
                "p50_ms": [_ms(row[place].quantile(0.5)) for place in sorted(row)],
                "p95_ms": [_ms(row[place].quantile(0.95)) for place in sorted(row)],
                "p99_ms": [_ms(row[place].quantile(0.99)) for place in sorted(row)],
                "paced": status in PACED,
            }
            for (operation, status), row in sorted(load.cells.items())
        ],
        "findings": [
            {
                "requirement": key[0],
                "operation": key[1],
                "place": key[2],
                "count": sum(counts.values()),
                "at": [{"from": place * load.width, "count": counts[place]} for place in sorted(counts)],
            }
            for key, counts in sorted(load.findings.items())
        ],
    }


def quantiles(histogram: Histogram) -> dict[str, float | int]:
    """Return the figures of a distribution of latencies, in milliseconds."""
    shares = {"p50": 0.5, "p90": 0.9, "p95": 0.95, "p99": 0.99}
    figures: dict[str, float | int] = {name: _ms(histogram.quantile(share)) for name, share in shares.items()}
    return {"count": histogram.total, **figures, "most": _ms(histogram.most)}


def _ms(seconds: float) -> float:
    return round(1000 * seconds, 3)
