"""Bad input for users: each is refused with its field named, and nothing is written."""

import json
from typing import Any

import pytest
from flask.testing import FlaskClient

from tests.support.api_calls import a_user, add, user

BAD_NUMBERS = [
    "",
    " ",
    "100-222",
    "100_222",
    "100 222",
    "Иван",
    "1" * 33,
    "100222\n",
    "100222\r\n",
    "\n100222",
    "١٢٣",
    "1\x00",
]
BAD_NAMES = ["", " ", "\t", "\u00a0", "\u200b", "x" * 129, "Иван\nИванов", "Иван\n", "a\x00b", "\ud800"]
OF_ANOTHER_TYPE = [100222, 1.5, None, True, False, [], ["100222"], {}, {"a": "b"}]


def fields_refused(client: FlaskClient, body: Any) -> dict[str, str]:
    """Post, and return the fields that were refused with 422; nobody was added."""
    answer = client.post("/api/users/", data=json.dumps(body), content_type="application/json")
    assert answer.status_code == 422, answer.text
    assert answer.get_json()["error"] == "invalid_input"
    assert answer.get_json()["message"]
    assert client.get("/api/users/").json == []
    return dict(answer.get_json()["fields"])


def test_number_of_other_than_32_latin_letters_and_digits_is_refused(client: FlaskClient) -> None:
    for number in BAD_NUMBERS:
        assert set(fields_refused(client, a_user(hikvision_id=number))) == {"hikvision_id"}


def test_name_that_is_blank_too_long_or_of_several_lines_is_refused(client: FlaskClient) -> None:
    for name in BAD_NAMES:
        assert set(fields_refused(client, a_user(full_name=name))) == {"full_name"}


def test_department_that_is_too_long_or_of_several_lines_is_refused(client: FlaskClient) -> None:
    for department in ["x" * 129, "a\nb"]:
        assert set(fields_refused(client, a_user(department=department))) == {"department"}


def test_value_of_another_type_is_refused(client: FlaskClient) -> None:
    for field in ["hikvision_id", "full_name", "department"]:
        for value in OF_ANOTHER_TYPE:
            assert set(fields_refused(client, a_user(**{field: value}))) == {field}


def test_json_that_is_no_object_is_refused(client: FlaskClient) -> None:
    for body in [None, [], [a_user()], "100222", 5, True]:
        assert set(fields_refused(client, body)) == {"body"}


def test_broken_json_is_refused(client: FlaskClient) -> None:
    for body in [b"", b"{", b'{"hikvision_id": "1",}', b"\xff\xfe\xfa", b"[" * 100_000, b"a=b"]:
        answer = client.post("/api/users/", data=body, content_type="application/json")

        assert answer.status_code == 422
        assert answer.get_json()["fields"] == {"body": "A JSON object is expected."}


def test_field_that_is_given_twice_is_refused_by_its_name(client: FlaskClient) -> None:
    for second in ['"full_name": "Пётр"', '"full_name": "Иван"', '"full_\\u006eame": "Пётр"']:
        body = f'{{"hikvision_id": "1", "full_name": "Иван", {second}}}'

        answer = client.post("/api/users/", data=body.encode(), content_type="application/json")

        assert (answer.status_code, answer.get_json()["error"]) == (422, "invalid_input")
        assert answer.get_json()["fields"] == {"full_name": "The field is given more than once."}
        assert client.get("/api/users/").json == []


def test_form_fields_are_no_json(client: FlaskClient) -> None:
    answer = client.post("/api/users/", data=a_user())

    assert (answer.status_code, set(answer.get_json()["fields"])) == (422, {"body"})


def test_each_missing_field_is_named_in_one_answer(client: FlaskClient) -> None:
    refused = fields_refused(client, {})

    assert set(refused) == {"hikvision_id", "full_name"}
    assert refused["hikvision_id"] == "Enter an ID: Latin letters and digits, up to 32."


def test_sentences_are_english_whatever_the_browser_reads(client: FlaskClient) -> None:
    answer = client.post("/api/users/", json=a_user(full_name=""), headers={"Accept-Language": "ru"})

    assert answer.get_json()["fields"]["full_name"] == "“Full name” must not be empty."


@pytest.mark.parametrize(
    ("field", "value"),
    [("is_active", "false"), ("is_active", 0), ("is_active", None), ("full_name", None), ("hikvision_id", "a b")],
)
def test_put_of_a_bad_value_changes_nothing(client: FlaskClient, field: str, value: object) -> None:
    added = add(client)

    answer = client.put(f"/api/users/{added['id']}", json={"department": "Склад", field: value})

    assert (answer.status_code, set(answer.get_json()["fields"])) == (422, {field})
    assert user(client, added["id"]) == added


def test_page_of_the_list_is_a_whole_number(client: FlaskClient) -> None:
    for name in ["limit", "offset"]:
        for value in ["-1", "a", "1.5", "", "9" * 30, "²"]:
            answer = client.get("/api/users/", query_string={name: value})

            assert (answer.status_code, set(answer.get_json()["fields"])) == (422, {name})
