"""What one service with its worker inside does for programs, pages and commands, over real sockets."""

import http.client
import re
import shutil
import sqlite3
import subprocess
import sys
import threading
import zipfile
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import pytest
import requests
from cryptography.fernet import Fernet, InvalidToken

from hikflask.simulator import SimulatorServer, Terminal
from hikflask.simulator.faces import NAMES, draw
from tests.processes.conftest import PASSWORD, add_terminal
from tests.processes.on_socket import FORGED, refused_from, status_of
from tests.processes.processes import ROOT, Served, until

FACE = draw(NAMES[1])
BLOCK = re.compile(r"^ *```(\w*)\n(.*?)^ *```$", re.MULTILINE | re.DOTALL)
# As 1С:ЗУП writes it: Windows-1251, semicolons, its own names of columns, quotation marks where there is a semicolon.
ZUP = (
    "Табельный номер;Сотрудник;Подразделение;Дата приема;Дата увольнения\r\n"
    '00000001;Кузнецова Мария Ивановна;"Склад; второй этаж";01.02.2020;\r\n'
    "100333;Ёлкина Ольга Петровна;Охрана;01.02.2020;15.03.2024\r\n"
)
IVAN = {"hikvision_id": "100700", "full_name": "Иван Иванов", "department": "Охрана"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The instance folder."""
    return tmp_path_factory.mktemp("instance")


@pytest.fixture(scope="module")
def served(folder: Path) -> Iterator[Served]:
    """The app served by gunicorn with the embedded worker; the guide's commands are the first that it is asked for."""
    app = Served(folder, SWEEP_INTERVAL="0.5", RETRY_BASE="1")
    app.start()
    yield app
    app.stop()


def blocks(language: str) -> list[str]:
    """All blocks of commands in docs/en/api.md and docs/ru/api.md: curl, 1С:ЗУП, Python twice.

    The second of Python is run by tests/api/test_events.py: here passages are off.
    """
    text = (ROOT / f"docs/{language}/api.md").read_text(encoding="utf-8")
    found = [(kind, block) for kind, block in BLOCK.findall(text) if kind != "json"]
    assert [kind for kind, _ in found] == ["sh", "sh", "python", "python"]
    return [block for _, block in found]


def plain(block: str) -> list[str]:
    """The commands without comments, and with texts in the place of names."""
    lines = [line.partition("#")[0].rstrip() for line in block.splitlines()]
    return [re.sub(r'"[^"]*[А-Яа-яA-Z][а-яa-z]+[^"]*"', '"…"', line) for line in lines if line]


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
def test_every_command_of_the_guide_does_what_it_says(
    served: Served, simulator: SimulatorServer, tmp_path: Path
) -> None:
    assert [plain(block) for block in blocks("en")] == [plain(block) for block in blocks("ru")]
    curl, zup, python, _ = blocks("ru")
    add_terminal(served, simulator, "Вход")
    simulator.terminal.present(FACE, stay=60)
    (tmp_path / "face.jpg").write_bytes(FACE)
    (tmp_path / "people.csv").write_text("ID,ФИО\n100333,Ольга Ёлкина\n", encoding="utf-8")
    with zipfile.ZipFile(tmp_path / "photos.zip", "w") as photos:
        photos.writestr("100333.jpg", FACE)
    (tmp_path / "zup.csv").write_bytes(ZUP.encode("cp1251"))
    (tmp_path / "example.py").write_text(python, encoding="utf-8")
    script = curl.replace("https://hikflask.example/api", f"{served.url}/api")
    environment = {
        **served._environment,
        "PYTHONPATH": str(ROOT),
        "PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin",
        "LC_ALL": "C.UTF-8",
    }

    done = subprocess.run(
        ["bash", "-euc", f"{script}\n{zup}\nexport TOKEN API\npython example.py"],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )

    assert done.returncode == 0, done.stdout + done.stderr
    assert '"error":"' not in done.stdout, done.stdout
    assert '"verified":true' in done.stdout
    assert done.stdout.rstrip().endswith("\n4")
    users = {one["hikvision_id"]: one for one in served.http.get(f"{served.url}/api/users/", timeout=60).json()}
    assert (users["00000001"]["full_name"], users["00000001"]["department"]) == (
        "Кузнецова Мария Ивановна",
        "Склад; второй этаж",
    )
    assert [number for number, one in users.items() if not one["is_active"]] == ["100333"]
    assert users["100500"]["department"] == "Склад"
    assert users["100333"]["full_name"] == "Ёлкина Ольга Петровна"
    assert users["100333"]["photo_path"].startswith("/uploads/100333_")
    assert simulator.terminal.people["100222"]["name"] == "Анна Смирнова"


def test_capture_create_and_sync_put_the_face_on_the_terminal(served: Served, simulator: SimulatorServer) -> None:
    device = add_terminal(served, simulator, "Проходная")
    simulator.terminal.present(FACE, stay=60)
    captured = served.http.post(f"{served.url}/api/devices/{device}/start-face-capture", timeout=60).json()
    user = served.http.post(f"{served.url}/api/users/", json=IVAN, timeout=60).json()
    simulator.terminal.log.clear()

    sync = {"device_id": device}
    synced = served.http.post(f"{served.url}/api/users/{user['id']}/sync-to-device", json=sync, timeout=60).json()

    assert captured["success"] is True
    assert captured["photo_path"].startswith("/uploads/capture_")
    photo = served.http.get(f"{served.url}/api/users/{user['id']}", timeout=60).json()["photo_path"]
    assert photo.startswith("/uploads/100700_")
    assert served.http.get(served.url + photo, timeout=60).content == FACE
    assert (synced["statusCode"], synced["person"], synced["face"], synced["verified"]) == (
        1,
        "confirmed",
        "confirmed",
        True,
    )
    assert simulator.terminal.people["100700"]["name"] == "Иван Иванов"
    assert simulator.terminal.faces["100700"].jpeg == FACE
    assert [entry.method for entry in simulator.terminal.log] == ["POST", "GET", "PUT", "GET", "POST"]
    assert served.http.get(f"{served.url}/api/users/{user['id']}", timeout=60).json()["synced_to_device"] is True


def test_list_opens_while_three_captures_wait(served: Served) -> None:
    with ExitStack() as stack:
        servers = [stack.enter_context(SimulatorServer(Terminal(PASSWORD))) for _ in range(3)]
        ids = [add_terminal(served, server, f"door {number}") for number, server in enumerate(servers)]
        waiting = [threading.Thread(target=_capture, args=(served, terminal_id)) for terminal_id in ids]
        for thread in waiting:
            thread.start()
        until(lambda: all(server.terminal.camera.window is not None for server in servers))

        page = served.http.get(f"{served.url}/employees/", timeout=20)

        assert page.status_code == 200
        assert "<main" in page.text
        assert all(thread.is_alive() for thread in waiting)
        for server in servers:
            server.terminal.present(draw(NAMES[0]), stay=60)
        for thread in waiting:
            thread.join(20)


def _capture(served: Served, terminal_id: int) -> None:
    with requests.Session() as http:
        http.trust_env = False
        http.auth = served.http.auth
        http.post(f"{served.url}/api/devices/{terminal_id}/start-face-capture", timeout=60)


def test_rotation_of_the_passwords_key_needs_no_restart(
    served: Served, simulator: SimulatorServer, folder: Path
) -> None:
    device = add_terminal(served, simulator, "Склад")

    served.flask("secrets", "rotate")

    new, old = (Fernet(line) for line in (folder / "password_key").read_bytes().split())
    assert new.decrypt(stored(folder, device)).decode() == PASSWORD
    status = served.http.get(f"{served.url}/api/devices/{device}/status", timeout=60).json()
    assert (status["reachable"], status["login"]) == (True, True)
    simulator.terminal.login.password = "Other123"
    served.http.put(f"{served.url}/api/devices/{device}", json={"password": "Other123"}, timeout=60)
    assert new.decrypt(stored(folder, device)) == b"Other123"
    with pytest.raises(InvalidToken):
        old.decrypt(stored(folder, device))
    assert served.http.get(f"{served.url}/api/devices/{device}/status", timeout=60).json()["login"] is True


def stored(folder: Path, device: int) -> bytes:
    with closing(sqlite3.connect(folder / "hikflask.sqlite3")) as database:
        rows = database.execute("SELECT password_encrypted FROM terminal WHERE id = ?", (device,))
        token: str = rows.fetchone()[0]
        return token.encode()


def test_local_account_that_comes_by_a_port_is_not_believed(served: Served, folder: Path) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", served.port, timeout=60)

    assert status_of(connection, "/api/users/", **FORGED) == 401
    assert refused_from(folder) == ["127.0.0.1"]
