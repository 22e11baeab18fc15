"""The main job through real nginx as it is shipped, gunicorn on its socket, and a worker of its own."""

import io
import os
import re
import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path
from sqlite3 import connect
from tempfile import TemporaryDirectory
from urllib.parse import urlencode

import pytest
from PIL import Image

from hikflask.simulator import SimulatorServer, Terminal
from hikflask.simulator.faces import NAMES, draw
from tests.processes.conftest import PASSWORD, add_terminal
from tests.processes.nginx import NAME, Nginx, make_certificate, program
from tests.processes.on_socket import ServedOnSocket
from tests.processes.pages import page_shows, press_capture, save, send
from tests.processes.processes import until
from tests.support.by_name import ByName
from tests.support.signed_in import OPERATOR_NAME, OPERATOR_PASSWORD

FACE = draw(NAMES[2])
# A capture of nobody takes 30 s, and nginx waits for that. Both wait for a tenth of their time here.
TENTH = 10
CAPTURE_SECONDS = 3
TOKEN = re.compile(r'name="csrf_token" value="([^"]+)"')
MEGABYTE = 1024 * 1024
TOO_LARGE = ("Файл слишком большой", "The file is too large")
# More than gunicorn has threads, and fewer than nginx lets one address have.
SLOW = 40


class BehindNginx(ServedOnSocket):
    """The app on its socket, asked through nginx by https."""

    def __init__(self, folder: Path, nginx: Nginx, certificate: Path) -> None:
        settings = {"WORKER": "external", "HOSTS": f"{NAME} localhost"}
        super().__init__(folder, nginx.upstream, SWEEP_INTERVAL="0.5", RETRY_BASE="1", **settings)
        self.url = f"https://127.0.0.1:{nginx.https}"
        self.http.mount(self.url, ByName(NAME))
        self.http.verify = str(certificate)
        self.http.headers.update({"Host": NAME, "Referer": f"https://{NAME}/"})

    def let_in(self) -> None:
        """Sign in as before; by https the cookie has another name."""
        super().let_in()
        key = self.http.cookies.get("hikflask", domain="127.0.0.1")
        assert key is not None
        self.http.cookies.set("__Host-hikflask", key, domain=NAME, secure=True)


@dataclass
class Site:
    """What runs, and the terminal's number."""

    app: BehindNginx
    nginx: Nginx
    simulator: SimulatorServer
    terminal_id: int


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """Everything as it is installed; skips without nginx, save in CI."""
    if program() is None:
        assert not os.environ.get("CI"), "nginx must be installed in CI"
        pytest.skip("nginx is not installed")
    certificate = tmp_path_factory.mktemp("certificate") / "both.pem"
    make_certificate(certificate)
    with ExitStack() as stack:
        nginx = Nginx(Path(stack.enter_context(TemporaryDirectory())), certificate, quicker=TENTH)
        nginx.start()
        stack.callback(nginx.stop)
        simulator = stack.enter_context(SimulatorServer(Terminal(PASSWORD)))
        app = BehindNginx(tmp_path_factory.mktemp("instance"), nginx, certificate)
        app.start()
        stack.callback(app.kill)
        app.start_worker()
        until(app.has_worker)
        yield Site(app, nginx, simulator, add_terminal(app, simulator, "Вход"))


def added(site: Site, number: str, name: str) -> int:
    user = {"hikvision_id": number, "full_name": name, "department": "Охрана"}
    answer = site.app.http.post(f"{site.app.url}/api/users/", json=user, timeout=60)
    assert answer.status_code == 201, answer.text
    return int(answer.json()["id"])


def photo_of(size: int) -> bytes:
    """A picture that a camera might have made, with so many bytes."""
    file = io.BytesIO()
    Image.new("RGB", (1200, 1600), (128, 96, 64)).save(file, "JPEG", quality=90)
    return file.getvalue() + bytes(size - len(file.getvalue()))


def upload(site: Site, user_id: int, size: int) -> tuple[int, str]:
    files = {"photo": ("a.jpg", photo_of(size), "image/jpeg")}
    answer = site.app.http.post(f"{site.app.url}/api/users/{user_id}/photo", files=files, timeout=30)
    return answer.status_code, answer.text


def test_person_is_captured_saved_and_proven_also_when_the_pages_are_started_again_in_between(site: Site) -> None:
    address = press_capture(site.app)
    until(lambda: site.simulator.terminal.camera.window is not None)

    site.app.web.terminate()
    site.app.web.wait(30)
    away = site.nginx.ask("/employees/")
    site.app.serve()
    site.simulator.terminal.present(FACE, stay=60)

    assert away.status == 503
    until(lambda: page_shows(site.app, address, "Photo captured!"), 20)
    employee = save(site.app, address)
    until(lambda: page_shows(site.app, employee, "On “Вход”: person and face."), 20)
    assert site.simulator.terminal.people["100222"]["name"] == "Иван Иванов"
    assert site.simulator.terminal.faces["100222"].jpeg == FACE
    site.simulator.terminal.camera.leave()


def test_capture_waits_its_whole_time_while_others_upload_and_slow_clients_hold_no_thread(site: Site) -> None:
    send(site.app, "/administration/settings/CAPTURE_TIMEOUT", {"value": str(CAPTURE_SECONDS)})
    user_id = added(site, "100333", "Ольга Ёлкина")
    url = f"{site.app.url}/api/devices/{site.terminal_id}/start-face-capture"

    def capture_of_nobody() -> tuple[float, int, dict[str, object]]:
        began = time.monotonic()
        answer = site.app.http.post(url, json={"hikvision_id": "100333"}, timeout=CAPTURE_SECONDS + 20)
        return time.monotonic() - began, answer.status_code, answer.json()

    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(capture_of_nobody)
        assert upload(site, user_id, 10 * MEGABYTE - 1000)[0] == 200
        assert upload(site, user_id, 10 * MEGABYTE + 1)[0] == 422
        status, text = upload(site, user_id, 12 * MEGABYTE)
        assert (status, text) == (413, '{"error": "request_entity_too_large", "message": "The body is too large."}')
        page = site.nginx.ask("/employees/", "POST", body="x" * 12 * MEGABYTE)
        assert (page.status, page.headers["Content-Type"]) == (413, "text/html; charset=utf-8")
        assert all(sentence in page.text for sentence in TOO_LARGE)
        assert_quick_beside_slow_clients(site)
        seconds, status, told = waiting.result()

    assert seconds >= CAPTURE_SECONDS
    assert (status, told["success"], told["error"]) == (504, False, "captureTimeout")


def assert_quick_beside_slow_clients(site: Site) -> None:
    """Send half of a form on many connections, and ask for pages meanwhile."""
    # Not to the sign-in: of that nginx lets one address have few, which others need.
    head = f"POST /employees/new HTTP/1.1\r\nHost: {NAME}\r\nContent-Length: 1000\r\n\r\nname="
    slow: list[socket.socket] = []
    try:
        for _ in range(SLOW):
            slow.append(site.nginx.connected())
            slow[-1].sendall(head.encode())
        began = time.monotonic()
        assert [site.nginx.ask("/health/ready").status for _ in range(10)] == [200] * 10
        assert time.monotonic() - began < 5
    finally:
        for one in slow:
            one.close()


def test_api_never_answers_html_and_names_its_caller_in_the_audit(site: Site) -> None:
    nobody = site.nginx.ask("/api/users/", X_Forwarded_For="203.0.113.66")
    lost = site.app.http.get(f"{site.app.url}/api/nothing", timeout=60)

    assert (nobody.status, nobody.headers["Content-Type"]) == (401, "application/json")
    assert (lost.status_code, lost.headers["Content-Type"]) == (404, "application/json")
    audit = site.app.http.get(f"{site.app.url}/audit/", timeout=60).text
    assert "127.0.0.1" in audit
    assert "203.0.113.66" not in audit


def test_operator_signs_in_through_nginx_and_the_socket(site: Site) -> None:
    page = site.nginx.ask("/sign-in")
    token = TOKEN.search(page.text)
    assert token
    form = urlencode({"csrf_token": token[1], "name": OPERATOR_NAME, "password": OPERATOR_PASSWORD})

    answer = site.nginx.ask(
        "/sign-in",
        "POST",
        body=form,
        Content_Type="application/x-www-form-urlencoded",
        Cookie=page.headers["Set-Cookie"].partition(";")[0],
        Referer=f"https://{NAME}/sign-in",
        Origin=f"https://{NAME}",
        X_Forwarded_For="203.0.113.66",
        X_Forwarded_Ssl="off",
    )

    assert answer.status == 303, answer.text
    cookies = answer.headers.get_all("Set-Cookie") or []
    assert {cookie.partition("=")[0] for cookie in cookies} == {"__Host-hikflask", "__Host-hikflask_device"}
    with closing(connect(site.app.folder / "hikflask.sqlite3")) as database:
        assert database.execute("SELECT address FROM audit WHERE action = 'sign_in'").fetchall() == [("127.0.0.1",)]


def test_pages_come_with_the_headers_that_protect_them(site: Site) -> None:
    page = site.nginx.ask("/sign-in")

    assert page.status == 200
    assert page.headers["Strict-Transport-Security"] == "max-age=31536000"
    assert page.headers["Content-Security-Policy"].startswith("default-src 'self'")
    assert page.headers["X-Content-Type-Options"] == "nosniff"
    assert page.headers["X-Frame-Options"] == "DENY"
    assert site.nginx.plainly(NAME, "/sign-in").startswith(b"HTTP/1.1 301 ")
