"""How well a report is a diagnosis: whole runs against the reference endpoint with one, two or three faults at once.

Of single faults it prints how many are found, for how many the first headline is the fault's own requirement, and how
many headlines each yields; of several at once, for how many draws each fault has a headline of its own. Faults are
drawn by the seed, spread over requirements and classes. With `--keep` the journals stay, and `--from` counts them
again without a run.
Usage: python benchmarks/headlines.py [--count N] [--draw 1|2|3] [--profile NAME] [--seed N] [--fault ID ...]
"""

from __future__ import annotations

import argparse
import importlib.util
import itertools
import json
import multiprocessing
import os
import statistics
import sys
import tempfile
import time
import traceback
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from multiprocessing.connection import Connection, wait
from pathlib import Path
from random import Random
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from atlas_conformance.cli.run import run_suites  # noqa: E402
from atlas_conformance.mutation.trials import Trial, fault_trials  # noqa: E402
from atlas_conformance.reference.faults import find  # noqa: E402
from atlas_conformance.reference.server import ReferenceServer  # noqa: E402
from atlas_conformance.reference.together import together  # noqa: E402
from atlas_conformance.reports.model import Report  # noqa: E402
from atlas_conformance.reports.writing import JOURNAL, report_of  # noqa: E402
from atlas_conformance.runner.options import Options  # noqa: E402
from atlas_conformance.runner.plugin import SuitePlugin  # noqa: E402
from atlas_conformance.runner.session import Session  # noqa: E402
from atlas_conformance.runner.warming import warm_up  # noqa: E402

_LIMIT = 900.0
"""Seconds after which a run is given up."""


@dataclass(frozen=True)
class Draw:
    """What one run is made against: faults of the catalogue, or one of a file of others by its place in it.

    `trials` say how each fault is recognised; `allowed` are the requirements that may lead besides.
    """

    name: str
    trials: tuple[Trial, ...]
    other: int | None = None
    allowed: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Seen:
    """What a run's report says first: a requirement, an operation, a count and a sentence for each headline."""

    name: str
    headlines: tuple[tuple[str, str, int, str], ...]
    named: tuple[bool, ...] = ()
    """For each fault, whether a headline of its own requirement stands on an operation that it shows on."""
    found: tuple[bool, ...] = ()
    first: bool = False
    verdict: str = ""
    seconds: float = 0.0
    exchanges: int = 0
    error: str | None = None
    extra: tuple[str, ...] = field(default=())


def singles(count: int | None, seed: int, faults: Sequence[str]) -> list[Draw]:
    """Return single faults: the named ones, or a number of them from all requirements and classes."""
    trials = [trial for trial in fault_trials(faults, seed=seed) if not trial.users]
    return [Draw(trial.name, (trial,)) for trial in _spread(trials, count, Random(f"headlines:{seed}"))]


def _spread(trials: list[Trial], count: int | None, random: Random) -> list[Trial]:
    """Return a number of trials, each requirement and class in turn."""
    strata: dict[tuple[str, str], list[Trial]] = defaultdict(list)
    for trial in trials:
        strata[trial.requirement or "", trial.kind].append(trial)
    decks = list(strata.values())
    random.shuffle(decks)
    for deck in decks:
        random.shuffle(deck)
    dealt = [trial for round_ in itertools.zip_longest(*decks) for trial in round_ if trial is not None]
    return dealt[:count]


def several(size: int, count: int, seed: int) -> list[Draw]:
    """Return draws of several faults at once, on different operations."""
    trials = [trial for trial in fault_trials(seed=seed) if not trial.users and not find(trial.name).pause]
    random, draws = Random(f"together:{seed}"), []
    while len(draws) < count:
        chosen = random.sample(trials, size)
        try:
            together([find(trial.name) for trial in chosen])
        except ValueError:
            continue
        draws.append(Draw("+".join(trial.name for trial in chosen), tuple(chosen)))
    return draws


def others(path: Path) -> list[Any]:
    """Return the `OTHERS` of a file: each has a `name`, the `requirements` that may lead, and `wrap`, which makes of an
    endpoint's `handle` one that is wrong.
    """
    spec = importlib.util.spec_from_file_location("others", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["others"] = module
    spec.loader.exec_module(module)
    return list(module.OTHERS)


class _Wrapped:
    """The endpoint behind what makes it wrong."""

    def __init__(self, endpoint: Any, wrap: Callable[[Any], Any]) -> None:
        self.pause, self.backend, self.url = endpoint.pause, endpoint.backend, endpoint.url
        self.handle, self.place = wrap(endpoint.handle), endpoint.place


def seen_of(draw: Draw, report: Report) -> Seen:
    """Return what a report says first of a draw."""
    heads = [(d.requirement, d.headline.operation, d.count, d.sentence) for d in report.defects]
    extents = [frozenset((d.requirement, o) for o in d.operations) for d in report.defects]
    groups = (*report.groups, *report.advice)
    if draw.other is not None:
        right = bool(heads) and heads[0][0] in draw.allowed
        found = any(group.requirement in draw.allowed for group in groups)
        return Seen(draw.name, tuple(heads), (right,), (found,), right, report.verdict)
    named, free = [], set(range(len(heads)))
    for trial in draw.trials:
        own = next((i for i in sorted(free) if _catches(trial, extents[i])), None)
        free.discard(-1 if own is None else own)
        named.append(own is not None)
    found = tuple(any(trial.catches(group.finding) for group in groups) for trial in draw.trials)
    first = bool(heads) and any(heads[0][0] == trial.requirement for trial in draw.trials)
    return Seen(draw.name, tuple(heads), tuple(named), found, first, report.verdict)


def _catches(trial: Trial, pairs: frozenset[tuple[str, str]]) -> bool:
    from atlas_conformance.contracts.finding import Finding

    return any(trial.catches(Finding(requirement, operation, "", "", "")) for requirement, operation in pairs)


def _one(results: Connection, draw: Draw, server: ReferenceServer, options: Options, keep: Path | None) -> None:
    started = time.monotonic()
    try:
        with tempfile.TemporaryDirectory(prefix="headlines-") as folder:
            session = Session(
                Options(profile=options.profile, seed=options.seed, workers=1, report=Path(folder)), server=server
            )
            plugin = SuitePlugin(session, show=lambda finished: None)
            run_suites(plugin)
            report = session.report
            if report is None:
                results.send(Seen(draw.name, (), error=plugin.failure or "there is no report"))
                return
            if keep is not None:
                (Path(folder) / JOURNAL).rename(_kept(keep, draw))
            seen = asdict(seen_of(draw, report))
            error = report.errors[0].message if report.errors else None
            seen |= {"seconds": time.monotonic() - started, "exchanges": report.exchanges, "error": error}
            results.send(Seen(**seen))
    except BaseException:
        results.send(Seen(draw.name, (), error=traceback.format_exc(limit=-3)))
    finally:
        results.close()
        os._exit(0)


def _kept(folder: Path, draw: Draw) -> Path:
    return folder / (draw.name.replace("/", "~") + ".jsonl")


def _work(results: Connection, draws: list[Draw], options: Options, file: Path | None, keep: Path | None) -> None:
    warm_up()
    wraps = others(file) if file is not None else []
    context = multiprocessing.get_context("fork")
    with ReferenceServer(seed=7, in_process=True) as server:
        for draw in draws:
            faults = [find(trial.name) for trial in draw.trials]
            server.reset(fault=faults[0] if len(faults) == 1 else together(faults) if faults else None)
            if draw.other is not None:
                application, wrap = server.service._application, wraps[draw.other].wrap
                server.service.call(lambda: setattr(application, "endpoint", _Wrapped(application.endpoint, wrap)))  # noqa: B023
            here, there = context.Pipe(duplex=False)
            child = context.Process(target=_one, args=(there, draw, server, options, keep))
            child.start()
            there.close()
            try:
                ended = here.poll(_LIMIT)
                results.send(here.recv() if ended else Seen(draw.name, (), error=f"no end after {_LIMIT:.0f} s"))
            except EOFError:
                results.send(Seen(draw.name, (), error="the run ended without a word"))
            finally:
                child.kill()
                child.join()
    results.close()


def run_all(
    draws: list[Draw], options: Options, processes: int, file: Path | None, keep: Path | None
) -> Iterator[Seen]:
    """Run every draw on this many processes, and yield what each comes to."""
    context = multiprocessing.get_context("fork")
    pipes: list[Connection] = []
    workers = []
    for share in (draws[start::processes] for start in range(processes)):
        if share:
            here, there = context.Pipe(duplex=False)
            worker = context.Process(target=_work, args=(there, share, options, file, keep))
            worker.start()
            there.close()
            pipes.append(here)
            workers.append(worker)
    try:
        while pipes:
            for ready in wait(pipes):
                assert isinstance(ready, Connection)
                try:
                    yield ready.recv()
                except EOFError:
                    pipes.remove(ready)
    finally:
        for worker in workers:
            worker.terminate()
            worker.join()


def lines_of(seen: Seen) -> list[str]:
    """Return a run that did not come out as it should, a line for it and one for each headline."""
    state = "right" if seen.first else "wrong first" if seen.headlines else "nothing found"
    lines = [f"{seen.name}: {state}, {len(seen.headlines)} headlines{'' if all(seen.named) else ', one missing'}"]
    lines += [f"    {r} {o} ({count}): {sentence[:150]}" for r, o, count, sentence in seen.headlines[:6]]
    return lines + ([f"    error: {seen.error.strip().splitlines()[-1]}"] if seen.error else [])


def figures(every: Sequence[Seen]) -> list[str]:
    """Return the figures over all runs, a sentence each."""
    total = len(every) or 1
    counts = [len(seen.headlines) for seen in every]
    size = max((len(seen.named) for seen in every), default=1)

    def share(count: int) -> str:
        return f"{count} of {total} ({100 * count / total:.1f} of 100)"

    return [
        f"found: {share(sum(bool(seen.found) and all(seen.found) for seen in every))}",
        f"first headline right: {share(sum(seen.first for seen in every))}",
        f"each fault a headline of its own: {share(sum(bool(s.named) and all(s.named) for s in every))}",
        f"headlines: median {statistics.median(counts or [0]):g}",
        f"as many headlines as faults: {share(sum(count == size for count in counts))}",
        f"at most one more: {share(sum(0 < count <= size + 1 for count in counts))}",
    ]


def main() -> None:
    """Draw, run or read, print each run that is not as it should be, then the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=80)
    parser.add_argument("--draw", type=int, choices=(1, 2, 3), default=1)
    parser.add_argument("--profile", choices=("quick", "standard", "thorough"), default="quick")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--fault", action="append", default=[])
    parser.add_argument("--others", type=Path, help="a Python file with OTHERS instead of the catalogue")
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--keep", type=Path)
    parser.add_argument("--from", dest="kept", type=Path)
    parser.add_argument("--all", action="store_true", help="print the runs that came out well, too")
    given = parser.parse_args()
    if given.others is not None:
        draws = [
            Draw(other.name, (), place, frozenset(other.requirements))
            for place, other in enumerate(others(given.others))
            if not given.fault or other.name in given.fault
        ]
    elif given.draw == 1:
        draws = singles(given.count, given.seed, given.fault)
    else:
        draws = several(given.draw, given.count, given.seed)
    started = time.monotonic()
    if given.kept is not None:
        found = ((d, _kept(given.kept, d)) for d in draws)
        stream: Iterator[Seen] = (seen_of(d, report_of(path)) for d, path in found if path.exists())
    else:
        if given.keep is not None:
            given.keep.mkdir(parents=True, exist_ok=True)
        options = Options(profile=given.profile, seed=given.seed)
        stream = run_all(draws, options, given.processes, given.others, given.keep)
    every = []
    for seen in stream:
        every.append(seen)
        if given.all or seen.error or not seen.first or not all(seen.named) or len(seen.headlines) != len(seen.named):
            print("\n".join(lines_of(seen)), flush=True)
    print(f"\n{len(every)} runs in {time.monotonic() - started:.0f} s")
    print("\n".join(figures(every)))
    if given.keep is not None:
        (given.keep / "seen.json").write_text(json.dumps([asdict(seen) for seen in every], indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()
