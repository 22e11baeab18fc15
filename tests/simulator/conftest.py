"""A terminal in one process and a client that logs in by Digest; nobody sleeps."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from urllib.request import parse_http_list, parse_keqv_list

import pytest
from werkzeug.test import TestResponse

from hikflask.simulator import SkippingClock, Terminal, create_simulator

PASSWORD = "Secret12"
FORM = "application/x-www-form-urlencoded"
CAPTURE = "/ISAPI/AccessControl/CaptureFaceData"


class Client:
    """Requests to a terminal in one process, with one nonce for all of them."""

    def __init__(self, terminal: Terminal, password: str = PASSWORD) -> None:
        self.http = create_simulator(terminal).test_client()
        self.password = password
        self.challenge: dict[str, str] | None = None
        self.count = 0

    def ask(
        self, method: str, path: str, body: bytes | str | Mapping[str, Any] = b"", content_type: str | None = FORM
    ) -> TestResponse:
        """One request; a first one without credentials fetches the challenge."""
        data = json.dumps(body) if isinstance(body, Mapping) else body
        if self.challenge is None:
            answer = self.http.open(path, method=method, data=data, content_type=content_type)
            self.learn(answer)
        return self.open(method, path, data, content_type)

    def learn(self, answer: TestResponse) -> None:
        """Take the challenge of a 401."""
        value = answer.headers["WWW-Authenticate"].removeprefix("Digest ")
        self.challenge = parse_keqv_list(parse_http_list(value))
        self.count = 0

    def open(self, method: str, path: str, data: bytes | str = b"", content_type: str | None = FORM) -> TestResponse:
        """One request with credentials for the challenge that is known."""
        headers = {"Authorization": self.credentials(method, path)}
        return self.http.open(path, method=method, data=data, content_type=content_type, headers=headers)

    def credentials(self, method: str, path: str) -> str:
        challenge = self.challenge or {}
        algorithm = challenge.get("algorithm", "MD5")
        function = hashlib.sha256 if algorithm == "SHA-256" else hashlib.md5

        def digest(text: str) -> str:
            return function(text.encode()).hexdigest()

        self.count += 1
        nonce, nc = challenge["nonce"], f"{self.count:08x}"
        secret, request = digest(f"admin:{challenge['realm']}:{self.password}"), digest(f"{method}:{path}")
        middle = f"{nonce}:{nc}:c0ffee:auth" if "qop" in challenge else nonce
        fields = {
            "username": "admin",
            "realm": challenge["realm"],
            "nonce": nonce,
            "uri": path,
            "response": digest(f"{secret}:{middle}:{request}"),
        }
        if "qop" in challenge:
            fields |= {"qop": "auth", "nc": nc, "cnonce": "c0ffee"}
        if "algorithm" in challenge:
            fields["algorithm"] = algorithm
        return "Digest " + ", ".join(f'{name}="{value}"' for name, value in fields.items())

    def capture(self, data_type: str = "url", cancel: bool = False) -> TestResponse:
        extra = "<cancelFlag>true</cancelFlag>" if cancel else ""
        return self.ask(
            "POST",
            CAPTURE,
            '<CaptureFaceDataCond version="2.0" xmlns="http://www.isapi.org/ver20/XMLSchema">'
            f"<captureInfrared>false</captureInfrared><dataType>{data_type}</dataType>{extra}</CaptureFaceDataCond>",
        )

    def add_person(self, number: str = "100222", **fields: Any) -> TestResponse:
        user = {"employeeNo": number, "name": "Иван Иванов"} | fields
        return self.ask("POST", "/ISAPI/AccessControl/UserInfo/Record?format=json", {"UserInfo": user})

    def search(self, **condition: Any) -> dict[str, Any]:
        query = {"searchID": "a1", "searchResultPosition": 0, "maxResults": 30} | condition
        path = "/ISAPI/AccessControl/UserInfo/Search?format=json"
        answer = json.loads(self.ask("POST", path, {"UserInfoSearchCond": query}).data)
        return dict(answer["UserInfoSearch"])

    def bind(self, number: str = "100222", **fields: Any) -> TestResponse:
        """FDSetUp by URL as the terminal's own page sends it."""
        url = "https://192.168.1.67/LOCALS/pic/web_face_enrollpic.jpg@WEB000000000020"
        record = {"faceLibType": "blackFD", "FDID": "1", "FPID": number, "faceURL": url} | fields
        return self.send_parts('form-data; name="FaceDataRecord"', json.dumps(record).encode())

    def send_parts(
        self, *parts: str | bytes, path: str = "/ISAPI/Intelligent/FDLib/FDSetUp?format=json", method: str = "PUT"
    ) -> TestResponse:
        """A multipart body; `parts` are a Content-Disposition (headers may follow after CRLF) and a content in turn."""
        pairs = zip(parts[::2], parts[1::2], strict=True)
        pieces = [
            b"--xyz\r\nContent-Disposition: %b\r\n\r\n%b" % (_encoded(head), _encoded(body)) for head, body in pairs
        ]
        return self.ask(method, path, b"\r\n".join(pieces) + b"\r\n--xyz--\r\n", "multipart/form-data; boundary=xyz")


class BusyClock(SkippingClock):
    """While a request waits, `meanwhile` happens, once."""

    def __init__(self) -> None:
        super().__init__()
        self.meanwhile: Callable[[], object] | None = None

    def wait(self, condition: threading.Condition, seconds: float) -> None:
        if self.meanwhile:
            callback, self.meanwhile = self.meanwhile, None
            callback()
        super().wait(condition, seconds)


def _encoded(part: str | bytes) -> bytes:
    return part.encode() if isinstance(part, str) else part


@pytest.fixture
def clock() -> SkippingClock:
    return SkippingClock()


@pytest.fixture
def terminal(clock: SkippingClock) -> Terminal:
    return Terminal(PASSWORD, clock=clock)


@pytest.fixture
def client(terminal: Terminal) -> Client:
    """Talk to the seed terminal with the right password."""
    return Client(terminal)


@pytest.fixture
def client_for() -> type[Client]:
    """Talk to any terminal: `client_for(terminal, password)`."""
    return Client


@pytest.fixture
def recordings() -> Path:
    """The folder of the recorded exchanges."""
    return Path(__file__).parent.parent / "recordings"
