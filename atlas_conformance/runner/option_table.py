"""The options of a run, each declared once: for the command line, for pytest, and for the files of CI."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias, get_args

from atlas_conformance.contracts.operation import Level
from atlas_conformance.gates.gate import GATES
from atlas_conformance.http.target import Mode
from atlas_conformance.runner.profiles import PROFILES

Kind: TypeAlias = Literal["text", "number", "name", "path", "file", "flag", "switch"]
"""What a value is: text; a whole number; the name of a file, kept as text; a path; a path of a file; none for a flag,
nor for a switch, which has a second name that says the opposite.
"""


@dataclass(frozen=True)
class Option:
    """One option of a run.

    `field` is the field of `Options` that it fills; `flag` is the option's name where that is not the field's. `least`
    is the smallest number that it takes; `off` is the name that says the opposite of a switch. `ci` names the CI files
    that offer it (`action.yml`, `ci/gitlab.yml`); `pytest` is false for what only the command line has.
    """

    field: str
    help: str
    kind: Kind = "text"
    off: str = ""
    flag: str = ""
    metavar: str | None = None
    choices: tuple[str, ...] = ()
    least: int | None = None
    default: str | None = None
    repeatable: bool = False
    ci: tuple[Literal["action", "gitlab"], ...] = ()
    pytest: bool = True

    @property
    def name(self) -> str:
        """The option as it is typed, such as `--base-url`."""
        return f"--{self.flag or self.field.replace('_', '-')}"


OPTIONS: tuple[Option, ...] = (
    Option(
        "target",
        "Target file (TOML) that describes the endpoint.",
        "name",
        metavar="FILE",
        ci=("action", "gitlab"),
    ),
    Option(
        "base_url",
        "Base URL of an endpoint that takes any well-formed id.",
        metavar="URL",
        ci=("action", "gitlab"),
    ),
    Option(
        "stateful",
        "With --base-url: it keeps the jobs that are created, or it keeps none; found out where left out.",
        "switch",
        off="stateless",
    ),
    Option(
        "app",
        "ASGI application in this Python, served on a free port by uvicorn for the run.",
        metavar="MODULE:ATTRIBUTE",
    ),
    Option(
        "wait",
        "How long to wait for the endpoint's first answer, such as 30s.",
        flag="wait-for-endpoint",
        metavar="TIME",
        ci=("action", "gitlab"),
    ),
    Option("level", "Claimed level; found out where left out.", choices=get_args(Level), ci=("action",)),
    Option(
        "profile",
        "How much is sent.",
        choices=tuple(PROFILES),
        default="standard",
        ci=("action", "gitlab"),
    ),
    Option(
        "seed",
        "What requests are drawn from; drawn and shown if left out.",
        "number",
        metavar="N",
        least=0,
        ci=("action", "gitlab"),
    ),
    Option(
        "requirements",
        "Verify this requirement alone. Repeatable.",
        flag="requirement",
        metavar="ID",
        repeatable=True,
    ),
    Option(
        "excluded",
        "Say nothing of this requirement. Repeatable.",
        flag="exclude",
        metavar="ID",
        repeatable=True,
        ci=("action", "gitlab"),
    ),
    Option("workers", "Connections used at the same time.", "number", metavar="N", least=1),
    Option(
        "processes",
        "Processes that share the tests; left out, one a core on loopback, and one elsewhere, where more never run.",
        "number",
        metavar="N",
        least=1,
        pytest=False,
    ),
    Option(
        "report",
        "Folder for the reports: HTML, JUnit XML, JSON, and the journal of every exchange.",
        "path",
        metavar="DIR",
        ci=("action", "gitlab"),
    ),
    Option(
        "mode",
        "What may be sent: reads alone; also creates that must be refused; or restores, which destroy data. Left out,"
        " restore on loopback and read elsewhere.",
        choices=get_args(Mode),
        ci=("action", "gitlab"),
    ),
    Option("rate", "Requests at most, such as 60/min or 10/s.", metavar="N/PERIOD"),
    Option("time_limit", "When the run ends, done or not, such as 30min; then it is partial.", metavar="TIME"),
    Option(
        "baseline",
        "Earlier run to compare with: a folder of reports, a summary or a journal.",
        "path",
        metavar="OLD",
        ci=("action", "gitlab"),
    ),
    Option("waivers", "Accepted failures (TOML).", "file", metavar="FILE", ci=("action", "gitlab")),
    Option(
        "gate",
        "Which failures exit with 1: only new ones (and lost coverage), any, or none. Left out, new where an earlier"
        " run is given, else any.",
        choices=tuple(GATES),
        ci=("action", "gitlab"),
    ),
    Option(
        "strict",
        "Advice fails too: a requirement that says should counts as one that says must.",
        "flag",
        ci=("action", "gitlab"),
    ),
    Option(
        "basis",
        "Only failures of requirements of these bases exit with 1, such as documented,recorded; the others are inferred"
        " and project-rule.",
        metavar="BASIS,...",
        ci=("action", "gitlab"),
    ),
    Option("update_waivers", "Add a waiver with blanks to fill for each failure without one.", "flag"),
    Option(
        "verbose",
        "Print the matrix, what was not exercised and why, and every failure in full, not only what fits a screen.",
        "flag",
    ),
    Option(
        "shard",
        "Run part I of N; `merge` joins the journals. Needs --seed.",
        metavar="I/N",
        ci=("action", "gitlab"),
    ),
)
"""Every option of a run, in the order in which help shows them."""
