"""The pytest plugin, for other people's tests: fixtures, and the suites by `pytest --pyargs atlas_conformance.suites`.

pytest loads it wherever the package is installed. Nothing else of the package is imported before a test asks for a
fixture, or the suites are asked for.
"""

from __future__ import annotations

import contextlib
from collections.abc import Generator, Iterator
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from atlas_conformance.adapters.traffic import TrafficJudge
    from atlas_conformance.reference.mock import MockAtlas
    from atlas_conformance.testing import AtlasEndpoint, Endpoints

_SUITES = "atlas_conformance.suites"
_JUDGES: pytest.StashKey[list[TrafficJudge]] = pytest.StashKey()
"""The judges that a test has had from the fixture `atlas_judge`, however it came by them."""


@pytest.hookimpl(trylast=True)
def pytest_load_initial_conftests(early_config: pytest.Config, parser: pytest.Parser) -> None:
    """Add the options of a run where the suites are asked for by name, and nowhere else."""
    if _asks_for_suites(early_config.known_args_namespace):
        from atlas_conformance.runner import join

        join.add_options(parser)


def pytest_configure(config: pytest.Config) -> None:
    """Declare the markers; where the suites are asked for by name, run them."""
    config.addinivalue_line(
        "markers",
        "atlas_endpoint(fault=, freedoms=, imitate=, step=, level=, operations=, authentication=, rate=, latency=):"
        " how the fixture atlas_endpoint behaves",
    )
    config.addinivalue_line(
        "markers",
        "atlas_judge(on_failure=, base_url=, credential=, strict=, remember=): what the fixture atlas_judge judges, and"
        " what it does with a failure ('fail', 'raise' or 'collect')",
    )
    config.addinivalue_line(
        "markers", "atlas(scenario, seed=, step=, tls=, ...): the arguments of MockAtlas for the fixture atlas"
    )
    if _asks_for_suites(config.option):
        from atlas_conformance.runner import join

        join.start(config)


def _asks_for_suites(option: Any) -> bool:
    names = [str(argument).partition("::")[0] for argument in getattr(option, "file_or_dir", None) or ()]
    asked = any(name == _SUITES or name.startswith(f"{_SUITES}.") for name in names)
    return asked and bool(getattr(option, "pyargs", False))


@pytest.fixture(scope="session")
def _atlas_endpoints() -> Iterator[Endpoints]:
    """The reference endpoints of this session, one for each way of setting it up."""
    from atlas_conformance.testing import Endpoints

    with Endpoints() as endpoints:
        yield endpoints


@pytest.fixture
def atlas_endpoint(request: pytest.FixtureRequest, _atlas_endpoints: Endpoints) -> AtlasEndpoint:
    """The reference endpoint on a free port: URL, credentials, fixtures. No test finds jobs of another one.

    The marker `atlas_endpoint` says how it behaves, such as `@pytest.mark.atlas_endpoint(freedoms={"charset": "all"})`.
    """
    from atlas_conformance.testing import MarkerError

    try:
        return _atlas_endpoints.get(_marked(request, "atlas_endpoint"))
    except MarkerError as error:
        raise pytest.UsageError(f"{request.node.nodeid}: {error}") from None


@pytest.fixture
def atlas(request: pytest.FixtureRequest) -> Iterator[MockAtlas]:
    """A mock Atlas whose time and restores the test steers: `atlas.advance(minutes=5)`, `atlas.fail_next_restore()`.

    The marker `atlas` takes the arguments of `MockAtlas`, such as `@pytest.mark.atlas("scenario.toml")`.
    """
    from atlas_conformance.testing import MarkerError, make_mock

    marker = request.node.get_closest_marker("atlas")
    try:
        mock = make_mock(marker.args, marker.kwargs) if marker is not None else make_mock((), {})
    except MarkerError as error:
        raise pytest.UsageError(f"{request.node.nodeid}: {error}") from None
    with contextlib.ExitStack() as stack:
        stack.push(mock)
        yield mock


@pytest.fixture
def atlas_judge(request: pytest.FixtureRequest) -> TrafficJudge:
    """Judges what an adapter hands to it; the test fails by what is found in its setup, its call or its teardown.

    Where the test also uses `atlas_endpoint`, what exists there is known to the judge.
    """
    from atlas_conformance.testing import MarkerError, make_judge

    known = "atlas_endpoint" in request.fixturenames
    endpoint = request.getfixturevalue("atlas_endpoint") if known else None
    try:
        judge = make_judge(_marked(request, "atlas_judge"), endpoint)
    except MarkerError as error:
        raise pytest.UsageError(f"{request.node.nodeid}: {error}") from None
    request.node.stash.setdefault(_JUDGES, []).append(judge)
    return judge


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Begin without judges: a test may run again."""
    item.stash[_JUDGES] = []


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, object, object]:
    """Let a test that went to its end fail by what its judges have found, in its setup or since."""
    __tracebackhide__ = True
    result = yield
    _settle(item)
    return result


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown(item: pytest.Item) -> Generator[None, object, object]:
    """Let a teardown fail by what was found in it, or before it in a test that was skipped."""
    __tracebackhide__ = True
    result = yield
    _settle(item)
    return result


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Where a phase of a test fails by itself, show beside its error what the judges have found."""
    if call.excinfo is not None and not isinstance(call.excinfo.value, pytest.skip.Exception):
        judges = item.stash.get(_JUDGES, [])
        if judges:
            from atlas_conformance.testing import news_of

            news = news_of(judges)
            if news:
                item.add_report_section(call.when, "atlas_judge", "\n".join(map(str, news)))
    return (yield)


def _settle(item: pytest.Item) -> None:
    __tracebackhide__ = True
    judges = item.stash.get(_JUDGES, [])
    if judges:
        from atlas_conformance.testing import settle

        settle(judges)


def _marked(request: pytest.FixtureRequest, name: str) -> dict[str, Any]:
    """Return the keywords of a test's markers of this name. Raises MarkerError."""
    from atlas_conformance.testing import keywords_of

    return keywords_of(name, request.node.iter_markers(name))
