"""The join: command-line options, one session with its endpoint for all suites, and the report at the end."""

from __future__ import annotations

import pytest

from atlas_conformance.runner import join
from atlas_conformance.runner.endpoint import Endpoint
from atlas_conformance.runner.plugin import SuitePlugin


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options of a run to pytest's own."""
    join.add_options(parser)


def pytest_configure(config: pytest.Config) -> None:
    """Let the suites be run, unless something else already runs them."""
    join.start(config)


@pytest.fixture(scope="session")
def session_endpoint(pytestconfig: pytest.Config) -> Endpoint:
    """The endpoint of this run, opened on first use."""
    plugin = pytestconfig.pluginmanager.get_plugin(join.NAME)
    assert isinstance(plugin, SuitePlugin)
    return plugin.endpoint()


@pytest.fixture
def endpoint(session_endpoint: Endpoint, request: pytest.FixtureRequest) -> Endpoint:
    """The endpoint as this test sees it."""
    about = (requirement for mark in request.node.iter_markers("requirement") for requirement in mark.args)
    return session_endpoint.for_test(request.node.nodeid, about)
