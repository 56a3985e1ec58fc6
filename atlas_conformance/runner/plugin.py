"""The pytest side of a run: selecting tests, telling departures from errors, exit codes."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from rich.console import Console
from rich.text import Text

from atlas_conformance.contracts.contract import Contract
from atlas_conformance.http.failures import PreflightFailed, TargetError
from atlas_conformance.reports.gates.sharding import Shard, ShardError, share
from atlas_conformance.reports.journal import JournalError
from atlas_conformance.reports.terminal import print_report
from atlas_conformance.reports.wording import plural
from atlas_conformance.reports.writing import ReportError
from atlas_conformance.runner.endpoint import Endpoint
from atlas_conformance.runner.marks import operation_of
from atlas_conformance.runner.options import Options
from atlas_conformance.runner.outcomes import EndpointLost, NewFailure, ReferenceFailed, RunEnded
from atlas_conformance.runner.processes import Processes
from atlas_conformance.runner.profiles import PROFILES
from atlas_conformance.runner.session import Session

USAGE, UNREACHABLE, SUITE_ERROR = 2, 3, 4


class SuitePlugin:
    """Runs the suites of one session inside pytest.

    `show` is called with the finished session; by default the report is printed to the terminal.
    """

    def __init__(self, session: Session, show: Callable[[Session], None] | None = None) -> None:
        self.session = session
        self.first: tuple[str, tuple[str, ...]] | None = None
        """A requirement and operations whose tests come before all others; None keeps the usual order."""
        self.failure: str | None = None
        self.complaints: list[str] = []
        """Sentences on what went wrong at the end, beside the verdict."""
        self._show = show or print_session
        self._endpoint: Endpoint | None = None
        self._interrupted = False
        self._fuzzes = False

    @classmethod
    def from_options(cls, given: Mapping[str, Any]) -> SuitePlugin:
        """Make the plugin from options by their fields. Raises pytest.UsageError on options that cannot be meant."""
        try:
            repeated = {name: tuple(given[name]) for name in ("requirements", "excluded")}
            return cls(Session(Options(**{**given, **repeated})))
        except TargetError as error:
            raise pytest.UsageError(str(error)) from None

    def endpoint(self) -> Endpoint:
        """The endpoint, opened on first use; ends the run with the documented exit code where that fails."""
        if self._endpoint is None:
            if self._fuzzes and PROFILES[self.session.options.profile].fuzz_examples:
                # What Hypothesis draws depends on which modules are there: let it be the same ones for every test, in
                # every shard and process. And what is here before processes are forked need not be read in each.
                importlib.import_module("atlas_conformance.strategies.fuzzed").get_ready()
            try:
                self._endpoint = self.session.open()
            except TargetError as error:
                self._give_up(str(error), USAGE)
            except PreflightFailed as error:
                self._give_up(str(error), UNREACHABLE)
            except EndpointLost as error:
                self._lose(error)
                pytest.exit("the endpoint stopped answering", returncode=UNREACHABLE)
            except RunEnded as error:
                pytest.exit(str(error), returncode=SUITE_ERROR)
            except (JournalError, ReportError, ReferenceFailed) as error:
                self._give_up(str(error), SUITE_ERROR)
            except Exception as error:
                self._give_up(f"the run could not be started ({type(error).__name__}: {error})", SUITE_ERROR)
            assert self._endpoint is not None
        return self._endpoint

    def go_on_with(self, endpoint: Endpoint) -> None:
        """Run the tests of this process against an endpoint of its own."""
        self._endpoint = endpoint

    @property
    def interrupted(self) -> bool:
        """Whether the run was cut short, or the endpoint was lost."""
        return self._interrupted

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool | None:
        """Run the tests in several processes where that is wanted and can be; None lets pytest run them here."""
        if self.session.options.processes == 1 or self.first is not None or session.testsfailed or not session.items:
            return None
        endpoint = self.endpoint()
        run = self.session.run
        assert run is not None
        count = run.processes(len(session.items))
        if count == 1:
            return None
        run.rest()
        processes = Processes(run, session)
        try:
            processes.run(count)
        finally:
            self._interrupted |= processes.cut
            endpoint.for_test("")
        return True

    def _lose(self, error: EndpointLost) -> None:
        """Note that the run ends here, as the endpoint no longer answers."""
        if self.session.run is not None:
            self.session.run.lose(str(error))

    def _give_up(self, sentence: str, code: int) -> None:
        self.failure = sentence = self.session.masked(sentence)
        pytest.exit(sentence, returncode=code)

    def pytest_collection_modifyitems(self, config: pytest.Config, items: list[pytest.Item]) -> None:
        """Keep the tests that cover a selected requirement, and of these the tests of the run's shard."""
        wanted = set(self.session.options.requirements)
        marks = {i: {r for m in i.iter_markers("requirement") for r in m.args} for i in items}
        kept = [i for i in items if not wanted or wanted & marks[i]]
        excluded = set(self.session.options.excluded)
        kept = [i for i in kept if not marks[i] or marks[i] - excluded]
        self._fuzzes = any(item.get_closest_marker("fuzzes") is not None for item in kept)
        if self.session.options.shard is not None:
            try:
                kept = share(kept, Shard.parse(self.session.options.shard))
            except ShardError as error:
                self._give_up(str(error), USAGE)
        if self.first is not None:
            kept.sort(key=self._place)
        if len(kept) < len(items):
            config.hook.pytest_deselected(items=[i for i in items if i not in kept])
        items[:] = kept

    def _place(self, item: pytest.Item) -> int:
        """Where a test comes when a requirement is to be exercised first; jobs to read come before reading
        them.
        """
        assert self.first is not None
        requirement, operations = self.first
        kinds = {Contract.load().operations[o].cluster_kind for o in operations if o in Contract.load().operations}
        operation = operation_of(item)
        related = not kinds or (operation is not None and operation.cluster_kind in kinds)
        if item.get_closest_marker("makes_jobs") is not None:
            return 0 if related else 3
        if item.get_closest_marker("follows_jobs") is not None and requirement[0] in "STLV":
            return 1 if related else 3
        near = operation is None or operation.id in operations or not kinds
        named = requirement in {r for mark in item.iter_markers("requirement") for r in mark.args}
        return (2 if near else 3) if named else 4

    def pytest_runtest_setup(self, item: pytest.Item) -> None:
        """Leave out tests of operations that the endpoint does not offer."""
        operation = operation_of(item)
        uses_endpoint = "endpoint" in getattr(item, "fixturenames", ())
        if operation is not None and uses_endpoint and not self.endpoint().offers(operation.id):
            pytest.skip(f"{operation.id} is not offered")

    @pytest.hookimpl(wrapper=True)
    def pytest_pyfunc_call(self, pyfuncitem: pytest.Function) -> Any:
        """Let a test that went to its end fail on what it has found."""
        result = yield
        endpoint = pyfuncitem.funcargs.get("endpoint")
        if isinstance(endpoint, Endpoint):
            endpoint.recorder.end()
        return result

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(self, item: pytest.Item, call: pytest.CallInfo[Any]) -> Any:
        """Put an error of the suite itself into the journal, where a departure already is."""
        report = yield
        error = call.excinfo.value if call.excinfo is not None else None
        if error is None or self._endpoint is None or isinstance(error, pytest.skip.Exception | pytest.exit.Exception):
            return report
        if isinstance(error, RunEnded):
            self._interrupted = True
            item.session.shouldstop = str(error)
        elif isinstance(error, EndpointLost):
            self._interrupted = True
            self._lose(error)
            item.session.shouldstop = "the endpoint stopped answering"
        elif isinstance(error, KeyboardInterrupt):
            self._interrupted = True
        elif not _is_new_failure(error):
            said = self.session.masked(f"{type(error).__name__}: {error}")
            self._endpoint.journal.error(item.nodeid, said[:2_000])
        if self._endpoint.stopped:
            item.session.shouldstop = "enough was seen"
        return report

    def pytest_runtest_teardown(self, item: pytest.Item) -> None:
        """End the run early when enough was seen."""
        if self._endpoint is not None and self._endpoint.stopped:
            item.session.shouldstop = "enough was seen"

    def pytest_keyboard_interrupt(self) -> None:
        """Note that the run was cut short."""
        self._interrupted = True

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Make the reports; the exit code is the report's."""
        if self.session.run is None:
            self.session.close()
            return
        try:
            partial = self._endpoint is None or self._interrupted or self._endpoint.stopped
            self.session.finish(partial=partial)
        except ReportError as error:
            self.failure = str(error)
        except Exception as error:
            self.failure = self.session.masked(f"the run could not be ended ({type(error).__name__}: {error})")
        try:
            finished = self.session.finished
            session.exitstatus = SUITE_ERROR if finished is None else finished.exit_code
            if finished is not None:
                self._show(self.session)
        except Exception as error:
            said = f"the report could not be shown to its end ({type(error).__name__}: {error})"
            self.complaints.append(self.session.masked(said))
        finally:
            self.session.close()
        if self.session.finished is not None:
            self.complaints[:0] = self.session.finished.complaints
        for complaint in self.complaints:
            print(f"atlas-conformance: {complaint}", file=sys.stderr)


def _is_new_failure(error: BaseException) -> bool:
    """Whether an exception, or what Hypothesis made of it, says only that a requirement failed."""
    if isinstance(error, NewFailure):
        return True
    if isinstance(error, BaseExceptionGroup):
        return all(_is_new_failure(inner) for inner in error.exceptions)
    return False


def print_session(session: Session) -> None:
    """Print the report of a finished session to the terminal."""
    finished = session.finished
    assert finished is not None
    console = Console()
    if finished.waivers_added:
        added = plural(finished.waivers_added, "waiver")
        console.print(Text(f"Added to {session.options.waivers}: {added} with blanks to fill"), soft_wrap=True)
    print_report(
        finished.report,
        console,
        curl=session.curl,
        written=finished.written.paths,
        verbose=session.options.verbose,
        standing=finished.standing,
    )
