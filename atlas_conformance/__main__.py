"""Entry point: hands over to the command line, and says in one sentence what was wrong with it."""

from __future__ import annotations

import gc
import os
import sys
import traceback
from pathlib import Path

from atlas_conformance.reports.interrupts import (
    ignore_interrupts,
    is_interrupt,
    lose_no_interrupt,
    terminate_as_interrupt,
)
from atlas_conformance.reports.program import INTERRUPTED, OWN_ERROR, PROGRAM


def main() -> None:
    """Run the command line; never returns."""
    # What is loaded stays, and a run makes many small objects but no cycles to speak of: to look for garbage would take
    # a fifth of the time to start, and a tenth of a run's.
    gc.set_threshold(100_000, 50, 100)
    open_streams()
    terminate_as_interrupt()
    lose_no_interrupt()
    try:
        code = _code()
        ignore_interrupts()
    except BrokenPipeError:
        ignore_interrupts()
        code = 0  # who reads no further has what was wanted
    except (Exception, KeyboardInterrupt) as error:
        ignore_interrupts()
        if is_interrupt(error):
            code = _complaint("interrupted before anything was done", INTERRUPTED)
        else:
            code = _complaint(_own_error(error), OWN_ERROR)
    # An interrupt that came while a library executed text of its own making, as dataclasses does, is noted by the
    # interpreter, which then ends itself by the signal whatever was made of it. To execute any text clears the note.
    exec("")
    _flush()
    sys.exit(code)


def open_streams() -> None:
    """Open the null device for each standard stream that was closed, so that nothing else takes its number."""
    for number, name, mode in ((0, "stdin", "r"), (1, "stdout", "w"), (2, "stderr", "w")):
        try:
            os.fstat(number)
        except OSError:
            opened = os.open(os.devnull, os.O_RDWR)
            if opened != number:
                os.dup2(opened, number)
                os.close(opened)
        if getattr(sys, name) is None:
            setattr(sys, name, open(number, mode, encoding="utf-8", closefd=False))  # noqa: SIM115


def _flush() -> None:
    """Write out what was printed; where nobody takes it any more, the interpreter is not to complain at its end."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except OSError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def _own_error(error: BaseException) -> str:
    """Return one sentence on an error that nobody foresaw: what, and where, without any secret of the environment."""
    from atlas_conformance.http.redaction.redaction import mask_text, secrets_in

    last = traceback.extract_tb(error.__traceback__)[-1]
    said = mask_text(f"{type(error).__name__}: {error}", secrets_in(os.environ))
    return f"an error of the program itself, at {Path(last.filename).name}:{last.lineno} ({said})"


def _code() -> int:
    import click

    from atlas_conformance.cli.commands import command

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
