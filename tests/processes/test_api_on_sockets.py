"""The API over real sockets, from capture to proof."""

from hikflask.simulator import SimulatorServer
from hikflask.simulator.faces import NAMES, draw
from tests.processes.conftest import add_terminal
from tests.processes.processes import Served

FACE = draw(NAMES[1])
IVAN = {"hikvision_id": "100222", "full_name": "Иван Иванов", "department": "Охрана"}


def test_capture_create_and_sync_put_the_face_on_the_terminal(served: Served, simulator: SimulatorServer) -> None:
    device = add_terminal(served, simulator, "Вход")
    simulator.terminal.present(FACE, stay=60)
    captured = served.http.post(f"{served.url}/api/devices/{device}/start-face-capture", timeout=60).json()
    user = served.http.post(f"{served.url}/api/users/", json=IVAN, timeout=20).json()
    simulator.terminal.log.clear()

    synced = served.http.post(f"{served.url}/api/users/{user['id']}/sync-to-device", timeout=60).json()

    assert captured["success"] is True
    assert captured["photo_path"].startswith("/uploads/capture_")
    photo = served.http.get(f"{served.url}/api/users/{user['id']}", timeout=20).json()["photo_path"]
    assert photo.startswith("/uploads/100222_")
    assert served.http.get(served.url + photo, timeout=20).content == FACE
    assert (synced["statusCode"], synced["person"], synced["face"], synced["verified"]) == (
        1,
        "confirmed",
        "confirmed",
        True,
    )
    assert simulator.terminal.people["100222"]["name"] == "Иван Иванов"
    assert simulator.terminal.faces["100222"].jpeg == FACE
    assert [entry.method for entry in simulator.terminal.log] == ["POST", "GET", "PUT", "GET", "POST"]
    assert served.http.get(f"{served.url}/api/users/{user['id']}", timeout=20).json()["synced_to_device"] is True
