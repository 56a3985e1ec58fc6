"""`atlas-conformance run`: start pytest on the suites and map what comes of it to an exit code."""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

import click
import pytest
from rich.console import Console

import atlas_conformance
from atlas_conformance.cli.run_options import run_options
from atlas_conformance.http.failures import TargetError
from atlas_conformance.reports.annotations import workflow_commands
from atlas_conformance.reports.interrupts import terminate_as_interrupt
from atlas_conformance.reports.journal import JournalError
from atlas_conformance.reports.output import complain, to_reader
from atlas_conformance.reports.program import INTERRUPTED, PROGRAM
from atlas_conformance.reports.progress import Progress, stderr_console
from atlas_conformance.reports.records import ExchangeRecord, FindingRecord, Header, Record
from atlas_conformance.reports.wording import visible
from atlas_conformance.runner.header import REFERENCE
from atlas_conformance.runner.learnt import conclusion_line
from atlas_conformance.runner.options import Options
from atlas_conformance.runner.outcomes import ReferenceFailed
from atlas_conformance.runner.plugin import SUITE_ERROR, USAGE, SuitePlugin, print_session
from atlas_conformance.runner.session import Session
from atlas_conformance.runner.waits import Waits
from atlas_conformance.runner.warming import keep_what_is_drawn

_PACKAGE = Path(atlas_conformance.__file__).resolve().parent
"""The folder of the package, which holds `suites` and the join of pytest and the run."""

QUIET = [
    *("-p", "no:terminal", "-p", "no:cacheprovider", "-p", "no:faulthandler", "-p", "no:unraisableexception"),
    *("--capture=sys", "--import-mode=importlib"),
]
"""Options of pytest under which it prints nothing of its own, leaves no files behind, and lets progress be seen."""


def _writable(context: click.Context, parameter: click.Parameter, folder: Path | None) -> Path | None:
    """Refuse a folder for the reports in which nothing can be written, before anything is sent; leave nothing there."""
    if folder is None:
        return None
    made: list[Path] = []
    try:
        for part in (*reversed(folder.parents), folder):
            if not part.exists():
                part.mkdir()
                made.insert(0, part)
        tempfile.TemporaryFile(dir=folder).close()
    except OSError as error:
        raise click.BadParameter(f"{folder} cannot be written to ({(error.strerror or str(error)).lower()}).") from None
    finally:
        for part in made:
            part.rmdir()
    return folder


@click.command("run")
@run_options({"report": _writable})
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "github"]),
    default="text",
    show_default=True,
    help="github adds workflow commands that mark failures.",
)
def run_command(form: str, **given: object) -> None:
    """Verify an endpoint against the whole contract.

    Without --target and --base-url, it starts the reference endpoint on a free port and verifies that.

    \b
    Exit codes:
      0  everything that was exercised holds, or the gate lets it through
      1  a requirement fails (--gate says which failures count)
      2  wrong usage, target file or environment
      3  the endpoint cannot be reached, stops answering, or cannot be verified
      4  an error of the suite itself, an interrupted run, or nothing was exercised
    """
    # Bound to the stream as it is now: pytest keeps to itself what tests write to the one of that name.
    console = stderr_console()
    waits = Waits(
        lambda sentence: console.print(f"{PROGRAM}: {visible(sentence)}", soft_wrap=True, markup=False, highlight=False)
    )
    progress = Progress(console)
    progress.waiting = waits.now
    try:
        options = Options(**given)  # type: ignore[arg-type]
        session = Session(options, observer=_Observer(console, progress, strict=options.strict), waits=waits)
    except TargetError as error:
        _complain(str(error), USAGE)
    session.launch()
    terminate_as_interrupt()
    with progress:
        plugin = SuitePlugin(session, show=lambda finished: _show(finished, progress))
        code = run_suites(plugin)
    if form == "github" and session.report is not None:
        with to_reader():
            for line in workflow_commands(session.report, session.standing):
                print(line)
    if plugin.failure is not None:
        _complain(plugin.failure, code)
    sys.exit(code)


class _Observer:
    """Sees each record of the journal as it is written, and says on stderr how far the run is."""

    def __init__(self, console: Console, progress: Progress, *, strict: bool) -> None:
        self._console = console
        self._progress = progress
        self._strict = strict
        self._exchanges, self._suite = 0, ""
        self._failures: set[tuple[str, str, str]] = set()

    def __call__(self, record: Record) -> None:
        if isinstance(record, Header):
            self._console.print(_announcement(record), soft_wrap=True, markup=False, highlight=False)
            return
        if isinstance(record, FindingRecord) and (record.finding.fails or (record.finding.advice and self._strict)):
            self._failures.add(record.finding.key)
        if isinstance(record, ExchangeRecord):
            suite = record.test.partition("::")[0].rpartition("/")[2].removesuffix(".py")
            self._exchanges, self._suite = record.n, suite.removeprefix("test_").replace("_", " ")
        self._progress.update(exchanges=self._exchanges, findings=len(self._failures), suite=self._suite)


def _announcement(header: Header) -> str:
    target = header.target
    name = "the reference endpoint" if target["source"] == REFERENCE else target["base_url"]
    verifying = f"Verifying {name}: profile {header.profile}, seed {header.seed}, mode {header.mode}"
    return verifying if header.conclusion is None else f"{verifying}\n{conclusion_line(header.conclusion)}"


def _show(session: Session, progress: Progress) -> None:
    """Print the report; the exit code stays the verdict's where nobody reads the output to its end."""
    progress.__exit__(None, None, None)
    with to_reader():
        print_session(session)


def run_suites(plugin: SuitePlugin) -> int:
    """Run the suites with `plugin` inside this process and return the documented exit code.

    `plugin.failure` is set wherever there is no report. Nothing that the surroundings say about pytest counts.
    """
    os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    for name in ("PYTEST_ADDOPTS", "PYTEST_PLUGINS"):
        os.environ.pop(name, None)
    keep_what_is_drawn()
    places = ["-c", str(_PACKAGE / "runner" / "session.ini"), "--rootdir", str(_PACKAGE)]
    places += ["--confcutdir", str(_PACKAGE)]
    join = _Join(plugin)
    try:
        code = int(pytest.main([*QUIET, *places, str(_PACKAGE / "suites")], plugins=[join]))
    finally:
        plugin.session.close()
    if plugin.failure is not None:
        plugin.failure = plugin.session.masked(plugin.failure)
    if plugin.session.report is not None or plugin.failure is not None:
        return code
    if join.trouble is None and code == pytest.ExitCode.INTERRUPTED:
        plugin.failure = "interrupted before anything was verified"
        return INTERRUPTED
    plugin.failure = plugin.session.masked(join.trouble or "the suites could not be run")
    return SUITE_ERROR


class _Join:
    """Registers the plugin under the name by which conftest.py knows that the suites are being run already.

    `trouble` is why pytest could not run them, in one sentence, or None.
    """

    def __init__(self, plugin: SuitePlugin) -> None:
        self._plugin = plugin
        self.trouble: str | None = None

    def pytest_addoption(self, parser: pytest.Parser, pluginmanager: pytest.PytestPluginManager) -> None:
        """Register the plugin; this is the first hook that is called."""
        pluginmanager.register(self._plugin, "atlas-conformance")
        # Nobody reads pytest's own account of a failure here, and the usual style reads and parses much source for it.
        parser.addoption("--tb", dest="tbstyle", default="native", help="style of tracebacks")

    def pytest_exception_interact(
        self, node: pytest.Item | pytest.Collector, call: pytest.CallInfo[object], report: object
    ) -> None:
        """Note what went wrong before there was an endpoint, and so no journal to put it in, and go no further."""
        if self._plugin.session.run is None and call.excinfo is not None:
            error = call.excinfo.value
            if isinstance(error, ReferenceFailed | JournalError):
                reason = str(error)
            else:
                last = call.excinfo.exconly(tryshort=True).strip().rpartition("\n")[2]
                reason = f"{node.nodeid} cannot be run: {last.removeprefix('E').strip()}"
            self.trouble = self.trouble or reason
            node.session.shouldstop = reason

    def pytest_internalerror(self, excinfo: pytest.ExceptionInfo[BaseException]) -> bool:
        """Note an error that no test stands for; true keeps its traceback off the screen."""
        self.trouble = self.trouble or f"the suites broke off: {excinfo.exconly(tryshort=True)}"
        return True


def _complain(sentence: str, code: int) -> None:
    complain(sentence)
    sys.exit(code)
