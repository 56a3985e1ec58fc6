"""What a master and its workers tell each other, over the engine's own connection.

Secrets never pass: each machine has the target file and its credentials itself.
"""

from __future__ import annotations

HELLO = "hammer-hello"
"""Worker: I am here. `host`, `folder`."""

PLAN = "hammer-plan"
"""Master: this is what is asked for. `plan`, `parts`, `name`."""

REFUSED = "hammer-refused"
"""Master: you are not wanted. `reason`."""

READY = "hammer-ready"
"""Worker: the endpoint was looked at, and the requests are drawn."""

FAILED = "hammer-failed"
"""Worker: I cannot take part. `reason`."""

LINES = "hammer-lines"
"""Worker: the next piece of a file. `file`, `start` (bytes), `data`."""

COUNTS = "hammer-counts"
"""Worker: how far I am. `requests`, `failures`."""

OVER = "hammer-over"
"""Either way: it is time to end. From a worker: `reason`, None where a requirement to stop at has failed, and `lost`:
whether the endpoint no longer answers.
"""

REMOTE = "hammer-remote"
"""Either way: the endpoint turned out to be a remote one. `reason`."""

ENDED = "hammer-ended"
"""Worker: all that I have written was sent."""

PIECE = 256 * 1024
"""The bytes of a file that one message carries at most."""
