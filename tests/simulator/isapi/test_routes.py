from hikflask.simulator.isapi.routes import METHODS, ROUTES

PICTURE = "/LOCALS/pic/web_face_enrollpic.jpg"


def test_every_path_refuses_the_methods_it_does_not_have(client):
    for path, views in ROUTES.items():
        for method in set(METHODS) - set(views):
            answer = client.ask(method, f"{path}?format=json")

            answered = (answer.status_code, answer.get_json()["subStatusCode"])
            assert answered == (400, "methodNotAllowed"), f"{method} {path}"


def test_path_has_to_be_written_as_it_is(client):
    for path in ("/ISAPI/System/status/", "/ISAPI/System//status", "/ISAPI/system/status", "/ISAPI/no/such/path"):
        answer = client.ask("GET", f"{path}?format=json")

        assert (answer.status_code, answer.get_json()["subStatusCode"]) == (404, "notSupport"), path


def test_head_is_answered_as_get_without_a_body(terminal, client):
    terminal.camera.store(b"picture")

    for path, length in (("/ISAPI/System/deviceInfo", None), (PICTURE, 7)):
        answer = client.ask("HEAD", path)

        assert (answer.status_code, answer.data) == (200, b""), path
        assert length in (None, answer.content_length), path
