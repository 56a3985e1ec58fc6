"""Entry point: puts the project's folders on the path, hands over to the command line, and says in one sentence what
was wrong with it.
"""

from __future__ import annotations

import sys
from pathlib import Path

PROGRAM = "atlas-conformance"
_HERE = Path(__file__).resolve().parent
ROOT = _HERE if (_HERE / "contracts").is_dir() else _HERE.parent
"""The folder that holds `contracts`, `suites` and the rest: this one in an installation, the repository otherwise."""

INTERRUPTED = 4
"""The exit code of a command that was interrupted before it had anything to show: nothing was exercised."""


def main() -> None:
    """Run the command line; never returns."""
    if str(ROOT) not in sys.path:
        sys.path.insert(0, str(ROOT))
    try:
        code = _code()
    except KeyboardInterrupt:
        code = _complaint("interrupted before anything was done", INTERRUPTED)
    # An interrupt that came while a library executed text of its own making, as dataclasses does, is noted by the
    # interpreter, which then ends itself by the signal whatever was made of it. To execute any text clears the note.
    exec("")
    sys.exit(code)


def _code() -> int:
    import click

    from atlas_conformance.commands import command

    try:
        code = command.main(prog_name=PROGRAM, standalone_mode=False)
    except click.exceptions.NoArgsIsHelpError as error:
        error.show()
        return error.exit_code
    except click.ClickException as error:
        return _complaint(error.format_message(), error.exit_code)
    except click.Abort:
        raise KeyboardInterrupt from None
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else int(end.code is not None)
    return code if isinstance(code, int) else 0


def _complaint(sentence: str, code: int) -> int:
    print(f"{PROGRAM}: {sentence}", file=sys.stderr)
    return code


if __name__ == "__main__":
    main()
