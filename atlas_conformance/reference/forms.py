"""The forms in which rules and failing restores are written, in scenario files and in the control API."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from pydantic import BaseModel, ConfigDict, Field, model_validator

from atlas_conformance.reference.directions import PLACES, STATUSES, Rule
from atlas_conformance.reference.outcomes import Failing

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

Count = Annotated[int, Field(ge=0)]
Seconds = Annotated[float, Field(ge=0, le=3_153_600_000)]


class Form(BaseModel):
    """A form of which every key is known."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class FailingForm(Form):
    """Restores that fail; see `outcomes.Failing`."""

    project: str | None = Field(None, description="id of the project of the cluster that is restored from")
    cluster: str | None = Field(None, description="name of that cluster")
    snapshot: str | None = Field(None, description="id of the snapshot that is restored")
    after: Count = Field(0, description="how many of these restores go well first")
    times: Annotated[int, Field(ge=1)] | None = Field(None, description="how many fail then; left out, all of them")

    def failing(self) -> Failing:
        """Return what the form says."""
        return Failing(self.project, self.cluster, self.snapshot, self.after, self.times)


class RuleForm(Form):
    """What happens to some requests; see `directions.Rule`."""

    operations: list[str] = Field(
        [], description="ids of operations, such as flex-create, or token, or lookups; left out, every operation"
    )
    after: Count = Field(0, description="how many of these requests are served as usual first")
    times: Annotated[int, Field(ge=1)] | None = Field(None, description="how many it holds for then; left out, all")
    status: Annotated[int, Field(ge=400, le=599)] | None = Field(None, description="answer with this error")
    error_code: Annotated[str, Field(pattern="^[A-Z][A-Z0-9_]*$")] | None = Field(
        None, description="errorCode of the error"
    )
    retry_after: Count | None = Field(None, description="seconds in the Retry-After header of the error")
    delay: Seconds = Field(0, description="seconds to wait before the answer")
    drop: bool = Field(False, description="cut the connection instead of an answer")
    fault: str | None = Field(None, description="id of a fault of the catalogue to serve these requests with")
    freedoms: dict[str, str] = Field({}, description="choices of freedoms to serve these requests with")

    @model_validator(mode="after")
    def _does_something(self) -> RuleForm:
        unknown = [name for name in self.operations if name not in PLACES]
        if unknown:
            raise ValueError(f"there is no operation {unknown[0]!r}; there are {', '.join(PLACES)}")
        ways = (self.status is not None, self.drop, self.fault is not None or bool(self.freedoms))
        if sum(ways) > 1:
            raise ValueError("a rule answers with a status, or cuts the connection, or has a fault or freedoms: one")
        if not any(ways) and not self.delay:
            raise ValueError("the rule does nothing; give it status, drop, fault, freedoms or delay")
        if self.status is None and (self.error_code is not None or self.retry_after is not None):
            raise ValueError("error_code and retry_after belong to a status")
        if self.status is not None and self.status not in STATUSES:
            raise ValueError(f"there is no HTTP status {self.status}")
        _known(self.fault, self.freedoms)
        return self

    def rule(self) -> Rule:
        """Return what the form says."""
        return Rule(
            operations=tuple(self.operations),
            after=self.after,
            times=self.times,
            status=self.status,
            error_code=self.error_code or "",
            retry_after=self.retry_after,
            delay=self.delay,
            drop=self.drop,
            fault=self.fault,
            freedoms=self.freedoms,
        )


def _known(fault: str | None, freedoms: dict[str, str]) -> None:
    from atlas_conformance.reference.freedoms import resolve

    resolve(freedoms)
    if fault is not None:
        from atlas_conformance.reference.faults import find

        find(fault)


def sentence(error: ErrorDetails) -> str:
    """Return what is wrong, in one sentence without the place."""
    name = str(error["loc"][-1]) if error["loc"] else ""
    match error["type"]:
        case "extra_forbidden":
            return f"{name} is not a known key"
        case "missing":
            return f"{name} is missing"
        case "too_short":
            least = error["ctx"]["min_length"]
            return f"{name} must have at least {least} {'item' if least == 1 else 'items'}"
        case "value_error":
            return str(error["ctx"]["error"])
    text = error["msg"].replace("Input should be", "must be")
    value = error.get("input")
    secret = "credentials" in error["loc"]
    shown = f", not {value!r}" if isinstance(value, str | int | float | bool) and not secret else ""
    return f"{name} {text[0].lower()}{text[1:]}{shown}"
