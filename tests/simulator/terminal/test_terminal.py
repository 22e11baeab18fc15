import pytest

from hikflask.simulator import Terminal, faces
from hikflask.simulator.terminal.terminal import KEPT_REQUESTS, LoggedRequest
from tests.simulator.conftest import Client

COUNT = "/ISAPI/AccessControl/UserInfo/Count?format=json"
RECORD = "UserInfo/Record"


def test_hooks_run_before_and_after_the_view(terminal: Terminal, client: Client) -> None:
    seen = []
    terminal.before(RECORD, lambda: seen.append(("before", list(terminal.people))))
    terminal.after("/ISAPI/*/Record", lambda: seen.append(("after", list(terminal.people))))

    client.add_person()

    assert seen == [("before", []), ("after", ["100222"])]


def test_hooks_do_not_run_for_other_paths_or_without_login(terminal: Terminal, client: Client) -> None:
    terminal.before(RECORD, lambda: pytest.fail("not meant"))

    client.http.post("/ISAPI/AccessControl/UserInfo/Record?format=json")

    assert client.ask("GET", COUNT).status_code == 200


def test_restart_keeps_the_people_and_loses_the_file(terminal: Terminal, client: Client) -> None:
    client.add_person()
    terminal.camera.store(faces.draw("anna"))

    terminal.trigger("restart")

    assert (list(terminal.people), terminal.file) == (["100222"], None)


def test_log_tells_path_with_query_and_login_and_hides_tokens(terminal: Terminal, client: Client) -> None:
    client.ask("GET", "/ISAPI/AccessControl/UserInfo/Count?format=json&token=ABC")

    first, second = terminal.log
    assert (first.has_credentials, first.status, second.has_credentials, second.status) == (False, 401, True, 200)
    assert second.path == "/ISAPI/AccessControl/UserInfo/Count?format=json&token=…"
    assert second.plain_path == "/ISAPI/AccessControl/UserInfo/Count"


def test_oldest_requests_leave_a_long_log(terminal: Terminal) -> None:
    for number in range(KEPT_REQUESTS + 2):
        terminal.log.append(LoggedRequest("GET", f"/{number}", {}, b"", 0.0, has_credentials=False))

    assert (len(terminal.log), terminal.log[0].path) == (KEPT_REQUESTS, "/2")
