"""What is verified: an endpoint that is named, or one that the run starts itself and stops at its end."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping
from dataclasses import replace

from atlas_conformance.http.target import Target, with_schemes
from atlas_conformance.reference.credentials import environment
from atlas_conformance.reference.fixtures import target_toml
from atlas_conformance.reference.server import ReferenceServer, ServerError
from atlas_conformance.runner.header import as_asked
from atlas_conformance.runner.options import Options
from atlas_conformance.runner.outcomes import ReferenceFailed
from atlas_conformance.targets.application import Application
from atlas_conformance.targets.target_file import target_from_file, target_from_text, target_from_url


class Served:
    """The endpoint of a run, by its options: a target file, a URL, an application, or else the reference endpoint.

    `server` is a reference endpoint that already runs; `given` is the target as the options would describe it.
    """

    def __init__(
        self,
        options: Options,
        environ: Mapping[str, str],
        server: ReferenceServer | None = None,
        given: Target | None = None,
    ) -> None:
        self._options = options
        self._environ = environ
        self._server = server
        self._given = given
        self._own: ReferenceServer | None = None
        self._application: Application | None = None

    def launch(self) -> None:
        """Start the reference endpoint, if that is what is verified, without waiting for it: much else is to be loaded.

        Why it cannot be started, `target` tells.
        """
        named = self._options.app is not None or self._options.target is not None or self._options.base_url is not None
        if not named and self._server is None and self._given is None:
            server = ReferenceServer(seed=self._options.seed)
            with contextlib.suppress(ServerError):
                server.launch()
                self._own = server

    def target(self) -> Target:
        """Return the target, started if it has to be. Raises TargetError, or ReferenceFailed."""
        if self._given is not None:
            return self._given
        if self._options.app is not None:
            target = self._application_target(self._options.app)
        elif self._options.target is not None:
            target = target_from_file(self._options.target, self._environ)
        elif self._options.base_url is not None:
            target = target_from_url(self._options.base_url, self._environ)
        else:
            target = self._reference_target()
        return as_asked(target, self._options)

    @property
    def failure(self) -> Callable[[], str | None] | None:
        """What says why the application will never answer; None where none is served."""
        return None if self._application is None else self._application.failure

    @property
    def ends_with_run(self) -> bool:
        """Whether it is a reference endpoint of the run's own, which takes its jobs with it."""
        return self._own is not None

    def stop(self) -> None:
        """Stop what was started; harmless when called again."""
        application, self._application = self._application, None
        if application is not None:
            application.stop()
        server, self._own = self._own, None
        if server is not None:
            server.stop()

    def _application_target(self, app: str) -> Target:
        """Start the application, and return the target that it is, described by the target file if there is one."""
        served = self._application = self._application or Application(app)
        if self._options.target is None:
            return target_from_url(served.url, self._environ)
        named = {**self._environ, "MONGODB_ATLAS_BASE_URL": served.url}
        return replace(target_from_file(self._options.target, named), base_url=served.url)

    def _reference_target(self) -> Target:
        server = self._server
        if server is None:
            try:
                server = self._own = self._own or ReferenceServer(seed=self._options.seed)
                server.__enter__()
            except ServerError as error:
                raise ReferenceFailed(str(error)) from None
        text = target_toml(server.url, server.inventory)
        target = target_from_text(text, dict(environment(server.credentials)))
        return with_schemes(target, server.schemes)
