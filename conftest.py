"""The join: command-line options, one session with its endpoint for all suites, and the report at the end."""

from __future__ import annotations

from pathlib import Path

import pytest

from atlas_conformance.runner.endpoint import Endpoint
from atlas_conformance.runner.plugin import SuitePlugin


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options of a run to pytest's own."""
    group = parser.getgroup("atlas-conformance")
    group.addoption("--target", help="target file (TOML) that describes the endpoint")
    group.addoption("--base-url", help="base URL of an endpoint that takes any well-formed id")
    group.addoption("--stateful", action="store_true", default=None, help="with --base-url: it keeps created jobs")
    group.addoption("--stateless", action="store_false", dest="stateful", help="with --base-url: it keeps no jobs")
    group.addoption("--level", choices=["core", "extended"], help="claimed level; found out where left out")
    group.addoption("--profile", default="standard", help="quick, standard or thorough")
    group.addoption("--seed", type=int, help="what requests are drawn from")
    group.addoption("--requirement", action="append", default=[], help="verify this requirement alone; repeatable")
    group.addoption("--workers", type=int, help="connections used at the same time")
    group.addoption("--report", type=Path, help="folder for the reports")
    group.addoption("--mode", choices=["read", "refusals", "restore"], help="what may be sent")
    group.addoption("--baseline", type=Path, help="earlier run to compare with: a folder of reports or a journal")
    group.addoption("--gate", choices=["new", "any", "none"], help="which failures end the run with 1")
    group.addoption("--waivers", type=Path, help="file (TOML) of accepted failures")
    group.addoption("--update-waivers", action="store_true", help="add a waiver with blanks for each failure")
    group.addoption("--shard", help="run one part of several, such as 2/4")
    group.addoption("--time-limit", help="when the run ends, done or not, such as 30min")
    group.addoption("--rate", help="requests at most, such as 600/min")


def pytest_configure(config: pytest.Config) -> None:
    """Declare the marker, and let the suites be run unless something else already runs them."""
    config.addinivalue_line("markers", "requirement(*ids): the requirements that a suite test puts to the test")
    config.addinivalue_line("markers", "makes_jobs: a suite test after which there are jobs to read")
    config.addinivalue_line("markers", "takes_long: a suite test that processes which share the tests begin with")
    if not config.pluginmanager.has_plugin("atlas-conformance"):
        config.pluginmanager.register(SuitePlugin.from_config(config), "atlas-conformance")


@pytest.fixture(scope="session")
def session_endpoint(pytestconfig: pytest.Config) -> Endpoint:
    """The endpoint of this run, opened on first use."""
    plugin = pytestconfig.pluginmanager.get_plugin("atlas-conformance")
    assert isinstance(plugin, SuitePlugin)
    return plugin.endpoint()


@pytest.fixture
def endpoint(session_endpoint: Endpoint, request: pytest.FixtureRequest) -> Endpoint:
    """The endpoint, told which test uses it now."""
    about = (requirement for mark in request.node.iter_markers("requirement") for requirement in mark.args)
    session_endpoint.begin_test(request.node.nodeid, about)
    return session_endpoint
