from hikflask.simulator.terminal.request_log import KEPT_REQUESTS, LoggedRequest


def test_log_tells_path_with_query_and_login_and_hides_tokens(terminal, client):
    client.ask("GET", "/ISAPI/AccessControl/UserInfo/Count?format=json&token=ABC")

    first, second = terminal.log
    assert (first.has_credentials, first.status, second.has_credentials, second.status) == (False, 401, True, 200)
    assert second.path == "/ISAPI/AccessControl/UserInfo/Count?format=json&token=…"
    assert second.plain_path == "/ISAPI/AccessControl/UserInfo/Count"


def test_oldest_requests_leave_a_long_log(terminal):
    for number in range(KEPT_REQUESTS + 2):
        terminal.log.append(LoggedRequest("GET", f"/{number}", {}, b"", 0.0, has_credentials=False))

    assert (len(terminal.log), terminal.log[0].path) == (KEPT_REQUESTS, "/2")
