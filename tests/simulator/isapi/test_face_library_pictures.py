from hikflask.simulator import Terminal, faces
from tests.simulator.conftest import Client

ANNA = faces.draw("anna")
FILE = "/LOCALS/pic/web_face_enrollpic.jpg@WEB000000000020"


def test_missing_picture_is_404(client: Client) -> None:
    assert client.ask("GET", FILE).status_code == 404


def test_picture_opens_with_a_token_instead_of_digest(terminal: Terminal, client: Client) -> None:
    terminal.camera.store(ANNA)
    token = client.ask("GET", "/ISAPI/Security/token?format=json").get_json()["Token"]["value"]

    with_token = client.http.get(f"{FILE}?token={token}")
    with_another = client.http.get(f"{FILE}?token=ABC")

    assert with_token.data == ANNA
    assert with_another.status_code == 401


def test_picture_cannot_be_put(client: Client) -> None:
    answer = client.ask("PUT", "/LOCALS/pic/enrlFace/0/0000000003.jpg", ANNA)

    assert answer.status == "405 METHOD NOT ALLOWED"
