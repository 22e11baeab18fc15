"""The wire inside one process: the client's HTTP goes straight into a simulated terminal's WSGI application."""

import json
from collections.abc import Mapping
from io import BytesIO
from typing import Any, cast

import flask
import requests
from requests.adapters import BaseAdapter
from urllib3 import HTTPResponse
from werkzeug.datastructures import Headers
from werkzeug.local import LocalProxy

from hikflask.simulator import AnswerLost, Terminal
from hikflask.simulator.server import create_isapi

TERMINAL = "tests.terminal"
# One application for all terminals: to make one takes longer than most conversations.
ISAPI = create_isapi(cast("Terminal", LocalProxy(lambda: flask.request.environ[TERMINAL])))


class InProcess(BaseAdapter):
    """Sends each request to the simulated terminal of its host; a host with none is away."""

    def __init__(self) -> None:
        super().__init__()
        self._terminals: dict[str, Terminal] = {}
        self.away: set[str] = set()

    def put(self, host: str, terminal: Terminal) -> None:
        """Let this terminal answer at http://host."""
        self._terminals[host] = terminal

    def send(self, request: requests.PreparedRequest, *_: Any, **__: Any) -> requests.Response:
        """Return the terminal's answer, or the connection error that stands for a lost one."""
        host, path = str(request.url).partition("://")[2].partition("/")[::2]
        if host in self.away or host not in self._terminals:
            raise requests.ConnectionError(request=request)
        try:
            answer = ISAPI.test_client().open(
                f"/{path}",
                method=request.method,
                data=request.body or b"",
                headers=list(request.headers.items()),
                environ_overrides={TERMINAL: self._terminals[host]},
            )
        except AnswerLost as lost:
            raise requests.ReadTimeout(request=request) from lost
        return _response(request, answer.status_code, answer.headers, answer.get_data())

    def close(self) -> None:
        """Nothing is kept open."""


def _response(
    request: requests.PreparedRequest, status: int, headers: Headers | Mapping[str, str], body: bytes
) -> requests.Response:
    response = requests.Response()
    response.status_code = status
    response.headers.update(dict(headers))
    response.request = request
    response.url = str(request.url)
    response.raw = HTTPResponse(body=BytesIO(body), status=status, preload_content=False)
    return response


class NoRemovalOfFaces:
    """A firmware that knows no call by which a face is removed, and may refuse FDSetUp with a bare 413."""

    def __init__(self, wire: InProcess) -> None:
        self._send = wire.send
        self.takes_faces = True

    def __call__(self, request: requests.PreparedRequest, **options: Any) -> requests.Response:
        path, body = str(request.path_url).partition("?")[0], request.body or b""
        sent = body if isinstance(body, bytes) else body.encode()
        if path.endswith(("FDSearch/Delete", "FDDelete")) or (path.endswith("FDSetUp") and b"deleteFP" in sent):
            words = {"statusCode": 4, "statusString": "Invalid Operation", "subStatusCode": "notSupport"}
            return _response(request, 404, {}, json.dumps(words).encode())
        if path.endswith("FDSetUp") and not self.takes_faces and request.headers.get("Authorization"):
            return _response(request, 413, {}, b"Request Entity Too Large")
        return self._send(request, **options)
