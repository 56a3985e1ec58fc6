"""L-FOUND, L-SCOPE, L-STABLE, S-NEW, T-NEW, T-CANCEL: what was created is found again, in its place, and once."""

from __future__ import annotations

from atlas_conformance.contracts.following import BirthView, CancelView, GetView, ListView, MeetingView
from atlas_conformance.contracts.outcomes import HELD, Failure, Outcome, holds
from atlas_conformance.contracts.rulebook import common_rule, rule
from atlas_conformance.contracts.views import ANYWHERE, STATUS


@rule("L-SCOPE", on=GetView)
def a_job_is_not_shown_elsewhere(view: GetView) -> Outcome | None:
    """Through another cluster or project, a job is answered with 404, 400, 401 or 403."""
    if not view.elsewhere:
        return None
    # A malformed path is refused for itself (P-GROUP, P-NAME), and a status that nobody documents is wrong for itself
    # (C-STATUS). Pacing, credentials that nobody vouches for and an unsettled Accept say nothing of the job.
    malformed = any(violation.requirement.startswith("P-") for violation in view.reading.violations)
    documented = view.status in view.reading.operation.statuses or view.status in ANYWHERE
    if not malformed and (view.status < 400 or (documented and view.status not in (401, 406, 429))):
        expected = "404, 400, 401 or 403 through another cluster or project"
        return holds(view.status in (400, 403, 404), expected, view.status, STATUS)
    return None


@rule("V-FLOOR", on=GetView)
def a_created_job_is_shown_to_a_later_version(view: GetView) -> Outcome | None:
    """A created job is shown to who asks for a later version."""
    if view.refused_version:
        expected = f"media type {view.reading.operation.media_type} for a later version"
        return Failure(expected, str(view.status), STATUS)
    return None


@rule("L-FOUND", on=GetView)
def a_created_job_is_found_by_its_id(view: GetView) -> Outcome | None:
    """A created job is found by its id."""
    if view.lost:
        return holds(False, "the created job found by its id", view.status, STATUS)
    if view.must_be_found and view.status == view.reading.operation.success:
        return HELD
    return None


@rule("L-STABLE", on=GetView)
def a_job_that_was_read_is_still_there(view: GetView) -> Outcome | None:
    """A job that was read before is still there."""
    if view.lost and view.history.read_ended < view.exchange.started:
        return Failure("a job that was read before still there", str(view.status), STATUS)
    return None


@rule("L-SCOPE", on=MeetingView)
def a_job_stands_in_its_place(view: MeetingView) -> Outcome | None:
    """A job is shown through its own cluster and project alone."""
    if view.own_place != view.place:
        seen = f"the job of {view.own_place[1]}"
        return holds(False, "a job only through its own cluster and project", seen, view.pointer)
    return None


def _other_id(view: MeetingView) -> Outcome | None:
    shown = view.document.get("id")
    if view.own_place == view.place and shown != view.job:
        return holds(False, f"the id {view.job!r} that was asked for", shown, f"{view.pointer}/id")
    return None


@common_rule("same", on=MeetingView)
def a_created_job_keeps_its_id(view: MeetingView) -> Outcome | None:
    """A read shows the id that the create showed (S-SAME, T-FLAGS)."""
    if view.created:
        return _other_id(view)
    return None


@common_rule("fixed", on=MeetingView)
def a_job_shows_the_id_that_was_asked_for(view: MeetingView) -> Outcome | None:
    """A read shows the id that was asked for (S-FIXED, T-FLAGS)."""
    if not view.created:
        return _other_id(view)
    return None


@common_rule("new", on=BirthView)
def a_new_job_has_a_new_id(view: BirthView) -> Outcome | None:
    """A fresh job has an id that no earlier job has (S-NEW, T-NEW)."""
    return holds(not view.repeated, "an id that no earlier job has", view.job, view.pointer)


@rule("L-SCOPE", on=ListView)
def a_list_shows_no_jobs_of_elsewhere(view: ListView) -> Outcome | None:
    """A list holds no job of another cluster or project; each one that it shows is judged by itself."""
    if view.elsewhere:
        return HELD
    return None


@rule("L-FOUND", on=ListView)
def a_whole_list_holds_every_created_job(view: ListView) -> Outcome | None:
    """Every created job stands in a list that one page holds whole."""
    if view.owed:
        seen = f"{len(view.lost)} missing, such as {view.lost[0]}" if view.lost else "none missing"
        return holds(not view.lost, "every created job in the list", seen, f"{view.pointer}/results")
    return None


@rule("L-SCOPE", on=CancelView)
def a_job_is_not_cancelled_from_elsewhere(view: CancelView) -> Outcome | None:
    """A cancel through another cluster or project is refused."""
    if view.elsewhere:
        return holds(view.status >= 400, "a refusal through another cluster or project", view.status, STATUS)
    return None


_TOO_LATE = frozenset({204, 400, 404, 405, 409})


@rule("T-CANCEL", on=CancelView)
def what_has_ended_is_not_cancelled(view: CancelView) -> Outcome | None:
    """A cancel of a job that has ended is answered with 204, or refused with 400, 404, 405 or 409."""
    if view.too_late and not view.is_settled_otherwise:
        expected = "204, 400, 404, 405 or 409 to a cancel of a job that has ended"
        return holds(view.status in _TOO_LATE, expected, view.status, STATUS)
    return None
