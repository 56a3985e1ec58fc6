"""A plan as text for a person: what may be destroyed first, then how much is sent, then what is exercised."""

from __future__ import annotations

import shlex
import textwrap

from rich.console import Console
from rich.text import Text

from atlas_conformance.contracts.contract import Contract
from atlas_conformance.reports.wording import FAMILIES, PROGRAM, duration, one_line, plural
from atlas_conformance.runner.rehearsal.plan import Plan

_MEANS = {
    "read": "nothing but reads is sent",
    "refusals": "creates are sent too, but only ones that touch nothing even where an endpoint wrongly takes them",
    "restore": "restores are sent, which delete the data of their target",
}
_IDENTITIES = {"owner": "", "reader": "of a lesser role", "off-list": "off the access list"}
_MOST_REASONS = 8
_MOST_PLACES = 20


def print_plan(plan: Plan, console: Console) -> None:
    """Print the plan; the sentence that sums it up comes last."""
    _heading(console, "The endpoint")
    _endpoint(plan, console)
    _heading(console, "What may be destroyed")
    _harm(plan, console)
    _heading(console, "What would be sent")
    _sending(plan, console)
    _heading(console, "What would be exercised")
    _exercised(plan, console)
    _heading(console, "What would not, and why")
    _not_exercised(plan, console)
    console.print()
    _line(console, _command(plan), "dim", indent=0)
    _line(console, _sentence(plan), "bold red" if plan.harm.restores else "bold green", indent=0)


def _endpoint(plan: Plan, console: Console) -> None:
    where = f"remote, as {plan.remote_because}" if plan.remote_because else "this machine"
    _line(console, f"{plan.base_url} ({where})")
    _line(console, f"Mode {plan.mode}: {_MEANS[plan.mode]}.")
    if plan.mode_wanted is not None and plan.mode_wanted != plan.mode:
        _line(console, f"The target file asks for {plan.mode_wanted}, which counts here only with --mode restore.")
    if not plan.credentials:
        _line(console, "No credentials are there.", "yellow")
    for identity, names in plan.credentials.items():
        of = f" {_IDENTITIES[identity]}" if _IDENTITIES.get(identity) else ""
        _line(console, f"Credentials{of} from {', '.join(names)}")
    asked = f"{plural(plan.asked, 'GET')} found this out" if plan.asked else "Nothing was sent to it"
    _line(console, f"{asked}; everything below was rehearsed with the reference endpoint.", "dim")


def _harm(plan: Plan, console: Console) -> None:
    harm = plan.harm
    if plan.mode != "restore":
        _line(console, f"Nothing: the mode is {plan.mode}.", "green")
        return
    budget = "any number of jobs" if harm.budget is None else f"at most {plural(harm.budget, 'job')}"
    made = ", ".join(f"{name} {count:,}" for name, count in harm.jobs.items()) or "none"
    _line(console, f"Jobs: about {harm.created:,} would be created ({made}); the budget allows {budget}.")
    most = "any number" if harm.most_snapshots is None else f"at most {harm.most_snapshots}"
    told = f"about {harm.snapshots:,} would be taken and {harm.deleted:,} of these deleted; {most} may be taken"
    _line(console, f"Snapshots: {told}. Nothing deletes a snapshot that the run did not take.")
    times = {(restore.project, restore.cluster): restore.times for restore in harm.restores}
    places = sorted({*harm.allowed, *times}, key=lambda place: (place not in times, place))
    if harm.budget == 0:
        _line(console, "No data: without a job there is no restore.", "green")
    elif not harm.guarded:
        _line(console, "On this machine nothing is kept back: a restore reaches what the suites name.", "bold red")
    elif not places:
        _line(console, "No data: the target file lists no cluster as destroyable, so no restore is sent.", "green")
    else:
        _line(console, "The data of these is deleted by a restore. Nothing else can be reached:", "bold red")
    for project, cluster in places[:_MOST_PLACES]:
        count = times.get((project, cluster), 0)
        said = f"restored to {plural(count, 'time')}" if count else "not restored to with this profile and seed"
        _line(console, f"{project}  {cluster}  ({said})", "red" if count else None, indent=4)
    if len(places) > _MOST_PLACES:
        _line(console, f"and {len(places) - _MOST_PLACES:,} more, all of them in --json FILE", indent=4)


def _sending(plan: Plan, console: Console) -> None:
    sending = plan.sending
    methods = ", ".join(f"{method} {count:,}" for method, count in sending.by_method.items())
    _line(console, f"About {plural(sending.requests, 'request')}: {methods}")
    pace = f"at most {sending.rate * 60:,.0f} a minute, " if sending.rate else ""
    _line(console, f"About {duration(sending.seconds)} ({pace}{sending.latency * 1000:,.0f} ms an answer)")
    if sending.waiting:
        more = f"up to {duration(sending.waiting)} more where restores take long"
        _line(console, f"and {more}, or longer where busy targets are refused.")
    if sending.limit is not None and sending.limit < sending.seconds + sending.waiting:
        _line(console, f"The time limit ends the run after {duration(sending.limit)} in any case.", "yellow")
    if sending.withheld:
        kept = sum(sending.withheld.values())
        _line(console, f"The guard would keep back {plural(kept, 'request')} of the suites, first of all because:")
        for reason, count in list(sending.withheld.items())[:_MOST_REASONS]:
            _line(console, f"{count:>6,}  {one_line(reason)}", indent=4)


def _exercised(plan: Plan, console: Console) -> None:
    offered = [name for name in Contract.load().operations if plan.operations.get(name) is True]
    _line(console, f"Operations: {', '.join(f'{n} ({plan.sending.by_operation.get(n, 0):,})' for n in offered)}")
    for letter, heading in FAMILIES.items():
        shown = [each for each in plan.exercised if each.requirement.startswith(f"{letter}-")]
        if shown:
            ids = ", ".join(f"{each.requirement} ({sum(each.exchanges.values()):,})" for each in shown)
            _line(console, f"{heading}: {ids}")


def _not_exercised(plan: Plan, console: Console) -> None:
    for name, there in plan.operations.items():
        if there is not True:
            _line(console, f"{name}: {one_line(str(there))}", "dim")
    nowhere = {each.requirement for each in plan.requirements if not each.exchanges}
    lines = 0
    for reason, cells in plan.reasons().items():
        if reason.startswith("not offered: "):
            continue
        whole = [name for name in cells if name in nowhere]
        partly = [f"{name} on {', '.join(places)}" for name, places in cells.items() if name not in nowhere]
        _line(console, f"{one_line(reason)}:", "yellow" if whole else "dim")
        if whole:
            _line(console, f"nowhere: {', '.join(whole)}", indent=4)
        if partly:
            _line(console, "; ".join(partly), "dim", indent=4)
        lines += 1
    if not lines:
        _line(console, "Everything that the endpoint offers would be exercised.", "green")


def _command(plan: Plan) -> str:
    words = [PROGRAM, "run", "--target", plan.target, "--profile", plan.profile, "--seed", str(plan.seed)]
    if plan.mode == "restore" and plan.remote_because:
        words += ["--mode", "restore"]
    return f"This is what would come of: {shlex.join(words)}"


def _sentence(plan: Plan) -> str:
    harm = plan.harm
    core = [each for each in plan.requirements if each.level == "core"]
    covered = sum(bool(each.exchanges) for each in core)
    said = f"{covered} of {plural(len(core), 'core requirement')} would be exercised"
    said += f" with about {plural(plan.sending.requests, 'request')}"
    if harm.restores:
        said += f", and the data of {plural(len(harm.restores), 'cluster')} would be deleted"
    elif harm.allowed or not harm.guarded:
        said += ", and no data would be deleted"
    else:
        said += ", and no data can be deleted"
    return f"{said}."


def _heading(console: Console, text: str) -> None:
    console.print(Text(f"\n{text}", "bold"))


def _line(console: Console, text: str, style: str | None = None, indent: int = 2) -> None:
    blank = " " * indent
    lines = textwrap.wrap(
        one_line(text, 4_000),
        console.width,
        initial_indent=blank,
        subsequent_indent=blank,
        break_long_words=False,
        break_on_hyphens=False,
    )
    console.print(Text("\n".join(lines), style or ""), soft_wrap=True)
