"""The process of the reference endpoint: `python -m atlas_conformance.reference.child FD PARENT`.

It reads settings and resets as JSON lines from the socket FD, and ends when that is closed or its parent is gone.
"""

from __future__ import annotations

import gc
import json
import os
import signal
import socket
import sys
import traceback
from typing import Any

gc.set_threshold(50_000, 50, 100)  # before all else is loaded: it stays, and to look for garbage among it takes time

from atlas_conformance.reference.service import Service  # noqa: E402
from atlas_conformance.reference.settings import ServerError, Settings, fault_named  # noqa: E402


def _settings(wanted: dict[str, Any]) -> Settings:
    given = dict(wanted)
    for name in ("imitate", "operations", "authentication"):
        given[name] = None if given[name] is None else tuple(given[name])
    given["earlier"] = tuple((project, cluster, count) for project, cluster, count in given["earlier"])
    return Settings(**given)


def main(descriptor: int, parent: int) -> None:
    """Serve until the other end of the socket is closed, or the parent process is no longer `parent`."""
    # Ctrl-C reaches the whole process group; the parent decides when this process ends.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    control = socket.socket(fileno=descriptor)
    service: Service | None = None
    waiting = b""
    control.settimeout(1.0)
    while True:
        try:
            received = control.recv(65_536)
        except TimeoutError:
            # A process forked from the parent may hold the socket open after the parent's death.
            if os.getppid() != parent:
                break
            continue
        except OSError:
            break
        if not received:
            break
        waiting += received
        while b"\n" in waiting:
            line, _, waiting = waiting.partition(b"\n")
            answer: dict[str, Any] = {}
            try:
                wanted = json.loads(line)
                if service is None:
                    service = Service(_settings(wanted))
                    service.start()
                    answer = {"url": service.url, "seed": service.seed, "epoch": service.epoch}
                else:
                    service.reset(fault_named(wanted["fault"]), wanted["freedoms"], wanted["step"], wanted["imitate"])
            except ServerError as error:
                answer = {"failure": str(error)}
            except Exception as error:
                # The process is shared: what one order gets wrong must not take it from those that come after.
                traceback.print_exc(file=sys.stderr)
                answer = {"failure": f"the endpoint could not carry out its orders ({type(error).__name__}: {error})"}
            try:
                control.sendall(json.dumps(answer).encode() + b"\n")
            except OSError:
                break  # nobody waits for the answer any more: the next read says so
    if service is not None:
        service.stop()
    sys.stderr.flush()
    os._exit(0)  # whatever a thread may still be doing


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
