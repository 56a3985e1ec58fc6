"""Several jobs at once: creates, reads, lists and refusals interleaved by a stateful machine."""

from __future__ import annotations

from hypothesis import seed
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test

from atlas_conformance.contracts.history import JobHistory
from atlas_conformance.runner.endpoint import Endpoint
from atlas_conformance.runner.expectations import expect_accepted, expect_conforming, expect_in_form
from atlas_conformance.runner.exploring import exploring_settings, run_exploring, send_drawn
from atlas_conformance.runner.jobs import created_jobs, place, read_list, read_of
from atlas_conformance.runner.marks import JOB_CREATES, covers, takes_long
from atlas_conformance.strategies.bodies import base_bodies
from atlas_conformance.strategies.requests import build
from atlas_conformance.strategies.scenes import request_in

_HISTORY = ("S-FLOW", "S-FIXED", "T-FLAGS", "L-FOUND")


@covers(*_HISTORY, "S-NEW", "T-NEW", "L-SCOPE", "L-PAGE")
@takes_long
def test_jobs_do_not_disturb_each_other(endpoint: Endpoint) -> None:
    """Whatever order jobs are made, read, listed and cancelled in, each one's history holds."""
    creates = [o for o in JOB_CREATES if endpoint.offers(o.id)]
    scenes = [(o, scene) for o in creates for scene in endpoint.scenes(o.cluster_kind)[:2] if scene.real]
    if not scenes:
        return
    # Whether a job was seen before, perhaps in a list among others, depends on who else makes jobs.
    endpoint.leave_out("S-FIXED")

    class Jobs(RuleBasedStateMachine):
        """Creates and reads jobs; what the answers must be is the chronicle's business."""

        @initialize()
        def begin(self) -> None:
            self.jobs: list[JobHistory] = []

        @rule(which=st.integers(0, len(scenes) - 1), form=st.integers(0, 3))
        def create(self, which: int, form: int) -> None:
            operation, scene = scenes[which]
            bodies = base_bodies(operation, scene)
            document = bodies[form % len(bodies)].document
            request = request_in(operation, scene, document=document)
            answers = send_drawn(endpoint, [request])
            expect_accepted(endpoint, answers, showing=("S-NEW", "T-NEW"))
            self.jobs += created_jobs(endpoint, answers)

        @rule(which=st.integers(0, 15), times=st.integers(1, 3))
        def read(self, which: int, times: int) -> None:
            if self.jobs:
                job = self.jobs[which % len(self.jobs)]
                operation = read_of(job)
                if endpoint.offers(operation.id):
                    answers = send_drawn(endpoint, [build(operation, place(operation, job))] * times)
                    expect_conforming(endpoint, answers, to=_HISTORY)

        @rule(which=st.integers(0, 15), other=st.integers(0, 15))
        def read_through_another(self, which: int, other: int) -> None:
            if self.jobs:
                job, elsewhere = self.jobs[which % len(self.jobs)], self.jobs[other % len(self.jobs)]
                operation = read_of(job)
                if endpoint.offers(operation.id) and job.resource is elsewhere.resource:
                    parameters = place(operation, elsewhere)
                    parameters[operation.path_parameters[-1]] = job.job
                    answers = send_drawn(endpoint, [build(operation, parameters)])
                    expect_conforming(endpoint, answers, to=(*_HISTORY, "L-SCOPE"))

        @rule(which=st.integers(0, len(scenes) - 1), size=st.sampled_from(("1", "2", "5", "500")))
        def read_a_list(self, which: int, size: str) -> None:
            operation, scene = scenes[which]
            with endpoint.in_passing():  # what a short page shows depends on who else makes jobs
                read_list(endpoint, operation.resource, scene, itemsPerPage=size)

        @rule(which=st.integers(0, 15))
        def cancel(self, which: int) -> None:
            mine = [job for job in self.jobs if job.create_operation == "cluster-create"]
            operation = endpoint.contract.operations["cluster-cancel"]
            if mine and endpoint.offers(operation.id):
                with endpoint.in_passing():  # whether the job has finished by now depends on time
                    answers = send_drawn(endpoint, [build(operation, place(operation, mine[which % len(mine)]))])
                    expect_in_form(endpoint, answers)

    seed(endpoint.random(endpoint.context.name).getrandbits(64))(Jobs)
    profile = endpoint.profile
    settings = exploring_settings(endpoint, profile.machine_runs, profile.machine_steps)
    run_exploring(endpoint, lambda: run_state_machine_as_test(Jobs, settings=settings))
