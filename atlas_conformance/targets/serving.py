"""The process of an ASGI application: `python -m atlas_conformance.targets.serving MODULE:ATTRIBUTE FD PARENT`.

It serves the application on the bound socket FD, and ends when its parent is gone.
"""

from __future__ import annotations

import os
import sys
import threading
import time


def _end_with(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(0.2)
    os._exit(0)


def main(application: str, descriptor: int, parent: int) -> None:
    """Serve until ended from outside, or until the parent process is no longer `parent`."""
    import uvicorn

    threading.Thread(target=_end_with, args=(parent,), daemon=True).start()
    sys.path.insert(0, os.getcwd())
    uvicorn.run(application, fd=descriptor, log_level="error", access_log=False, timeout_graceful_shutdown=2)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
