"""`atlas-conformance record`: a relay that records and judges the traffic to one endpoint."""

from __future__ import annotations

import asyncio
import signal
import ssl
import sys
from pathlib import Path
from urllib.parse import urlsplit

import click
from rich.console import Console

from atlas_conformance.cli.journalled import verbose_option
from atlas_conformance.http.failures import TargetError
from atlas_conformance.http.hosts import is_loopback_host
from atlas_conformance.http.redaction.redaction import redact
from atlas_conformance.http.target import checked_base_url
from atlas_conformance.recordings.checking import Examination, evidence_lines, header_of, unjudged_lines
from atlas_conformance.recordings.entries import Recorded
from atlas_conformance.recordings.har_writing import HarWriter
from atlas_conformance.recordings.masking import Masking
from atlas_conformance.recordings.relay import Relay, Upstream
from atlas_conformance.recordings.watched import Watched
from atlas_conformance.reports.interrupts import terminate_as_interrupt
from atlas_conformance.reports.output import to_reader
from atlas_conformance.reports.program import PROGRAM
from atlas_conformance.reports.terminal import print_report
from atlas_conformance.reports.wording import one_line, visible

_USAGE = 2


def _upstream(context: click.Context, parameter: click.Parameter, url: str) -> Upstream:
    try:
        checked_base_url(url, "--upstream")
    except TargetError as problem:
        raise click.UsageError(str(problem)) from None
    parts = urlsplit(url)
    if parts.path not in ("", "/"):
        raise click.BadParameter("leave out the path: the paths of clients stay as they are.")
    assert parts.hostname is not None
    secure = parts.scheme == "https"
    if not secure and not is_loopback_host(parts.hostname):
        raise click.BadParameter(
            f"{parts.hostname} is another machine, and over plain http everyone on the way could read the credentials"
            " that go by: use https."
        )
    tls = ssl.create_default_context() if secure else None
    return Upstream(parts.hostname, parts.port or (443 if secure else 80), parts.netloc, tls)


@click.command("record")
@click.option(
    "--upstream", required=True, metavar="URL", callback=_upstream, help="Base URL of the endpoint, without a path."
)
@click.option(
    "--port", type=click.IntRange(0, 65_535), default=0, help="Port on 127.0.0.1 to listen on; 0 takes a free one."
)
@click.option("--out", required=True, type=click.Path(path_type=Path, dir_okay=False), metavar="FILE.har")
@click.option("--strict", is_flag=True, help="Known departures of the real service fail too.")
@verbose_option
def record_command(upstream: Upstream, port: int, out: Path, strict: bool, verbose: bool) -> None:
    """Record the traffic to an endpoint and judge it as it passes, until Ctrl-C.

    Point a client at the printed address instead of the endpoint. Every byte is forwarded as it is, except the name in
    the Host line. Exchanges of the contract's operations are written to FILE.har, with credentials masked.

    \b
    Exit codes:
      0  everything that was exercised holds
      1  a requirement fails
      2  wrong usage, or a file or port that cannot be used
      4  nothing was exercised
    """
    scheme = "https" if upstream.context is not None else "http"
    examination = Examination(header_of([str(out)], strict=strict), strict=strict)
    try:
        with HarWriter(out, f"{scheme}://{upstream.authority}") as har:
            asyncio.run(_listen(upstream, port, _Desk(examination, har)))
    except OSError as problem:
        if isinstance(problem, BrokenPipeError):
            raise
        reason = (problem.strerror or str(problem)).lower()
        what = f"port {port}" if problem.filename is None and port else str(problem.filename or out)
        click.echo(f"{PROGRAM}: {visible(what)} cannot be used: {reason}", err=True)
        sys.exit(_USAGE)
    terminate_as_interrupt()  # the loop has put things back as they were
    checked = examination.finish()
    with to_reader():
        print_report(checked.report, Console(), written=(out,), verbose=verbose)
        for line in (*evidence_lines(checked.report), *unjudged_lines(checked)):
            print(visible(line))
    sys.exit(checked.report.exit_code)


class _Desk:
    """Takes each exchange as it goes by: judges it, records it, and prints findings that are new."""

    def __init__(self, examination: Examination, har: HarWriter) -> None:
        self._examination = examination
        self._har = har
        self._masking = Masking()
        self._shown: set[tuple[str, str, str]] = set()

    def take(self, watched: Watched) -> None:
        """Take one exchange."""
        entry = watched.entry(self._masking)
        if not isinstance(entry, Recorded):
            self._examination.unjudged.add(entry.reason)
            return
        findings = self._examination.judge(entry)
        shown = redact(entry.exchange, echoes=False)
        self._har.add(shown)
        request = one_line(f"{shown.request.method} {shown.request.target}", 200)
        click.echo(f"{request}: {shown.response.status}")
        for finding in findings:
            if finding.fails and finding.key not in self._shown:
                self._shown.add(finding.key)
                words = f"{finding.requirement} at {finding.pointer}: expected {finding.expected}, seen {finding.seen}"
                click.secho(f"  {one_line(words, 400)}", fg="red")


async def _listen(upstream: Upstream, port: int, desk: _Desk) -> None:
    relay = Relay(upstream, desk.take, lambda sentence: click.echo(f"{PROGRAM}: {visible(sentence)}", err=True))
    server = await asyncio.start_server(relay.serve, "127.0.0.1", port)
    listening = server.sockets[0].getsockname()[1]
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stopped.set)
    click.echo(f"Recording http://127.0.0.1:{listening}, passed on to {upstream.authority}; Ctrl-C ends it.")
    sys.stdout.flush()
    async with server:
        await stopped.wait()
        server.close()
        await relay.stop()
