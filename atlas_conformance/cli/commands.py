"""The command line: thin; each command parses its options and hands over."""

from __future__ import annotations

import importlib
from importlib import metadata

import click

_COMMANDS = {
    "run": ("atlas_conformance.cli.run", "run_command", "Verify an endpoint against the whole contract."),
    "init": ("atlas_conformance.cli.init", "init_command", "Ask an endpoint what exists, and write a target file."),
    "doctor": ("atlas_conformance.cli.doctor", "doctor_command", "Show what a run would do before it does it."),
    "serve": ("atlas_conformance.cli.serve", "serve_command", "Serve the reference endpoint until Ctrl-C."),
    "prove": ("atlas_conformance.cli.prove", "prove_command", "Run the suites against every fault they should catch."),
    "hammer": ("atlas_conformance.cli.hammer", "hammer_command", "Verify an endpoint under load, many users at once."),
    "check": ("atlas_conformance.cli.check", "check_command", "Judge recorded traffic: HAR files and journals."),
    "record": ("atlas_conformance.cli.record", "record_command", "Record and judge the traffic to an endpoint."),
    "drift": ("atlas_conformance.cli.drift", "drift_command", "Compare the contract with a vendor's OpenAPI file."),
    "report": ("atlas_conformance.cli.report", "report_command", "Render a journal again, in any format."),
    "compare": ("atlas_conformance.cli.compare", "compare_command", "Compare two runs: what is worse, what is better."),
    "merge": ("atlas_conformance.cli.merge", "merge_command", "Join the shards of a run."),
    "history": ("atlas_conformance.cli.history", "history_command", "Show the verdicts of many runs over time."),
    "requirements": (
        "atlas_conformance.cli.requirements",
        "requirements_command",
        "List requirements and their sources.",
    ),
    "explain": (
        "atlas_conformance.cli.explain",
        "explain_command",
        "Explain a requirement: words, sources, exchanges, tests.",
    ),
}


class _Lazy(click.Group):
    """A group that imports a command's module only when that command is used, so that each starts quickly."""

    def list_commands(self, context: click.Context) -> list[str]:
        return list(_COMMANDS)

    def get_command(self, context: click.Context, name: str) -> click.Command | None:
        if name not in _COMMANDS:
            return None
        module, attribute, _ = _COMMANDS[name]
        found = getattr(importlib.import_module(module), attribute)
        assert isinstance(found, click.Command)
        return found

    def invoke(self, context: click.Context) -> object:
        """Run a command; a reader who leaves before its end has what was wanted, so that is a success."""
        try:
            return super().invoke(context)
        except BrokenPipeError:
            return 0

    def format_commands(self, context: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, words) for name, (_, _, words) in _COMMANDS.items()])


@click.command(cls=_Lazy, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(metadata.version("atlas-conformance"), prog_name="atlas-conformance")
def command() -> None:
    """Verify endpoints of the MongoDB Atlas restore-job API against their contract."""
