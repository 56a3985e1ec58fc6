"""Exceptions leave the process that they are raised in: pools of processes and pytest's workers pickle them."""

from __future__ import annotations

import copy
import importlib
import inspect
import pickle
import pkgutil
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from typing import Any, get_type_hints

import atlas_conformance
from atlas_conformance import Contract, Exchange, Failure, Finding, Judge, Request, RequirementFailed, Response

LEFT_OUT = ("__main__", "conftest", "load")
"""`load` patches the process that imports it; its exceptions take a sentence and nothing else."""
TARGET = "/api/atlas/v2/groups/32b6e34b3d91647abb20e7b8/flexClusters/Flex0/backup/restoreJobs"
REQUEST = Request("GET", TARGET, (("Accept", "application/vnd.atlas.2024-11-13+json"),))
EXCHANGE = Exchange(REQUEST, Response(200, (("Content-Type", "text/plain"),), b"nonsense"), 1.0, 1.1)


def findings() -> tuple[Finding, ...]:
    return tuple(Judge().judge(EXCHANGE).findings)


def failures() -> tuple[Failure, ...]:
    return tuple(Failure.of(finding, EXCHANGE, Contract.load()) for finding in findings())


def kinds() -> Iterator[type[BaseException]]:
    """Every public exception of the package."""
    for found in pkgutil.walk_packages(atlas_conformance.__path__, "atlas_conformance."):
        if set(LEFT_OUT) & set(found.name.split(".")):
            continue
        module = importlib.import_module(found.name)
        for name, kind in vars(module).items():
            own = inspect.isclass(kind) and issubclass(kind, BaseException) and kind.__module__ == found.name
            if own and not name.startswith("_"):
                yield kind


def made(kind: type[BaseException]) -> BaseException:
    """Return one of a kind, its arguments by the types that it says they have."""
    if "__init__" not in {name for base in kind.__mro__ if base.__module__ != "builtins" for name in vars(base)}:
        return kind("a sentence")
    samples: dict[Any, Any] = {int: 429, str: "a sentence", bool: True, Request: REQUEST}
    given: dict[str, Any] = {}
    for name, hint in get_type_hints(kind.__init__, vars(importlib.import_module(kind.__module__))).items():
        if name == "failures":
            given[name] = failures()
        elif name == "findings":
            given[name] = findings()
        elif name in ("place", "parameters"):
            given[name] = ("a", "b")
        elif name in ("fields", "headers"):
            given[name] = (("a", "b"),)
        elif name == "cause":
            given[name] = "timeout"
        elif name != "return":
            given[name] = samples[hint]
    return kind(**given)


def test_every_exception_is_the_same_once_pickled_and_copied() -> None:
    seen = set()
    for kind in kinds():
        seen.add(kind.__name__)
        error = made(kind)
        error.add_note("seen in a worker")
        for again in (pickle.loads(pickle.dumps(error)), copy.copy(error), copy.deepcopy(error)):
            assert type(again) is kind
            assert str(again) == str(error)
            assert again.args == error.args
            assert vars(again) == vars(error)
    assert {"RequirementFailed", "ServerError", "ScenarioError", "MarkerError", "NoAnswer", "Refusal"} <= seen


def test_a_failure_leaves_a_process_of_a_pool() -> None:
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        failed = pool.submit(RequirementFailed, failures()).result(60)
    assert failed.failures == failures()
    assert failed.requirement == failed.failure.requirement == failures()[0].requirement
