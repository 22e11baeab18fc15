"""Recorded answers, a terminal of prepared answers, and a terminal on a real socket."""

import hashlib
import json
import re
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from hikflask.isapi.client import Answer

RECORDINGS = Path(__file__).resolve().parent.parent / "recordings"
OK = b'{"statusCode":1,"statusString":"OK","subStatusCode":"ok"}'
JPEG = b"\xff\xd8\xff\xe0picture\xff\xd9"


def recorded(name: str) -> bytes:
    """Return the bytes of one recording."""
    return (RECORDINGS / name).read_bytes()


def answer(body: bytes = OK, status: int = 200, content_type: str = "application/json") -> Answer:
    """Return an answer of a terminal."""
    return Answer(status, content_type, body, "/ISAPI/x")


def refusal(sub_status: str, message: str = "", status: int = 400, status_code: int = 6) -> Answer:
    """Return a refusal in JSON, as terminals put it."""
    words = {
        "statusCode": status_code,
        "statusString": "Invalid Content",
        "subStatusCode": sub_status,
        "errorMsg": message,
    }
    return answer(json.dumps(words).encode(), status)


@dataclass
class Sent:
    """One request as it reached the wire."""

    method: str
    path: str
    data: bytes | None
    content_type: str | None
    timeout: tuple[float, float] | None


class Prepared:
    """A Requester that answers from a list (an exception in it is raised) and keeps what was sent."""

    def __init__(self, *answers: Answer | Exception) -> None:
        self.answers = list(answers)
        self.sent: list[Sent] = []

    def request(
        self,
        method: str,
        path: str,
        *,
        data: bytes | None = None,
        content_type: str | None = None,
        timeout: tuple[float, float] | None = None,
    ) -> Answer:
        """Return the next answer, as that of the path that was asked."""
        self.sent.append(Sent(method, path, data, content_type, timeout))
        found = self.answers.pop(0)
        if isinstance(found, Exception):
            raise found
        return replace(found, path=path.partition("?")[0])


@dataclass
class Seen:
    """One request as the server read it."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def authorization(self) -> dict[str, str]:
        """The fields of the Digest header, empty when there is none."""
        header = self.headers.get("authorization", "")
        return {name: value.strip('"') for name, value in re.findall(r'(\w+)=("[^"]*"|[^,\s]+)', header)}


@dataclass
class Reply:
    """What the server writes; raw bytes are written as they are."""

    status: int = 200
    body: bytes = OK
    headers: dict[str, str] = field(default_factory=dict)


@dataclass
class Server:
    """A terminal on a real socket: answers what `behave` says and keeps what it saw."""

    url: str
    seen: list[Seen]


Behaviour = Callable[[Seen, BaseHTTPRequestHandler], Reply | None]


class Handler(BaseHTTPRequestHandler):
    """Reads a request whole and lets the behaviour answer it; None means that it has written or hung up itself."""

    protocol_version = "HTTP/1.1"
    # Head and body of an answer are two writes: else the second would wait 40 ms until the first one is acknowledged.
    disable_nagle_algorithm = True
    behave: Behaviour
    seen: list[Seen]

    def handle_one_request(self) -> None:
        """Take a client that hangs up for granted."""
        try:
            super().handle_one_request()
        except OSError:
            self.close_connection = True

    def _serve(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        headers = {name.lower(): value for name, value in self.headers.items()}
        request = Seen(self.command, self.path, headers, self.rfile.read(length))
        self.seen.append(request)
        reply = type(self).behave(request, self)
        if reply is not None:
            self._write(reply)

    def _write(self, reply: Reply) -> None:
        self.send_response(reply.status)
        for name, value in {"Content-Length": str(len(reply.body)), **reply.headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(reply.body)

    do_GET = do_POST = do_PUT = _serve  # noqa: N815

    def log_message(self, *_: object) -> None:
        """Stay silent."""


class QuietServer(ThreadingHTTPServer):
    """A server whose threads end with the test."""

    daemon_threads = True

    def handle_error(self, *_: object) -> None:
        """Stay silent when a client refuses the certificate."""


class ServerOfIPv6(QuietServer):
    """Such a server on an address of IPv6."""

    address_family = socket.AF_INET6


@contextmanager
def terminal(
    behave: Behaviour, context: ssl.SSLContext | None = None, port: int = 0, host: str = "127.0.0.1"
) -> Iterator[Server]:
    """Serve on a free port, or on this one, over TLS with a context, until the block ends."""
    seen: list[Seen] = []
    listening = ServerOfIPv6 if ":" in host else QuietServer
    server = listening((host, port), type("Bound", (Handler,), {"behave": staticmethod(behave), "seen": seen}))
    if context is not None:
        server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        named = f"[{host}]" if ":" in host else host
        yield Server(f"{'https' if context else 'http'}://{named}:{server.server_port}", seen)
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)


def digest_response(request: Seen, password: str, realm: str = "DS-6E392E44") -> str:
    """Return what RFC 7616 wants for this request, computed apart from the client (MD5, qop auth)."""
    fields = request.authorization

    def md5(text: str) -> str:
        return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()

    account, target = md5(f"{fields['username']}:{realm}:{password}"), md5(f"{request.method}:{request.path}")
    return md5(f"{account}:{fields['nonce']}:{fields['nc']}:{fields['cnonce']}:auth:{target}")


@dataclass
class DigestTerminal:
    """A behaviour for `terminal`: Digest as the seed terminal speaks it, with knobs for what others do."""

    password: str = "secret-pass"
    nonce: str = "n1"
    tries: int = 5
    dead: set[str] = field(default_factory=set)
    reply: Reply = field(default_factory=Reply)

    def __call__(self, request: Seen, _: BaseHTTPRequestHandler) -> Reply:
        """Answer one request."""
        fields = request.authorization
        if not fields:
            return self.challenge(self.check())
        if fields["nonce"] in self.dead:
            return Reply(401, self.check())
        if fields["response"] != digest_response(request, self.password):
            self.tries -= 1
            return self.challenge(self.check())
        return self.reply

    def check(self) -> bytes:
        """Return the body beside a 401."""
        if self.tries <= 0:
            return b"<userCheck><lockStatus>lock</lockStatus><unlockTime>1800</unlockTime></userCheck>"
        words = f"<lockStatus>unlock</lockStatus><retryLoginTime>{self.tries}</retryLoginTime>"
        return f"<userCheck>{words}</userCheck>".encode()

    def challenge(self, body: bytes) -> Reply:
        """Return a 401 with the recorded challenge."""
        header = f'Digest qop="auth", realm="DS-6E392E44", nonce="{self.nonce}", stale="false", opaque="", domain="::"'
        return Reply(401, body, {"WWW-Authenticate": header})
