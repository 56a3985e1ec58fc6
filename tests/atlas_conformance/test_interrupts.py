"""Interrupts are never lost, and never come in the middle of what must be whole."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from atlas_conformance.reports.interrupts import delayed, is_interrupt, lose_no_interrupt, undisturbed
from atlas_conformance.reports.scratch import scratch_folder
from tests.atlas_conformance.program import surroundings


@pytest.fixture(autouse=True)
def interruptible() -> Iterator[None]:
    """Let SIGINT interrupt: whoever started the tests may have had it ignored."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


class Dropping:
    """What is interrupted while it is destroyed."""

    def __del__(self) -> None:
        os.kill(os.getpid(), signal.SIGINT)
        time.sleep(0.01)


def test_an_interrupt_within_a_destructor_comes_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.unraisablehook", lambda told: pytest.fail("the interrupt was dropped"))
    lose_no_interrupt()
    kept = [Dropping()]

    def drop() -> None:
        kept.clear()
        time.sleep(5)

    with pytest.raises(KeyboardInterrupt):
        drop()


class Interrupting:
    """What is interrupted while a class takes it in."""

    def __set_name__(self, owner: type, name: str) -> None:
        os.kill(os.getpid(), signal.SIGINT)
        time.sleep(0.01)


def test_an_interrupt_that_was_wrapped_while_a_class_was_made_is_one() -> None:
    with pytest.raises((KeyboardInterrupt, RuntimeError)) as caught:
        type("Made", (), {"it": Interrupting()})
    assert is_interrupt(caught.value)
    assert not is_interrupt(RuntimeError("of another kind"))


def test_an_interrupt_that_was_wrapped_ends_the_program_as_one(tmp_path: Path) -> None:
    script = (
        "from atlas_conformance import __main__ as program\n"
        "def interrupted():\n"
        "    raise RuntimeError('Error calling __set_name__') from KeyboardInterrupt()\n"
        "program._code = interrupted\n"
        "program.main()\n"
    )
    ended = subprocess.run(
        [sys.executable, "-c", script], cwd=tmp_path, env=surroundings(), capture_output=True, text=True, check=False
    )
    assert (ended.returncode, ended.stderr) == (4, "atlas-conformance: interrupted before anything was done\n")


def test_what_is_undisturbed_is_done_to_its_end() -> None:
    done = False
    with undisturbed():
        os.kill(os.getpid(), signal.SIGINT)
        done = True
    assert done


def test_what_delays_an_interrupt_lets_it_have_its_effect_afterwards() -> None:
    done = []

    def whole() -> None:
        with delayed():
            os.kill(os.getpid(), signal.SIGINT)
            done.append(True)

    with pytest.raises(KeyboardInterrupt):
        whole()
    assert done


def test_a_scratch_folder_goes_away_however_it_ends() -> None:
    made = []

    def use() -> None:
        with scratch_folder() as folder:
            made.append(folder)
            (folder / "kept").touch()
            os.kill(os.getpid(), signal.SIGINT)
            time.sleep(5)

    with pytest.raises(KeyboardInterrupt):
        use()
    assert made
    assert not made[0].exists()
