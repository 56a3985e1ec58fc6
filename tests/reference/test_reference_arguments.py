"""What the reference endpoint and the mock are asked for: a slip is one sentence, before anything is started."""

from __future__ import annotations

import re
from typing import Any

import pytest

from atlas_conformance.contracts.inventory import Inventory
from atlas_conformance.reference.directions import Rule
from atlas_conformance.reference.mock import MockAtlas
from atlas_conformance.reference.server import ReferenceServer, ServerError

WRONG = [
    ({"step": "x"}, "step is a number of seconds, not 'x'"),
    ({"step": True}, "step is a number of seconds, not True"),
    ({"seed": "1"}, "seed is a whole number, not '1'"),
    ({"freedoms": ["charset"]}, "freedoms is a mapping of freedoms to choices, such as {'charset': 'all'}, not ['ch"),
    ({"freedoms": {"charset": None}}, "freedoms is a mapping of freedoms to choices"),
    ({"freedoms": {"charst": "all"}}, "there is no freedom 'charst'; did you mean 'charset'?"),
    ({"imitate": "K-EMPTY-URL"}, "imitate is a list of known departures, such as ['K-EMPTY-URL'], not 'K-EMPTY-URL'"),
    ({"fault": ["flex-list/always-next"]}, "fault is the id of one fault"),
    ({"level": None}, "level is a level, such as 'core', not None"),
    ({"level": "cor"}, "there is no level 'cor'"),
    ({"operations": "flex-get"}, "operations is a list of ids of operations, such as ['flex-get'], not 'flex-get'"),
    ({"operations": [1]}, "operations is a list of ids of operations"),
    ({"operations": ["flex-gte"]}, "there is no operation 'flex-gte'; did you mean 'flex-get'?"),
    ({"operations": ["something else"]}, "there is no operation 'something else'; known: "),
    ({"authentication": "digest"}, "authentication is a list of schemes, such as ['digest'], or [] for none, not 'd"),
    ({"authentication": None}, "authentication is a list of schemes"),
    ({"authentication": ["digets"]}, "authentication is digest, bearer, both or none"),
    ({"rate": 1.5}, "rate is a whole number of requests a minute, not 1.5"),
    ({"latency": "1"}, "latency is a number of seconds, not '1'"),
    ({"latency": -1}, "a latency of -1 s makes no sense"),
    ({"nonce_life": float("nan")}, "a nonce_life of nan s makes no sense"),
    ({"port": "80"}, "port is a whole number, not '80'"),
    ({"host": 5}, "host is a name or an address, not 5"),
    ({"inventory": {}}, "inventory is an Inventory, not {}"),
    ({"earlier": [1]}, "earlier is a mapping of (project, name) to a number of jobs, not [1]"),
    ({"disturbances": {"resets": "x"}}, "disturbances is a mapping of disturbances to numbers"),
]


def said(made: Any) -> str:
    with pytest.raises(ServerError) as raised, made() as server:
        pytest.fail(f"{server} was started")
    return str(raised.value)


@pytest.mark.parametrize(("given", "sentence"), WRONG)
def test_an_argument_that_cannot_be_meant_is_one_sentence(given: dict[str, Any], sentence: str) -> None:
    for made in (lambda: ReferenceServer(**given), lambda: ReferenceServer(in_process=True, **given)):
        assert sentence in said(made)
    assert sentence in said(lambda: MockAtlas(**given))


def test_arguments_of_a_type_that_is_obviously_meant_are_taken() -> None:
    given: dict[str, Any] = {"operations": {"flex-get", "flex-list"}, "authentication": {"digest"}, "latency": 0}
    with ReferenceServer(in_process=True, imitate=[], fault=None, inventory=Inventory(), **given) as server:
        assert server.schemes == ("digest",)


def test_a_long_value_is_named_by_its_type() -> None:
    assert said(lambda: ReferenceServer(fault=["x" * 100])).endswith(", not a list")  # type: ignore[arg-type]


@pytest.mark.parametrize("in_process", [True, False])
def test_a_reset_that_cannot_be_meant_leaves_the_endpoint_as_it_is(in_process: bool) -> None:
    no_reset = [{"fault": 5}, {"fault": "x/y"}, {"step": "x"}, {"imitate": "K-EMPTY-URL"}, {"freedoms": "charset"}]
    with ReferenceServer(in_process=in_process, seed=1) as server:
        for wrong in no_reset:
            with pytest.raises(ServerError):
                server.reset(**wrong)  # type: ignore[arg-type]
            assert server.is_running
        server.reset(fault="flex-list/always-next")
    assert not server.is_running


def test_a_mock_says_which_arguments_it_takes() -> None:
    for name in ("nope", "control", "in_process"):
        with pytest.raises(TypeError, match=rf"MockAtlas takes scenario, seed, step, tls, .*freedoms.*, not {name}$"):
            MockAtlas(**{name: True})
    with pytest.raises(ServerError, match="scenario is a Scenario or the path of a scenario file, not 5"):
        MockAtlas(5)  # type: ignore[arg-type]


def test_a_mock_refuses_names_of_what_there_is_not() -> None:
    with MockAtlas() as mock:
        cluster = mock.cluster("flex")
        for wrong, sentence in (
            ({"cluster": "Flx0"}, "there is no cluster 'Flx0'; did you mean 'Flex0'?"),
            ({"project": "x"}, "there is no project 'x'; known: "),
            ({"snapshot": cluster.project}, f"there is no snapshot '{cluster.project}'"),
        ):
            with pytest.raises(ValueError, match=re.escape(sentence)):
                mock.fail_next_restore(**wrong)
        mock.fail_next_restore(project=cluster.project, cluster=cluster.name, snapshot=cluster.snapshots[0])
        with pytest.raises(ValueError, match="there is no operation 'flex-gte'"):
            mock.answer_next(503, operations=["flex-gte"])
        with pytest.raises(ValueError, match=r"operations is a list of ids of operations, such as .*, not 'flex-get'"):
            mock.answer_next(503, operations="flex-get")
        with pytest.raises(ValueError, match="there is no HTTP status 5030"):
            mock.answer_next(5030)
        with pytest.raises(ValueError, match="there is no HTTP status 5030"):
            mock.add_rule(Rule(status=5030))
        with pytest.raises(LookupError, match="there is no felx cluster"):
            mock.cluster("felx")  # type: ignore[arg-type]
