"""GET /api/openapi.json: every call is described, truly, and for whoever may call the API."""

import re
import sys
import time
import unicodedata
from typing import Any

import jsonschema_rs
import pytest
from flask import Flask
from flask.testing import FlaskClient

from hikflask import text_rules
from hikflask.codes.refusals import REFUSALS
from hikflask.isapi.errors import spelled
from hikflask.models.accounts import ROLES
from tests.http.permissions_table import API, BOTH
from tests.support.api_calls import a_device, a_user
from tests.support.fitting_answers import Answers
from tests.support.signed_in import client_of


@pytest.fixture
def document(client: FlaskClient) -> dict[str, Any]:
    answer = client.get("/api/openapi.json")
    assert answer.status_code == 200
    return dict(answer.get_json())


def operations(document: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The operations by method and path."""
    return {f"{method.upper()} {path}": one for path, of in document["paths"].items() for method, one in of.items()}


def at(document: dict[str, Any], call: str) -> Any:
    """The validator of a call's body."""
    content = operations(document)[call]["requestBody"]["content"]["application/json"]
    schema = {**content["schema"], "components": document["components"]}
    return jsonschema_rs.Draft202012Validator(schema, validate_formats=True)


def test_document_is_openapi_and_has_every_call_with_its_role(document: dict[str, Any]) -> None:
    # It compiles grammars for more than a second, which the other processes of the tests need not wait for.
    from openapi_spec_validator import OpenAPIV31SpecValidator  # noqa: PLC0415

    OpenAPIV31SpecValidator(document).validate()
    # Prometheus reads /metrics, which is none of the calls.
    written = {call: role for call, role in {**API, **BOTH}.items() if " /api/" in call}
    plain = {re.sub(r"<int:(\w+)>", r"{\1}", call): role for call, role in written.items()}
    found = operations(document)

    assert {call: one["x-role"] for call, one in found.items()} == plain
    for call, operation in found.items():
        names = {one["name"] for one in operation["parameters"] if one["in"] == "path"}
        assert names == set(re.findall(r"{(\w+)}", call)), call
        assert operation["summary"], call
        has_body = call.split()[0] in {"POST", "PUT"} and not call.endswith(("/compare", "/start-card-capture"))
        assert ("requestBody" in operation) is has_body, call
        for status in ("401", "403", "429", "500", *(["404"] if names else []), *(["422"] if has_body else [])):
            assert operation["responses"][status] == {"$ref": f"#/components/responses/Refused{status}"}, call


def test_every_error_code_of_a_call_stands_under_its_status_with_its_sentence(document: dict[str, Any]) -> None:
    refusals = document["components"]["responses"]
    told = "".join(one["description"] for name, one in refusals.items() if name.startswith("Refused"))
    for code, row in REFUSALS.items():
        if row.status and row.in_api:
            assert f"| `{spelled(code, {})}` | " in refusals[f"Refused{row.status.value}"]["description"], code
        assert row.in_api or f"| `{code}` |" not in told, code
    assert (
        "| `number_known` | This employee ID is already used by another employee. |"
        in refusals["Refused409"]["description"]
    )
    assert (
        "| `multiplefaceobjecterror` | More than one face. One person, please. |"
        in (refusals["Refused502"]["description"])
    )


def test_statuses_are_called_the_same_whichever_python_describes_them(document: dict[str, Any]) -> None:
    """Python 3.13 calls two of them otherwise than 3.11, and the guides must be the same bytes."""
    refusals = document["components"]["responses"]
    names = {name: one["description"].partition(".\n")[0] for name, one in refusals.items()}

    assert names["Refused413"] == "Request Entity Too Large"
    assert names["Refused422"] == "Unprocessable Entity"


def test_each_example_fits_its_schema(document: dict[str, Any]) -> None:
    components = {"components": document["components"]}
    for schema in document["components"]["schemas"].values():
        for example in schema["examples"]:
            jsonschema_rs.Draft202012Validator({**schema, **components}).validate(example)
    for refusal in document["components"]["responses"].values():
        content = refusal["content"]["application/json"]
        jsonschema_rs.Draft202012Validator(content["schema"]).validate(content["example"])
    for call, operation in operations(document).items():
        content = operation.get("requestBody", {}).get("content", {}).get("application/json")
        if content:
            assert content["example"], call
            at(document, call).validate(content["example"])


def test_input_has_the_limits_of_its_form(client: FlaskClient, document: dict[str, Any]) -> None:
    of_users, of_devices = at(document, "POST /api/users/"), at(document, "POST /api/devices/")
    for schema, path, right in ((of_users, "users", a_user()), (of_devices, "devices", a_device())):
        assert schema.is_valid(right)
        assert client.post(f"/api/{path}/", json=right).status_code == 201
        for name in right:
            without = {key: value for key, value in right.items() if key != name}
            answer = client.post(f"/api/{path}/", json=without)
            named = answer.status_code == 422 and name in answer.get_json()["fields"]
            assert schema.is_valid(without) is not named, name
    for wrong in (
        {"hikvision_id": "1" * 33},
        {"hikvision_id": "100-222"},
        {"full_name": ""},
        {"full_name": "x" * 129},
        {"full_name": "Иван\nИванов"},
        {"department": "x" * 129},
        {"department": None},
        {"valid_to": "2030"},
        {"valid_to": 2030},
        {"anything": 5},
    ):
        assert not of_users.is_valid(a_user(**wrong)), wrong
        assert client.post("/api/users/", json=a_user(**wrong)).status_code == 422, wrong


def test_pattern_of_a_text_is_what_the_form_refuses() -> None:
    pattern = re.compile(text_rules.WITHOUT_BREAKING)
    for code in range(sys.maxunicode + 1):
        letter = chr(code)
        if unicodedata.category(letter) != "Cs":
            assert (pattern.match(f"a{letter}b") is None) is text_rules.is_breaking(letter), hex(code)


def test_session_or_token_opens_it_and_nobody_else(app: Flask) -> None:
    for role in ROLES:
        client = client_of(app, role)
        assert client.get("/api/openapi.json").status_code == 200
        token, client.token = client.token, ""
        assert client.get("/api/openapi.json").get_json()["openapi"] == "3.1.0"
        with_token = app.test_client().get("/api/openapi.json", headers={"Authorization": f"Bearer {token}"})
        assert with_token.status_code == 200
        assert client.get("/api/users/").status_code == 401
        wrong = client.get("/api/openapi.json", headers={"Authorization": "Bearer wrong"})
        assert (wrong.status_code, wrong.get_json()["error"]) == (401, "unauthorized")

    answer = app.test_client().get("/api/openapi.json")
    assert (answer.status_code, answer.get_json()["error"]) == (401, "unauthorized")


def test_answers_of_all_tests_are_held_against_it_quickly(app: Flask, client: FlaskClient) -> None:
    for number in range(20):
        client.post("/api/users/", json=a_user(hikvision_id=str(number)))
    answers, listed = Answers(), client.get("/api/users/")
    answers.check(app, listed)

    began = time.thread_time()
    for _ in range(20):
        answers.check(app, listed)

    assert (time.thread_time() - began) / 20 < 0.001
    spoilt = client.get("/api/users/1")
    spoilt.set_data(spoilt.data.replace(b'"is_active":true', b'"is_active":1'))
    with pytest.raises(AssertionError, match="is_active"):
        answers.check(app, spoilt)
    spoilt.status_code = 202
    with pytest.raises(AssertionError, match="has no such status"):
        answers.check(app, spoilt)
