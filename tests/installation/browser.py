"""What a browser and a program see of an installation."""

import re

import requests

from hikflask.simulator import Terminal
from tests.installation.root import ThrowAwayRoot
from tests.processes.processes import until
from tests.support.by_name import ByName
from tests.support.captures import FACE

NAME = "hikflask.example"
URL = "https://127.0.0.1"
ADMINISTRATOR, PASSWORD = "Анна", "восемь зелёных окон 7"
TOKEN = re.compile(r'name="csrf_token" value="([^"]+)"')


def code_in(said: str) -> str:
    """The code for the first administrator, as the installation prints it."""
    found = re.search(r"give the code ((?:\w{4}-?){4})", said)
    assert found, said
    return found[1]


class Browser(requests.Session):
    """What a browser and a program see of the installation, through its nginx and its certificate."""

    def __init__(self, root: ThrowAwayRoot) -> None:
        super().__init__()
        self.trust_env = False
        self.mount(URL, ByName(NAME))
        self.headers["Host"] = NAME
        self.verify = str(root.path("etc/ssl/certs/hikflask.pem"))

    def becomes_first_administrator(self, code: str) -> None:
        form = {"code": code, "name": ADMINISTRATOR, "new_password": PASSWORD, "repeated": PASSWORD}
        self.sends("/first-run", "/first-run", form)

    def signs_in(self) -> None:
        self.cookies.clear()
        form = {"name": ADMINISTRATOR, "password": PASSWORD}
        self.sends("/sign-in", "/sign-in", form)

    def sends(self, page: str, address: str, form: dict[str, str]) -> None:
        """Send the form of a page."""
        token = TOKEN.search(self.get(f"{URL}{page}").text)
        assert token
        data = {**form, "csrf_token": token[1]}
        from_page = {"Referer": f"https://{NAME}{page}"}
        answer = self.post(f"{URL}{address}", data, headers=from_page, allow_redirects=False)
        assert answer.status_code == 303, answer.text

    def allows_writing_after_the_restore(self) -> None:
        page = "/terminals/1/after-restore"
        until(lambda: 'name="comparison"' in self.get(f"{URL}{page}").text, 30)
        found = re.search(r'name="comparison" value="(\d+)"', self.get(f"{URL}{page}").text)
        assert found
        self.sends(page, page, {"comparison": found[1]})

    def enrol(self, simulator: Terminal, number: str, name: str) -> None:
        added = self.post(f"{URL}/api/users/", json={"hikvision_id": number, "full_name": name, "department": "Охрана"})
        assert added.status_code == 201, added.text
        simulator.present_alone(FACE)
        captured = self.post(f"{URL}/api/devices/1/start-face-capture", json={"hikvision_id": number})
        assert captured.status_code == 200, captured.text
        sent = self.post(f"{URL}/api/users/{added.json()['id']}/sync-to-device")
        assert sent.status_code == 200, sent.text
        assert sent.json()["verified"] is True
