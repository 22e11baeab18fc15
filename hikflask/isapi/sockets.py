"""The sockets below HTTP: allowed addresses, one deadline per round trip, whether a byte was sent, the certificate.

The read time-out of requests counts the silence between two bytes, so a terminal that sends single bytes could hold a
worker for ever. Here all reads of one answer, headers included, share one deadline. Whether a byte was sent separates
"the terminal is away" from "the outcome is unknown"; exception texts are not used for that.
"""

import hashlib
import http.client
import io
import re
import select
import socket
import ssl
import struct
import time
from collections.abc import Callable, Sequence
from typing import Any
from urllib.parse import urlsplit

from hikflask.isapi.errors import AddressRefused, Unreachable

SHA256_HEX = re.compile(r"[0-9a-f]{64}\Z")
MIN_SECONDS = 0.01
# A connection ends by a reset, also that of a killed process. Otherwise the kernel goes on sending what a terminal did
# not take yet, for minutes after its answer was given up, and a person who was removed meanwhile is there again.
RESET = struct.pack("ii", 1, 0)

SocketAddress = tuple[socket.AddressFamily, Any]
# Host, port and seconds → the socket addresses that may be connected to, none when the host is refused.
# Raises OSError when its name is not resolved in that time.
Resolver = Callable[[str, int, float], list[SocketAddress]]
# Seconds, and a function that is called when no answer has begun after them.
Slow = tuple[float, Callable[[], None]]


class Trip:
    """The state of the current round trip. Each client has one, and its lock allows one round trip at a time."""

    def __init__(self) -> None:
        self.begin(0.0)

    def begin(self, seconds: float, slow: Slow | None = None) -> None:
        """Start a round trip that may take this many seconds.

        Args: slow are seconds and the function that is called when the answer has not begun after them.
        """
        self.slow = slow
        self.until = time.monotonic() + seconds
        self.connected = False
        self.sent = False
        self.timed_out = False
        self.dropped = False

    def seconds_left(self) -> float:
        """Return the seconds until the deadline, negative after it."""
        return self.until - time.monotonic()


class DeadlineReader(io.RawIOBase):
    """Reads a socket until a deadline, even when the bytes arrive slowly."""

    def __init__(self, raw: io.RawIOBase, sock: socket.socket, trip: Trip) -> None:
        super().__init__()
        self._raw = raw
        self._sock = sock
        self._trip = trip
        self._until = min(trip.until, time.monotonic() + (sock.gettimeout() or 0.0))

    def readable(self) -> bool:
        """Return True, which BufferedReader requires."""
        return True

    def readinto(self, buffer: Any) -> int | None:
        """Read once, or raise TimeoutError at the deadline."""
        slow, self._trip.slow = self._trip.slow, None
        if slow and not (isinstance(self._sock, ssl.SSLSocket) and self._sock.pending()):
            seconds, call = slow
            waiting = select.poll()
            waiting.register(self._sock, select.POLLIN)
            if not waiting.poll(seconds * 1000):
                call()
        left = self._until - time.monotonic()
        try:
            if left <= 0:
                raise TimeoutError("the answer took too long")
            self._sock.settimeout(left)
            return self._raw.readinto(buffer)
        except TimeoutError:
            self._trip.timed_out = True
            raise

    def close(self) -> None:
        """Close the socket's file with this one."""
        self._raw.close()
        super().close()


class WatchedResponse(http.client.HTTPResponse):
    """An HTTP response, headers and body, read against the trip's deadline."""

    trip: Trip

    def __init__(self, sock: socket.socket, *args: Any, **options: Any) -> None:
        super().__init__(sock, *args, **options)
        raw = self.fp.detach()
        self.fp = io.BufferedReader(DeadlineReader(raw, sock, self.trip))


class WatchedConnection(http.client.HTTPConnection):
    """Records on its trip that it connects and that it sends. It is mixed into the pool's own connection class."""

    trip: Trip
    resolve: Resolver
    timeout: float
    socket_options: Sequence[tuple[int, int, int | bytes]] | None
    _dns_host: str

    def connect(self) -> None:
        """Connect, and record that this trip uses a new connection."""
        self.trip.connected = True
        super().connect()

    def _new_conn(self) -> socket.socket:
        """Open the socket instead of urllib3. Host, SNI and the certificate check still use the name."""
        try:
            sock = open_socket(self._dns_host, self.port, self.timeout, type(self).resolve)
        except OSError as error:
            # urllib3 would take a time-out for one of reading, and would wait for an answer after a reset.
            raise ConnectionError("no connection") from error
        for option in self.socket_options or ():
            sock.setsockopt(*option)
        return sock

    def send(self, data: Any) -> None:
        """Send, and record that from now on the terminal may have acted."""
        if self.sock is None:
            self.connect()
        self.trip.sent = True
        super().send(data)


def resolve_any(host: str, port: int, _seconds: float) -> list[SocketAddress]:
    """Return all socket addresses of a host. This resolver limits neither the addresses nor the time."""
    infos = socket.getaddrinfo(host.strip("[]"), port, type=socket.SOCK_STREAM)
    return [(family, place) for family, _, _, _, place in infos]


def open_socket(host: str, port: int, seconds: float, resolve: Resolver) -> socket.socket:
    """Connect to the first allowed address of a host that answers. Each address gets an equal share of the time left.

    Args: seconds is the time for all of it, and later the socket's time-out.
    :raises AddressRefused: when no address is allowed. :raises OSError: when none answers.
    """
    until = time.monotonic() + seconds
    places = resolve(host, port, seconds)
    if not places:
        raise AddressRefused(message=host)
    failure: OSError | None = None
    for tried, place in enumerate(places):
        share = (until - time.monotonic()) / (len(places) - tried)
        try:
            sock = _connected(place, max(share, MIN_SECONDS))
        except OSError as error:
            failure = error
            continue
        sock.settimeout(seconds)
        return sock
    raise failure or OSError("no address")


def _connected(place: SocketAddress, seconds: float) -> socket.socket:
    family, address = place
    sock = socket.socket(family, socket.SOCK_STREAM)
    try:
        sock.settimeout(seconds)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
        sock.connect(address)
    except OSError:
        sock.close()
        raise
    return sock


def watch(pools: Any, trip: Trip, resolve: Resolver) -> None:
    """Make all connections of a pool manager report to the trip, and connect to allowed addresses only.

    Args: pools is the `poolmanager` of a requests adapter; urllib3 documents its `pool_classes_by_scheme` for this.
    """
    response = type("TripResponse", (WatchedResponse,), {"trip": trip})
    attributes = {"trip": trip, "resolve": staticmethod(resolve), "response_class": response}
    watched: dict[str, type] = {}
    for scheme, pool in pools.pool_classes_by_scheme.items():
        connection = type("TripConnection", (WatchedConnection, pool.ConnectionCls), attributes)
        watched[scheme] = type("WatchedPool", (pool,), {"ConnectionCls": connection})
    pools.pool_classes_by_scheme = watched


def is_certificate_error(error: BaseException) -> bool:
    """Return whether a TLS error concerns the certificate and not the handshake.

    A failed handshake carries an SSLError, an untrusted certificate an SSLCertVerificationError, a wrong pin neither.
    """
    causes: list[BaseException] = []
    waiting: list[object] = [error]
    while waiting:
        cause = waiting.pop()
        if isinstance(cause, BaseException) and cause not in causes:
            causes.append(cause)
            waiting += [*cause.args, getattr(cause, "reason", None), cause.__cause__, cause.__context__]
    tls = [cause for cause in causes if isinstance(cause, ssl.SSLError)]
    return not tls or any(isinstance(cause, ssl.SSLCertVerificationError) for cause in tls)


def certificate_fingerprint(url: str, timeout: float, resolve: Resolver = resolve_any) -> str:
    """Return the SHA-256 of the certificate (DER) at an https address, as 64 hex digits.

    Args: timeout is in seconds, for the connection and again for the handshake.
    :raises Unreachable: :raises AddressRefused: :raises ValueError: for an address that is not https.
    """
    address = urlsplit(url)
    if address.scheme != "https" or not address.hostname:
        raise ValueError("not an https address")
    # No check: the certificate is only read, so that a person can compare and pin it.
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    try:
        with (
            open_socket(address.hostname, address.port or 443, timeout, resolve) as plain,
            context.wrap_socket(plain, server_hostname=address.hostname) as secure,
        ):
            certificate = secure.getpeercert(binary_form=True)
    except (OSError, UnicodeError) as error:
        raise Unreachable(message=type(error).__name__) from error
    return hashlib.sha256(certificate or b"").hexdigest()


def normal_fingerprint(text: str) -> str:
    """Return a SHA-256 fingerprint as 64 lower-case hex digits. Colons, spaces and upper case are accepted.

    :raises ValueError: when it is not such a fingerprint.
    """
    plain = "".join(text.split()).replace(":", "").lower()
    if not SHA256_HEX.match(plain):
        raise ValueError("not a SHA-256 fingerprint")
    return plain
