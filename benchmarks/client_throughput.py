"""How fast the client is, as ratios to bare httpcore and httpx against the same trivial loopback server.

Run with `python benchmarks/client_throughput.py [seconds per measurement]` from the root of the repository.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import sys
import time
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import httpcore
import httptools
import httpx

from atlas_conformance.contracts.exchange import Request
from atlas_conformance.http.client import Client
from atlas_conformance.http.target import Target

PATH = f"/api/atlas/v2/groups/{'a' * 24}/flexClusters/Flexy/backup/restoreJobs/{'b' * 24}"
HEADERS = (("Accept", "application/vnd.atlas.2024-11-13+json"),)
BATCH = 200
ANSWER = (
    b"HTTP/1.1 200 OK\r\nContent-Type: application/vnd.atlas.2024-11-13+json;charset=utf-8\r\nContent-Length: 402\r\n"
    b"Server: benchmark\r\nDate: Sun, 22 Nov 2026 00:00:00 GMT\r\n\r\n" + b'"' + b"x" * 400 + b'"'
)


class _Answering(asyncio.Protocol):
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._parser = httptools.HttpRequestParser(self)

    def data_received(self, data: bytes) -> None:
        self._parser.feed_data(data)

    def on_message_complete(self) -> None:
        self._transport.write(ANSWER)


def _serve(pipe: Connection) -> None:
    async def main() -> None:
        server = await asyncio.get_running_loop().create_server(_Answering, "127.0.0.1", 0)
        pipe.send(server.sockets[0].getsockname()[1])
        await server.serve_forever()

    asyncio.run(main())


def per_second(batch: Callable[[], object], seconds: float) -> float:
    """Return how many requests a second `batch`, which makes BATCH of them, sustains."""
    batch()
    count, started = 0, time.perf_counter()
    while (passed := time.perf_counter() - started) < seconds:
        batch()
        count += BATCH
    return count / passed


def main() -> None:
    """Measure each way of sending and print its rate and its ratio to bare httpcore."""
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 2.0
    ours, theirs = multiprocessing.Pipe()
    process = multiprocessing.get_context("spawn").Process(target=_serve, args=(theirs,), daemon=True)
    process.start()
    url = f"http://127.0.0.1:{ours.recv()}"
    rows: list[tuple[str, float]] = []
    try:
        with httpcore.ConnectionPool() as pool:
            core_url, raw = httpcore.URL(url + PATH), [(b"Host", b"127.0.0.1"), (b"Accept", HEADERS[0][1].encode())]
            rate = per_second(lambda: [pool.request("GET", core_url, headers=raw) for _ in range(BATCH)], seconds)
            rows.append(("httpcore, one connection pool", rate))
        with httpx.Client(trust_env=False) as plain:
            rate = per_second(lambda: [plain.get(url + PATH, headers=HEADERS) for _ in range(BATCH)], seconds)
            rows.append(("httpx.Client.get", rate))
        request = Request("GET", PATH, HEADERS)
        for workers in (1, 4):
            with Client(Target(url), workers=workers) as client:
                if workers == 1:
                    rate = per_second(lambda c=client: [c.send(request) for _ in range(BATCH)], seconds)  # type: ignore[misc]
                    rows.append(("targets.Client.send", rate))
                else:
                    rate = per_second(lambda c=client: c.send_all([request] * BATCH), seconds)  # type: ignore[misc]
                    rows.append((f"targets.Client.send_all, {workers} workers", rate))
    finally:
        process.terminate()
        process.join()
    base = rows[0][1]
    for name, rate in rows:
        print(f"{name:40} {rate:8.0f}/s  ratio {rate / base:.2f}")


if __name__ == "__main__":
    main()
