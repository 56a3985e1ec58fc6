"""Serving an ASGI application on a free port of loopback, and running the suites against a base URL alone."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import uvicorn

from atlas_conformance.cli.run import run_suites
from atlas_conformance.reports.model import Report
from atlas_conformance.runner.options import Options
from atlas_conformance.runner.plugin import SuitePlugin
from atlas_conformance.runner.session import Session


@contextmanager
def served(app: Callable[..., Any]) -> Iterator[str]:
    """Serve an application; yield its URL."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = uvicorn.Server(uvicorn.Config(app, log_level="critical", lifespan="off"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
        thread.start()
        try:
            while not server.started:
                time.sleep(0.01)
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join(10)


def run_at(url: str, environ: Mapping[str, str] | None = None, **options: Any) -> tuple[int, Report | None, str | None]:
    """Run the suites against a base URL; return the exit code, the report, and why there is none."""
    options = {"profile": "quick", "seed": 3, "base_url": url, **options}
    plugin = SuitePlugin(Session(Options(**options), environ=environ or {}), show=lambda finished: None)
    code = run_suites(plugin)
    return code, plugin.session.report, plugin.failure


def exercised(report: Report) -> int:
    """The number of requirements that a run exercised."""
    return sum(row.exercised > 0 for row in report.rows.values())


def described(folder: Path, text: str) -> str:
    """Write a target file and return its path."""
    file = folder / "target.toml"
    file.write_text(text, encoding="utf-8")
    return str(file)
