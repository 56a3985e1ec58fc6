"""The pytest plugin, for other people's tests: fixtures, and the suites by `pytest --pyargs atlas_conformance.suites`.

pytest loads it wherever the package is installed. Nothing else of the package is imported before a test asks for a
fixture, or the suites are asked for.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from atlas_conformance.adapters.traffic import TrafficJudge
    from atlas_conformance.reference.mock import MockAtlas
    from atlas_conformance.testing import AtlasEndpoint, Endpoints

_SUITES = "atlas_conformance.suites"


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
        "atlas_judge(on_failure=, base_url=, credential=, strict=): what the fixture atlas_judge judges, and what it"
        " does with a failure ('fail', 'raise' or 'collect')",
    )
    config.addinivalue_line("markers", "atlas(scenario, seed=, step=, tls=): what the mock of the fixture atlas is")
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
    from atlas_conformance.reference.mock import MockAtlas

    marker = request.node.get_closest_marker("atlas")
    given, options = (marker.args, marker.kwargs) if marker is not None else ((), {})
    with MockAtlas(*given, **options) as mock:
        yield mock


@pytest.fixture
def atlas_judge(request: pytest.FixtureRequest) -> TrafficJudge:
    """Judges what an adapter hands to it; a test that ends well fails by what was found.

    Where the test also uses `atlas_endpoint`, what exists there is known to the judge.
    """
    from atlas_conformance.testing import MarkerError, make_judge

    known = "atlas_endpoint" in request.fixturenames
    endpoint = request.getfixturevalue("atlas_endpoint") if known else None
    try:
        return make_judge(_marked(request, "atlas_judge"), endpoint)
    except MarkerError as error:
        raise pytest.UsageError(f"{request.node.nodeid}: {error}") from None


@pytest.hookimpl(wrapper=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> Any:
    """Let a test that went to its end fail by what its judge has found."""
    result = yield
    judge = pyfuncitem.funcargs.get("atlas_judge")
    if judge is not None:
        from atlas_conformance.testing import settle

        settle(judge)
    return result


def _marked(request: pytest.FixtureRequest, name: str) -> dict[str, Any]:
    """Return the keywords of a test's markers of this name; of a keyword given twice, the nearest one counts."""
    given: dict[str, Any] = {}
    for mark in reversed(list(request.node.iter_markers(name))):
        given |= mark.kwargs
    return given
