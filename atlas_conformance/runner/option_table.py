"""The options of a run, each declared once: for the command line, for pytest, and for the files of CI."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias, get_args

from atlas_conformance.contracts.operation import Level
from atlas_conformance.http.target import Mode
from atlas_conformance.reports.gates.gate import GATES
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
        "Base URL of an endpoint that accepts any well-formed id.",
        metavar="URL",
        ci=("action", "gitlab"),
    ),
    Option(
        "stateful",
        "With --base-url: whether the endpoint keeps the jobs that are created. Default: the run finds it out.",
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
    Option(
        "level",
        "Level that the endpoint claims. Default: the run finds it out.",
        choices=get_args(Level),
        ci=("action",),
    ),
    Option(
        "profile",
        "How many requests are sent.",
        choices=tuple(PROFILES),
        default="standard",
        ci=("action", "gitlab"),
    ),
    Option(
        "seed",
        "Number that decides which requests are sent. Default: random, and shown.",
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
        "Leave this requirement out. Repeatable.",
        flag="exclude",
        metavar="ID",
        repeatable=True,
        ci=("action", "gitlab"),
    ),
    Option("workers", "Connections used at the same time.", "number", metavar="N", least=1),
    Option(
        "processes",
        "Processes that share the tests. Default: one for each core on loopback; always one elsewhere.",
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
        "What may be sent: only reads; also creates that must be refused; or restores, which delete data. Default:"
        " restore on loopback, read elsewhere.",
        choices=get_args(Mode),
        ci=("action", "gitlab"),
    ),
    Option("rate", "Requests at most, such as 60/min or 10/s.", metavar="N/PERIOD"),
    Option(
        "time_limit", "Ends the run after this time, such as 30min; if it was not done, it is partial.", metavar="TIME"
    ),
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
        "Which failures exit with 1: only new ones (and lost coverage), any, or none. Default: new with an earlier run,"
        " any without.",
        choices=tuple(GATES),
        ci=("action", "gitlab"),
    ),
    Option(
        "strict",
        "Advice fails too: `should` counts as `must`.",
        "flag",
        ci=("action", "gitlab"),
    ),
    Option(
        "basis",
        "Only failures of requirements with these bases exit with 1, such as documented,recorded. The bases are"
        " documented, recorded, inferred and project-rule.",
        metavar="BASIS,...",
        ci=("action", "gitlab"),
    ),
    Option("update_waivers", "Add a waiver with blanks to the file for each failure that has none.", "flag"),
    Option(
        "verbose",
        "Print the matrix, what was not exercised and why, and every failure in full, not only what fits a screen.",
        "flag",
    ),
    Option(
        "shard",
        "Run part I of N parts; `merge` joins them. Needs --seed.",
        metavar="I/N",
        ci=("action", "gitlab"),
    ),
)
"""Every option of a run, in the order in which help shows them."""
