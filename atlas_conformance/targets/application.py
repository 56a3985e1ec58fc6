"""An ASGI application of this Python, served by uvicorn on a free port for as long as a run takes."""

from __future__ import annotations

import contextlib
import importlib.util
import os
import re
import socket
import subprocess
import sys
import tempfile

from atlas_conformance.http.failures import TargetError

STARTS_WITHIN = 30.0
"""Seconds that an application may take until it answers, where nobody says otherwise."""

_NAME = re.compile(r"[A-Za-z_][\w.]*:[A-Za-z_][\w.]*")


class Application:
    """An application in a process of its own; `url` is where it answers once it has started."""

    def __init__(self, name: str) -> None:
        """Start serving the application `name`, as `module:attribute`, without waiting for it.

        Raises TargetError where that is no such name, or uvicorn is not installed.
        """
        if not _NAME.fullmatch(name):
            raise TargetError(f"--app is {name!r}; write module:attribute, such as mock:app")
        if importlib.util.find_spec("uvicorn") is None:
            raise TargetError("--app needs uvicorn, which is not installed: pip install 'atlas-conformance[app]'")
        self.name = name
        self._said = tempfile.TemporaryFile()  # noqa: SIM115
        with socket.socket() as bound:
            # Bound here and not listened on: until the application answers, connections are refused.
            bound.bind(("127.0.0.1", 0))
            self.url = f"http://127.0.0.1:{bound.getsockname()[1]}"
            module = "atlas_conformance.targets.serving"
            self._process = subprocess.Popen(
                [sys.executable, "-m", module, name, str(bound.fileno()), str(os.getpid())],
                pass_fds=[bound.fileno()], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=self._said,
                start_new_session=True,  # Ctrl-C is for the run, which ends the application when it is done with it
            )  # fmt: skip

    def failure(self) -> str | None:
        """Return why the application is not served any more, in one sentence, or None while it is."""
        code = self._process.poll()
        if code is None:
            return None
        self._said.seek(0)
        lines = self._said.read()[-20_000:].decode("utf-8", "replace").strip().splitlines()
        last = lines[-1].strip() if lines else f"it ended with code {code}"
        return f"the application {self.name} could not be served: {last.removeprefix('ERROR:').strip()}"

    def stop(self) -> None:
        """End the application; harmless when called again."""
        if self._process.poll() is None:
            self._process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(5)
            if self._process.poll() is None:
                self._process.kill()
                self._process.wait()
        self._said.close()
