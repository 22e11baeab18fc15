import pytest


@pytest.mark.parametrize("content_type", [None, "application/json", "application/x-www-form-urlencoded"])
def test_json_is_read_under_any_content_type(terminal, client, content_type):
    body = {"UserInfo": {"employeeNo": "1", "name": "A"}}

    client.ask("POST", "/ISAPI/AccessControl/UserInfo/Record?format=json", body, content_type)

    assert list(terminal.people) == ["1"]


@pytest.mark.parametrize("body", ["", "<xml/>", "[]", "{"])
def test_body_that_is_no_json_object_is_refused(client, body):
    answer = client.ask("POST", "/ISAPI/AccessControl/UserInfo/Record?format=json", body)

    assert answer.get_json()["subStatusCode"] == "badJsonFormat"
