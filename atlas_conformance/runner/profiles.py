"""Profiles: how much a run sends."""

from __future__ import annotations

from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True)
class Profile:
    """How much a run sends.

    `per_property` limits the departing values of each property of a body (a third of them in bodies of another kind
    that have it too), `per_parameter` those of a path parameter, `odd_inputs` the inputs that are only meant to hurt,
    and `odd_credentials` the Authorization headers that are no credentials (None: all). `examples` is how many
    Hypothesis examples each property-based test draws, of up to `batch` requests each; `machine_runs` and
    `machine_steps` bound the stateful machine; `fuzz_examples` is what Schemathesis draws for each operation (0: it
    stays out). `patience` is how many seconds a restore is waited for on loopback and on a remote endpoint. Of the
    cases that a test builds for an operation one in `share` is sent, another one for each operation. `second_tries` is
    how many creates that a busy target may have refused are retried once it is idle, for each operation.
    """

    name: str
    per_property: int | None
    per_parameter: int | None
    odd_inputs: int | None
    examples: int
    batch: int
    machine_runs: int
    machine_steps: int
    fuzz_examples: int
    patience: tuple[float, float]
    second_tries: int | None
    share: int = 1
    odd_credentials: int | None = None

    def where_nothing_is_restored(self) -> Profile:
        """The profile for somebody's endpoint that is not there to be tried out: a quick run is light on it."""
        return replace(self, share=6, examples=1) if self.name == "quick" else self


QUICK = Profile("quick", 18, 8, 8, 2, 10, 1, 12, 0, (5.0, 30.0), 6, odd_credentials=3)
STANDARD = Profile("standard", 27, 12, None, 8, 15, 3, 25, 2, (10.0, 120.0), 10)
THOROUGH = Profile("thorough", None, None, None, 150, 20, 30, 40, 120, (60.0, 1800.0), None)

PROFILES = {profile.name: profile for profile in (QUICK, STANDARD, THOROUGH)}
"""The profiles by name, from the quickest to the most thorough."""
