"""What Active Directory does as no other directory: it binds `user@domain`, and answers `u:` to "Who am I?"."""

import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from socketserver import StreamRequestHandler, ThreadingTCPServer
from typing import Any

from hikflask.simulator.certificate import make_certificate

GROUP = "cn=hik,ou=groups,dc=corp,dc=example"
BIND, SEARCH, EXTENDED = 0x60, 0x63, 0x77
AND, OR, EQUAL = 0xA0, 0xA1, 0xA3
SUCCESS, INVALID_CREDENTIALS = 0, 49


@dataclass
class Person:
    """A person's account of a domain, the name to sign in with (`upn`), and the groups."""

    account: str
    upn: str
    password: str
    groups: tuple[str, ...] = ()
    domain: str = "CORP"

    @property
    def dn(self) -> str:
        """The address of the entry."""
        return f"cn={self.account},dc={self.domain.lower()},dc=example"

    @property
    def principal(self) -> str:
        """The value of msDS-PrincipalName, and of the answer to "Who am I?"."""
        return f"{self.domain}\\{self.account}"


@contextmanager
def active_directory(folder: Path, people: list[Person]) -> Iterator[dict[str, Any]]:
    """Serve these people; yield the settings of an app that has no account of its own there."""
    certificate = make_certificate("127.0.0.1")
    path = folder / "active_directory.pem"
    path.write_bytes(certificate.pem + certificate.key)

    class Handler(StreamRequestHandler):
        def handle(self) -> None:
            whose: list[Person] = []
            received = b""
            while chunk := self.request.recv(65536):
                received += chunk
                for _, message in _parts(received):
                    received = b""
                    (_, number), (kind, content), *_ = _parts(message)
                    for answer in _answers(kind, content, people, whose):
                        self.wfile.write(_part(0x30, _part(0x02, number), answer))

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path)
    with ThreadingTCPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        server.socket = context.wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        yield {
            "LDAP_URL": f"ldaps://127.0.0.1:{server.server_address[1]}",
            "LDAP_CA": str(path),
            "LDAP_BIND_DN": "",
            "LDAP_BIND_PASSWORD": "",
            "LDAP_USER_DN": "{name}@corp.example",
            "LDAP_BASE": "dc=corp,dc=example",
            "LDAP_NAME": "sAMAccountName",
            "LDAP_GROUPS": (("admin", GROUP),),
        }
        server.shutdown()
        thread.join()


def _answers(kind: int, content: bytes, people: list[Person], whose: list[Person]) -> Iterator[bytes]:
    """Yield what is answered. `whose` has the connection's person, once it is bound."""
    if kind == BIND:
        _version, (_, name), (_, password) = _parts(content)
        whose[:] = [
            one for one in people if (one.upn.lower(), one.password) == (name.decode().lower(), password.decode())
        ]
        yield _result(0x61, SUCCESS if whose else INVALID_CREDENTIALS)
    elif kind == EXTENDED:
        yield _result(0x78, SUCCESS, _part(0x8B, f"u:{whose[0].principal}".encode()))
    elif kind == SEARCH:
        (_, base), *_, condition, _attributes = _parts(content)
        values = _asserted([condition])
        for one in people:
            if base.decode() in one.groups and one.dn in values:
                yield _entry(base.decode(), {})
            elif one.dn.endswith(base.decode()) and one.account in values:
                yield _entry(one.dn, {"sAMAccountName": one.account, "msDS-PrincipalName": one.principal})
        yield _result(0x65, SUCCESS)


def _asserted(conditions: list[tuple[int, bytes]]) -> list[str]:
    """Return the values that a filter asks for."""
    values: list[str] = []
    for kind, content in conditions:
        if kind in {AND, OR}:
            values += _asserted(_parts(content))
        elif kind == EQUAL:
            values.append(_parts(content)[1][1].decode().lower())
    return values


def _result(kind: int, code: int, more: bytes = b"") -> bytes:
    return _part(kind, _part(0x0A, bytes([code])), _part(0x04), _part(0x04), more)


def _entry(dn: str, attributes: dict[str, str]) -> bytes:
    given = [
        _part(0x30, _part(0x04, name.encode()), _part(0x31, _part(0x04, value.encode())))
        for name, value in attributes.items()
    ]
    return _part(0x64, _part(0x04, dn.encode()), _part(0x30, *given))


def _part(kind: int, *content: bytes) -> bytes:
    """Return a value in BER, as RFC 4511 writes it."""
    whole = b"".join(content)
    return bytes([kind, 0x82]) + len(whole).to_bytes(2) + whole


def _parts(data: bytes) -> list[tuple[int, bytes]]:
    """Return the values in BER that follow each other, each with its kind; one that is cut off is left out."""
    parts, at = [], 0
    while at + 2 <= len(data):
        kind, length, start = data[at], data[at + 1], at + 2
        if length > 0x7F:
            start, length = start + length - 0x80, int.from_bytes(data[start : start + length - 0x80])
        at = start + length
        if at <= len(data):
            parts.append((kind, data[start:at]))
    return parts
