"""What is wrong with a contract's data is said when it is loaded: which file, where, what, and what would be right."""

from __future__ import annotations

import copy
import json
import random
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import tomlkit
import yaml

from atlas_conformance import Chronicle, Contract, ContractError, Exchange, Knowledge, Request, Response
from atlas_conformance.contracts.contract import FOLDER
from tests.contracts.own_contract import MEDIA, WIDGET, WIDGETS, Change, Data, write


def put(place: str, value: Any) -> Change:
    """Put a value at a place of the list of widgets, steps separated by spaces."""

    def change(data: Data) -> None:
        node, (*steps, last) = data.listing, place.split()
        for step in steps:
            node = node[step]
        node[last] = value

    return change


def drop(place: str) -> Change:
    def change(data: Data) -> None:
        node, (*steps, last) = data.listing, place.split()
        for step in steps:
            node = node[step]
        del node[last]

    return change


def rename(before: str, after: str) -> Change:
    return lambda data: data.listing.update({after: data.listing.pop(before)})


def parameter(name: str, **keys: Any) -> Change:
    """Change keys of a shared parameter; `_` stands for a hyphen, None removes one."""

    def change(data: Data) -> None:
        for key, value in keys.items():
            data.parameters[name].pop(key.replace("_", "-"), None)
            if value is not None:
                data.parameters[name][key.replace("_", "-")] = value

    return change


def listed(**described: Any) -> Change:
    return lambda data: data.listing["parameters"].append({key.strip("_"): one for key, one in described.items()})


def refers(name: str, **parameters: str) -> Change:
    """Let the list of widgets refer to a parameter, and parameters refer to others."""

    def change(data: Data) -> None:
        data.parameters.update({one: {"$ref": f"#/components/parameters/{other}"} for one, other in parameters.items()})
        data.listing["parameters"].append({"$ref": f"#/components/parameters/{name}"})

    return change


def path(template: str) -> Change:
    return lambda data: data.openapi["paths"].update({template: data.openapi["paths"].pop(WIDGETS)})


def catalogue(before: str, after: str) -> Change:
    def change(data: Data) -> None:
        head, found, rest = data.requirements.rpartition(before)
        assert found
        data.requirements = head + after + rest

    return change


def schema(name: str, **keys: Any) -> Change:
    """Change keys of a schema file; a `ref` stands for `$ref`."""
    return lambda data: data.schemas[name].update({key.replace("ref", "$ref"): one for key, one in keys.items()})


def text(name: str, content: str | None) -> Change:
    return lambda data: data.files.update({name: content})


def added(name: str, content: str) -> Change:
    """Add text to the end of one of the package's files."""
    return text(name, (FOLDER / name).read_text("utf-8") + content)


_K = '[K]\nstatement = "x"\nevidence = "x"\nrequirement = "C-SCHEMA"\non = "jobs"\nsubjects = [""]\n[[K.places]]\n'
_IN = "schema = 'error.json#/x'\npointer = '/x'\nwhen = {}\n"
WRONG: dict[str, tuple[Change, str]] = {
    "x-resource misspelt": (rename("x-resource", "x-resorce"), "widget-list: x-resource is missing .x-resorce is no"),
    "x-level missing": (drop("x-level"), "openapi.yaml: widget-list: x-level is missing: x-level is one of core, ext"),
    "x-level unknown": (put("x-level", "wrkflow"), "widget-list › x-level: x-level is one of .*, not 'wrkflow'"),
    "x-kind unknown": (put("x-kind", "lst"), "x-kind is one of create, get, list, cancel, delete, not 'lst'"),
    "x-sunset a text": (put("x-sunset", "yes"), "widget-list › x-sunset: x-sunset is true or false, not 'yes'"),
    "an extension unknown": (put("x-shraded", True), "widget-list: 'x-shraded' is no key here: is x-sharded meant"),
    "a key unknown": (put("requestBdy", {}), "widget-list: 'requestBdy' is no key here: is requestBody meant"),
    "operationId missing": (drop("operationId"), "openapi.yaml: GET .*/widgets: operationId is missing"),
    "operationId twice": (put("operationId", "flex-get"), "GET .* and GET .* have one operationId, flex-get; each"),
    "responses no object": (put("responses", []), "widget-list › responses: responses is an object with a response"),
    "no success": (drop("responses 200"), "widget-list › responses: there is exactly one status from 200 .*, not none"),
    "two successes": (put("responses 201", {}), "there is exactly one status from 200 to 299, not 200, 201"),
    "a response default": (put("responses default", {}), "responses: 'default' is no key here: .* three digits"),
    "a response to nothing": (
        put("responses 200", {"$ref": "#/components/responses/Nope"}),
        "widget-list › responses › 200: the .ref #/components/responses/Nope leads to no object",
    ),
    "no schema": (put(f"responses 200 content {MEDIA}", {}), "a media type has a schema|schema is missing"),
    "a schema inline": (
        put(f"responses 200 content {MEDIA} schema", {"type": "object"}),
        "widget-list › responses › 200 › content › .* › schema: .ref is missing.* such as schemas/error.json",
    ),
    "a schema that is not there": (
        put(f"responses 200 content {MEDIA} schema $ref", "schemas/nope.json"),
        "openapi.yaml: widget-list names nope.json, which schemas/ does not have",
    ),
    "two media types": (
        put("responses 200 content text/csv", {"schema": {"$ref": "schemas/widget.json"}}),
        "widget-list › responses › 200 › content: there is exactly one media type, not .*, text/csv",
    ),
    "a response for a parameter": (
        put("parameters", [{"$ref": "#/components/responses/NotFound"}]),
        "widget-list › parameters › #/components/responses/NotFound › .ref: .ref leads to one of the parameters in",
    ),
    "a parameter for a response": (
        put("responses 200", {"$ref": "#/components/parameters/groupId"}),
        "widget-list › responses › 200 › .ref: .ref leads to one of the responses in components, such as",
    ),
    "a link to nothing": (
        put("responses 200 links", {"read": {"operationId": "nope"}}),
        "the link read of widget-list leads to nope, which is not there",
    ),
    "a parameter that is not there": (refers("nope"), "widget-list › parameters: the .ref #/.*/nope leads to no"),
    "a parameter that leads to itself": (refers("a", a="a"), "the .ref #/components/parameters/a leads back to itself"),
    "parameters that lead in a circle": (refers("a", a="b", b="a"), "parameters/a leads back to itself"),
    "a parameter without in": (listed(name="x"), "widget-list › parameters › x: in is missing: in is one of path, que"),
    "a parameter no object": (put("parameters", ["x"]), "widget-list › parameters › number 1: a parameter is an obj"),
    "x-role of a query": (listed(name="x", in_="query", **{"x-role": "job"}), "x-role stands at the parameters of a p"),
    "x-role missing": (parameter("widgetId", x_role=None), "the path parameter widgetId of widget-get needs x-role"),
    "x-role unknown": (parameter("groupId", x_role="projct"), "groupId of .* has the x-role projct, which nothing"),
    "x-role twice": (parameter("widgetId", x_role="project"), "groupId and widgetId of widget-get have one x-role"),
    "x-malformed misspelt": (
        parameter("widgetId", x_malformed=None, x_malfomed="P-WIDGET"),
        "openapi.yaml: components › parameters › widgetId: 'x-malfomed' is no key here: is x-malformed meant",
    ),
    "x-absent unknown": (parameter("widgetId", x_absent="N-NOPE"), "names N-NOPE, which requirements.toml does not"),
    "x-absent a list": (parameter("widgetId", x_absent=["N-WIDGET"]), "x-absent is the id of the requirement .*, not"),
    "a pattern that is none": (
        parameter("widgetId", schema={"type": "string", "pattern": "("}),
        "the path parameter widgetId of widget-get › schema: the pattern '.' is no ECMA-262 pattern",
    ),
    "a length that is none": (
        parameter("widgetId", schema={"type": "string", "maxLength": "64"}),
        "widgetId of widget-get › schema › maxLength: this is no JSON Schema",
    ),
    "a short path": (path("/widgets"), "openapi.yaml: paths: '/widgets' is no key here: a path begins as /api/atlas"),
    "half a segment": (path("/api/atlas/v2/x{groupId}"), "each .parameter. is a whole segment"),
    "no YAML": (text("openapi.yaml", "a: [1\nb: }"), "openapi.yaml: this is no YAML at line 2"),
    "an empty YAML": (text("openapi.yaml", ""), "openapi.yaml: the description is an object with openapi and paths"),
    "a YAML of texts": (text("openapi.yaml", "- x"), "openapi.yaml: the description is an object .*, not .'x'."),
    "a YAML in itself": (text("openapi.yaml", "paths: &a [*a]"), "openapi.yaml: has a value that contains itself"),
    "a YAML of bombs": (
        text("openapi.yaml", "a: &a [x,x,x,x,x,x,x,x,x,x]\n" + "".join(
            f"{b}: &{b} [{','.join([f'*{a}'] * 10)}]\n" for a, b in zip("abcdefgh", "bcdefghi", strict=True)
        )),
        "openapi.yaml: holds more than",
    ),
    "a key twice": (text("openapi.yaml", "paths: {}\npaths: {}"), "openapi.yaml: has the key paths twice, at line 2"),
    "no TOML": (text("sources.toml", "x"), "sources.toml: this is no TOML"),
    "a date in TOML": (text("sources.toml", "x = 2024-01-01"), "sources.toml: x: a date has no place here"),
    "no UTF-8": (text("sources.toml", "[\udcff]"), "sources.toml: this is no TOML"),
    "a source without title": (added("sources.toml", '\n[X]\nkind = "x"'), "sources.toml: X: title is missing"),
    "a source unknown": (catalogue('["G1", "Errors"]', '["G9", "Errors"]'), "N-WIDGET: sources.toml has no G9"),
    "a statement misspelt": (
        catalogue("statement", "statment"),
        "requirements.toml: N-WIDGET: statement is missing .statment is no key",
    ),
    "a specificity of words": (catalogue("specificity = 60", 'specificity = "60"'), "a whole number, not '60'"),
    "a selector misspelt": (
        catalogue("with a widget", "with a wdget"),
        "requirements.toml: N-WIDGET: the selector .* asks for 'wdget in the path', which no operation has; there are",
    ),
    "a selector of a number": (catalogue('on = "operations with a widget in the path"', "on = 1"), "on is a selector"),
    "before what is not there": (
        catalogue("specificity = 60", 'specificity = 60\nbefore = ["X-NO"]'),
        "N-WIDGET: before names X-NO, which is no requirement",
    ),
    "a delivery of a number": (text("delivery.toml", "a = 1"), "delivery.toml: a: a deliveryType is a table with req"),
    "a delivery without groups": (
        text("delivery.toml", '[a.required]\nx = "T-ENUM"\n[a.alternatives]\nrequirement = "T-POINT"'),
        "delivery.toml: a › alternatives: groups is missing",
    ),
    "a delivery by nothing": (text("delivery.toml", '[a.required]\nx = "T-NO"'), "delivery.toml: a names T-NO, which"),
    "a departure cut short": (text("departures.toml", "[K]\nrequirement='C-SCHEMA'"), "K: statement is missing"),
    "a departure from nothing": (
        text("departures.toml", (_K + _IN + "value = {}").replace("C-SCHEMA", "C-NO")),
        "departures.toml: K names C-NO",
    ),
    "a departure on nothing": (
        text("departures.toml", (_K + _IN + "value = {}").replace('"jobs"', '"jbos"')),
        "departures.toml: K: the selector 'jbos'",
    ),
    "a departure of no schema": (
        text("departures.toml", _K + _IN + "value = {type = 'nul'}"),
        "departures.toml: K › places › number 1 › value › type: .* a type is one of .*, not 'nul'",
    ),
    "a departure that refers": (text("departures.toml", _K + _IN + "value = {'$ref' = 'error.json'}"), "ref may stand"),
    "no JSON": (text("schemas/widget.json", "{"), "schemas/widget.json: this is no JSON: .* line 1"),
    "a JSON key twice": (text("schemas/widget.json", '{"a":1,"a":2}'), "schemas/widget.json: an object has the key a"),
    "a JSON of depths": (text("schemas/widget.json", "[" * 99_999), "schemas/widget.json: this is no JSON|nested"),
    "a schema no object": (text("schemas/widget.json", "[]"), "schemas/widget.json: a schema is an object, not"),
    "a type misspelt": (schema("widget", type="objct"), "schemas/widget.json › type: .*a type is one of .* 'objct'"),
    "a keyword misspelt": (schema("widget", requird=["id"]), "schemas/widget.json: 'requird' is no keyword here: is"),
    "a format misspelt": (
        schema("widget", properties={"at": {"format": "date-tme"}}),
        "widget.json › properties › at: 'date-tme' is no format that is known: is date-time meant",
    ),
    "a schema to nothing": (
        schema("widget-list", properties={"results": {"items": {"$ref": "nope.json"}}}),
        "schemas/widget-list.json › properties › results › items: .ref is the name of a file .* no 'nope.json'",
    ),
    "a schema inside itself": (schema("widget", allOf=[{"$ref": "widget.json"}]), "widget.json: its .ref leads back"),
    "keywords beside a reference": (schema("widget", ref="tags.json"), "widget.json: .* may not stand beside .ref"),
    "a property of true": (schema("widget", properties={"id": True}), "a property is described by an object, not True"),
    "another $id": (text("schemas/widget.json", '{"$id": "https://x/y"}'), "id is the name of the file, widget.json"),
    "x-requirement unknown": (
        schema("widget", properties={"id": {"x-requirement": "S-NO"}}),
        "widget.json › properties › id: x-requirement names S-NO, which requirements.toml does not have",
    ),
    "x-free-above of words": (
        schema("widget-request", properties={"size": {"x-free-above": "1"}}),
        "widget-request.json › properties › size: x-free-above is a number, not '1'",
    ),
    "no error.json": (text("schemas/error.json", None), "schemas/ has no error.json, by which every error is judged"),
}  # fmt: skip


@pytest.mark.parametrize("name", WRONG)
def test_what_is_wrong_is_said_in_one_sentence(tmp_path: Path, name: str) -> None:
    change, said = WRONG[name]
    with pytest.raises(ContractError, match=said) as raised:
        Contract.load(write(tmp_path / "own", change))
    assert isinstance(raised.value, ValueError)
    assert "\n" not in str(raised.value)
    assert len(str(raised.value)) < 600


@pytest.mark.parametrize("name", ["sources.toml", "delivery.toml", "departures.toml", "openapi.yaml"])
def test_a_missing_file_is_an_os_error(tmp_path: Path, name: str) -> None:
    with pytest.raises(FileNotFoundError, match=re.escape(name)):
        Contract.load(write(tmp_path / "own", text(name, None)))


def test_a_missing_folder_is_an_os_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        Contract.load(tmp_path / "nothing")


def _unquoted(data: Data) -> None:
    """Write statuses as numbers and dates as dates, as YAML lets one do."""
    text_ = yaml.safe_dump(data.openapi, sort_keys=False).replace("'200':", "200:")
    data.files["openapi.yaml"] = re.sub(r"^- '(\d{4}-\d\d-\d\d)'$", r"- \1", text_, flags=re.MULTILINE)


def _referring(data: Data) -> None:
    """Let a response and a body stand among the components."""
    data.openapi["components"]["responses"]["Widgets"] = data.listing["responses"]["200"]
    data.listing["responses"]["200"] = {"$ref": "#/components/responses/Widgets"}
    data.openapi["components"]["requestBodies"] = {"Widget": data.create["requestBody"]}
    data.create["requestBody"] = {"$ref": "#/components/requestBodies/Widget"}


@pytest.mark.parametrize("change", [_unquoted, _referring])
def test_the_same_data_in_another_way(tmp_path: Path, change: Change) -> None:
    plain, other = Contract.load(write(tmp_path / "a")), Contract.load(write(tmp_path / "b", change))
    assert plain.operations == other.operations
    assert plain.operations["widget-list"].response_schema == "widget-list.json"
    assert other.operations["widget-list"].response_schema == "widget-list.json"
    assert other.operations["widget-create"].request_schema == "widget-request.json"
    assert plain.versions == other.versions


def test_an_article_fits_its_word(tmp_path: Path) -> None:
    def change(data: Data) -> None:
        data.parameters["widgetId"]["x-role"] = "organization"
        data.requirements = data.requirements.replace("a widget in the path", "an organization in the path")

    contract = Contract.load(write(tmp_path / "own", change))
    assert contract.requirements["P-WIDGET"].operations == ("widget-get",)


def _places(node: Any, place: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    if place:
        yield place
    inner = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    for key, one in inner:
        yield from _places(one, (*place, key))


_JUNK: tuple[Any, ...] = (
    0,
    1.5,
    True,
    "",
    [],
    {},
    "x",
    ["x"],
    [[]],
    {"x": 1},
    {"$ref": "x"},
    {"$ref": "#/paths"},
    "^(",
)
_ASKED = (
    ("GET", "widgets", None),
    ("POST", "widgets", b'{"size":1.0,"x":null}'),
    ("GET", f"widgets/{'a' * 24}", None),
    ("GET", "widgets/Z", None),
    ("POST", "clusters/C/backup/restoreJobs", b'{"deliveryType":"automated","snapshotId":"x","oplogTs":1.0}'),
    ("GET", f"flexClusters/F/backup/restoreJobs/{'a' * 24}", None),
)
_ANSWERED: tuple[tuple[int, Any], ...] = (
    (200, {"id": "a" * 24, "status": "X", "size": "a", "results": [{"id": 1, "deliveryType": "automated"}]}),
    (400, {"error": 404, "errorCode": 1, "parameters": None}),
)


def _use(contract: Contract) -> None:
    for method, tail, body in _ASKED:
        headers = (("Accept", MEDIA), ("Content-Type", "application/json"))
        asked = Request(method, f"/api/atlas/v2/groups/{'a' * 24}/{tail}", headers, body)
        for status, answer in _ANSWERED:
            media = MEDIA if status < 300 else "application/json"
            response = Response(status, (("Content-Type", media),), json.dumps(answer).encode())
            Chronicle(Knowledge(), contract=contract).feed(Exchange(asked, response, 1.0, 1.1))


@pytest.mark.parametrize("kind", ["openapi.yaml", "requirements.toml", "delivery.toml", "departures.toml", "schemas"])
def test_data_that_is_changed_anywhere_is_refused_in_words_or_judges(tmp_path: Path, kind: str) -> None:
    """Remove, rename, or replace a value at any place: loading says what is wrong, or judging works."""
    chance = random.Random(f"{kind} 1")
    folder = write(tmp_path / "own")
    said: list[str] = []
    for _ in range(24):
        file = chance.choice(sorted((folder / "schemas").iterdir())) if kind == "schemas" else folder / kind
        before = file.read_text("utf-8")
        document: Any = tomllib.loads(before) if file.suffix == ".toml" else yaml.safe_load(before)
        *steps, last = chance.choice(list(_places(document)))
        node = document
        for step in steps:
            node = node[step]
        match chance.choice(("remove", "rename", "replace", "replace")):
            case "rename" if isinstance(node, dict):
                node[f"{last}x"] = node.pop(last)
            case "replace":
                node[last] = copy.deepcopy(chance.choice(_JUNK))
            case _:
                del node[last]
        file.write_text(tomlkit.dumps(document) if file.suffix == ".toml" else json.dumps(document), "utf-8")
        try:
            _use(Contract.load(folder))
        except ContractError as error:
            said.append(str(error))
        finally:
            file.write_text(before, "utf-8")
    assert len(said) >= 5
    files = ("openapi.yaml: ", "requirements.toml: ", "delivery.toml: ", "departures.toml: ", "schemas/")
    assert all(one.startswith(files) for one in said)


def test_what_the_package_brings_has_the_form(tmp_path: Path) -> None:
    assert Contract.load(FOLDER).operations == Contract.load().operations
    assert WIDGET in Contract.load(write(tmp_path / "own")).openapi["paths"]
