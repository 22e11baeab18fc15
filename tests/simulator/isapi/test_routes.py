from pathlib import Path
from xml.etree import ElementTree

from hikflask.simulator import Terminal
from hikflask.simulator.isapi.routes import METHODS, ROUTES
from tests.simulator.conftest import Client

PICTURE = "/LOCALS/pic/web_face_enrollpic.jpg"
DOCS = Path(__file__).parents[3] / "docs"
NOT_PLAYED = (
    ("GET", "AccessControl/UserInfo/Detail", "?format=json&employeeNo=100222"),
    ("PUT", "AccessControl/UserInfoDetail/Picture", "?format=json"),
    ("POST", "AccessControl/UserInfo/asyncImportDatasTasks", ""),
    ("PUT", "AccessControl/RemoteControl/register", "?format=json"),
    ("GET", "AccessControl/PersonAndCardComparison/DeviceWorkMode", "?format=json"),
    ("GET", "AccessControl/IDBlackListCfg/capabilities", ""),
    ("GET", "Streaming/channels/101/picture", ""),
    ("GET", "System/capabilities", "?format=json"),
)
"""Calls of real clients of the seed terminal that are not played."""


def test_every_path_refuses_the_methods_it_does_not_have(client: Client) -> None:
    for path, views in ROUTES.items():
        for method in set(METHODS) - set(views):
            answer = client.ask(method, f"{path}?format=json")

            answered = (answer.status_code, answer.get_json()["subStatusCode"])
            assert answered == (400, "methodNotAllowed"), f"{method} {path}"


def test_what_clients_call_and_is_not_played_is_not_supported_in_the_format_that_they_ask_for(client: Client) -> None:
    for method, path, query in NOT_PLAYED:
        answer = client.ask(method, f"/ISAPI/{path}{query}")

        if answer.is_json:
            code = answer.get_json()["subStatusCode"]
        else:
            code = ElementTree.fromstring(answer.data).findtext("{*}subStatusCode")
        assert (answer.status_code, answer.is_json, code) == (404, "json" in query, "notSupport"), path


def test_guides_list_what_clients_call_and_is_not_played() -> None:
    for language in ("en", "ru"):
        guide = (DOCS / language / "protocol.md").read_text()

        assert [path for _, path, _ in NOT_PLAYED if f"`{path}`" not in guide] == [], language


def test_path_has_to_be_written_as_it_is(client: Client) -> None:
    for path in ("/ISAPI/System/status/", "/ISAPI/System//status", "/ISAPI/system/status", "/ISAPI/no/such/path"):
        answer = client.ask("GET", f"{path}?format=json")

        assert (answer.status_code, answer.get_json()["subStatusCode"]) == (404, "notSupport"), path


def test_head_is_answered_as_get_without_a_body(terminal: Terminal, client: Client) -> None:
    terminal.camera.store(b"picture")

    for path, length in (("/ISAPI/System/deviceInfo", None), (PICTURE, 7)):
        answer = client.ask("HEAD", path)

        assert (answer.status_code, answer.data) == (200, b""), path
        assert length in (None, answer.content_length), path
