"""Real nginx on loopback with the shipped configuration, with other ports, paths and certificate, perhaps quicker."""

import http.client
import os
import re
import shutil
import signal
import socket
import socketserver
import ssl
import subprocess
import threading
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.message import Message
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from types import MappingProxyType

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID

from tests.processes.processes import IPV4, IPV6, ROOT, free_port, has_ipv6, until

NAME = "hikflask.example"
SECONDS = 60
TIMEOUT = re.compile(r"((?:proxy_read|client_header)_timeout )(\d+)s;")
LISTEN_IPV6 = re.compile(r"^ *listen \[.*\n", re.MULTILINE)
# A request may say in this header from which address it comes, since there is one of IPv6 alone here.
FROM = "X-Test-From"
PAGE = b"<!doctype html><title>in gunicorn's place</title>"
# What Debian's own nginx.conf says around a site, as far as it matters to one.
AROUND = """
{user}
daemon off;
pid {folder}/nginx.pid;
error_log {folder}/all_error.log;
events {{ worker_connections 768; }}
http {{
    types {{ text/html html; }}
    default_type application/octet-stream;
    ssl_protocols TLSv1.2 TLSv1.3;
    access_log {folder}/all_access.log;
    set_real_ip_from 127.0.0.1;
    real_ip_header {source};
    gzip on;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    include {folder}/nginx.conf;
}}
"""


def program() -> str | None:
    """Return where nginx is, or None."""
    return shutil.which("nginx", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")


@dataclass(frozen=True)
class Answer:
    """What came back."""

    status: int
    headers: http.client.HTTPMessage
    text: str


class Nginx:
    """nginx in a process of its own, with its folder."""

    def __init__(self, folder: Path, certificate: Path, quicker: int = 1) -> None:
        self.folder = folder
        self._quicker = quicker
        self.upstream = folder / "app.sock"
        self.http, self.https = free_port(), free_port()
        self._certificate = certificate
        self._process: subprocess.Popen[bytes] | None = None
        self._write()

    def start(self) -> None:
        """Check the configuration, then serve."""
        command = [program() or "nginx", "-c", str(self.folder / "around.conf"), "-p", str(self.folder)]
        checked = subprocess.run([*command, "-t"], capture_output=True, text=True, check=False, timeout=SECONDS)
        assert checked.returncode == 0, checked.stderr
        assert "[warn]" not in checked.stderr, checked.stderr
        self._process = subprocess.Popen(command)
        until(self._listens)

    def stop(self) -> None:
        """End it."""
        if self._process is not None:
            self._process.send_signal(signal.SIGTERM)
            self._process.wait(SECONDS)

    def ask(
        self,
        path: str,
        method: str = "GET",
        host: str = NAME,
        body: str | None = None,
        address: str = IPV4,
        **headers: str,
    ) -> Answer:
        """Ask once by https, with any name in the Host header."""
        connection = http.client.HTTPConnection(address, self.https, timeout=SECONDS)
        with closing(connection):
            connection.sock = self.connected(address=address)
            sent = {"Host": host, **{name.replace("_", "-"): value for name, value in headers.items()}}
            connection.request(method, path, body, sent)
            answer = connection.getresponse()
            return Answer(answer.status, answer.headers, answer.read().decode())

    def connected(self, name: str | None = NAME, ciphers: str = "", address: str = IPV4) -> ssl.SSLSocket:
        """Open a TLS connection that names a server, and offers only some suites of TLS 1.2 where they are given."""
        context = ssl.create_default_context(cafile=str(self._certificate))
        context.check_hostname = name == NAME
        context.verify_mode = ssl.CERT_REQUIRED if name == NAME else ssl.CERT_NONE
        if ciphers:
            context.maximum_version = ssl.TLSVersion.TLSv1_2
            context.set_ciphers(ciphers)
        plain = socket.create_connection((address, self.https), SECONDS)
        return context.wrap_socket(plain, server_hostname=name)

    def plainly(self, host: str, path: str = "/", address: str = IPV4, body: bytes | None = None) -> bytes:
        """Ask once by http, or post a body, and return all that came back, until nginx closed."""
        method, length = ("GET", "") if body is None else ("POST", f"Content-Length: {len(body)}\r\n")
        head = f"{method} {path} HTTP/1.1\r\nHost: {host}\r\n{length}Connection: close\r\n\r\n"
        with socket.create_connection((address, self.http), SECONDS) as plain:
            plain.sendall(head.encode() + (body or b""))
            return b"".join(iter(lambda: plain.recv(65536), b""))

    def logs(self) -> str:
        """Return everything that was logged."""
        return "".join(path.read_text() for path in sorted(self.folder.glob("*.log")))

    def _listens(self) -> bool:
        assert self._process is None or self._process.poll() is None, self.logs()
        with closing(socket.socket()) as plain:
            return plain.connect_ex((IPV4, self.https)) == 0

    def _sooner(self, text: str) -> str:
        """Return a configuration that gives up waiting for gunicorn, and for the head of a request, so much sooner."""
        return TIMEOUT.sub(lambda found: f"{found[1]}{int(found[2]) * 1000 // self._quicker}ms;", text)

    def _write(self) -> None:
        shipped = {
            "listen 80": f"listen {IPV4}:{self.http}",
            "listen 443": f"listen {IPV4}:{self.https}",
            "listen [::]:80": f"listen [{IPV6}]:{self.http}",
            "listen [::]:443": f"listen [{IPV6}]:{self.https}",
            "/etc/ssl/certs/hikflask.pem": str(self._certificate),
            "/etc/ssl/private/hikflask.key": str(self._certificate),
            "/var/log/nginx": str(self.folder),
            "/etc/nginx": str(self.folder),
            "/run/hikflask/gunicorn.sock": str(self.upstream),
        }
        text = (ROOT / "deploy/nginx.conf").read_text()
        for before, after in shipped.items():
            assert before in text, before
            text = text.replace(before, after)
        if not has_ipv6():
            text = LISTEN_IPV6.sub("", text)
        (self.folder / "nginx.conf").write_text(self._sooner(text))
        for part in (ROOT / "deploy").glob("hikflask_*"):
            (self.folder / part.name).write_text(self._sooner(part.read_text()))
        user = "user root;" if os.geteuid() == 0 else ""
        (self.folder / "around.conf").write_text(AROUND.format(folder=self.folder, user=user, source=FROM))


def make_certificate(path: Path) -> None:
    """Write a certificate of NAME and its key, an RSA one: without forward secrecy there are suites for such alone."""
    key = rsa.generate_private_key(65537, 2048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, NAME)])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(NAME)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem, plain = serialization.Encoding.PEM, serialization.NoEncryption()
    path.write_bytes(certificate.public_bytes(pem) + key.private_bytes(pem, serialization.PrivateFormat.PKCS8, plain))


@dataclass
class Seen:
    """The requests that reached what stands for gunicorn: method, path and headers."""

    requests: list[tuple[str, str, Message]] = field(default_factory=list)


@contextmanager
def answering(path: Path, headers: Mapping[str, str] = MappingProxyType({}), status: int = 200) -> Iterator[Seen]:
    """Answer everything with this status and these headers on a Unix socket, in gunicorn's place."""
    seen = Seen()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            seen.requests.append((self.command, self.path, self.headers))
            self.send_response(status)
            self.send_header("Content-Type", "text/html")
            self.send_header("Content-Length", str(len(PAGE)))
            self.send_header("Connection", "close")
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(PAGE)

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            self.do_GET()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with socketserver.ThreadingUnixStreamServer(str(path), Handler) as server:
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield seen
        finally:
            server.shutdown()
            thread.join()
            path.unlink()


@contextmanager
def holding(nginx: Nginx, count: int) -> Iterator[None]:
    """Have so many requests under way, which nothing answers, in gunicorn's place."""
    with ExitStack() as stack:
        behind = stack.enter_context(closing(socket.socket(socket.AF_UNIX)))
        behind.settimeout(SECONDS)
        behind.bind(str(nginx.upstream))
        behind.listen()
        for _ in range(count):
            sock = stack.enter_context(nginx.connected())
            sock.sendall(f"GET /employees/ HTTP/1.1\r\nHost: {NAME}\r\n\r\n".encode())
            stack.enter_context(behind.accept()[0])
        yield
