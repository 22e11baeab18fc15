import pytest

from hikflask.simulator import Terminal
from tests.simulator.conftest import Client


@pytest.mark.parametrize("content_type", [None, "application/json", "application/x-www-form-urlencoded"])
def test_json_is_read_under_any_content_type(terminal: Terminal, client: Client, content_type: str | None) -> None:
    body = {"UserInfo": {"employeeNo": "1", "name": "A"}}

    client.ask("POST", "/ISAPI/AccessControl/UserInfo/Record?format=json", body, content_type)

    assert list(terminal.people) == ["1"]


@pytest.mark.parametrize("body", ["", "<xml/>", "[]", "{"])
def test_body_that_is_no_json_object_is_refused(client: Client, body: str) -> None:
    answer = client.ask("POST", "/ISAPI/AccessControl/UserInfo/Record?format=json", body)

    assert answer.get_json()["subStatusCode"] == "badJsonFormat"
