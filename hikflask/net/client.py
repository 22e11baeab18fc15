"""Posts one message to a server that is no terminal: to a checked address, within a time, following no redirects.

A host name is resolved once, each address found is checked, and the checked ones are tried in turn (addresses.py). So
an address can lead neither to metadata of clouds nor, by another answer of the name's server the next time, to what is
not allowed. Of the answer the status alone is read.

cut_off_after() limits the time of other conversations, too: the socket itself never ends what comes byte by byte.
"""

import http.client
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from urllib.parse import urlsplit, urlunsplit

from hikflask.net.addresses import AllowedAddresses, SocketAddress

RESOLVE_SECONDS = 3.0


class NotSent(Exception):
    """No status came. `problem` is a code: address_refused, certificate, no_answer."""

    def __init__(self, problem: str) -> None:
        super().__init__(problem)
        self.problem = problem


def post(url: str, body: bytes, headers: Mapping[str, str], addresses: AllowedAddresses, seconds: float) -> int:
    """Send a message and return the status of the answer.

    :param addresses: those that may be connected to.
    :param seconds: for everything, from the name's resolution to the status.
    :raises NotSent: when no status came in time.
    """
    deadline = time.monotonic() + seconds
    parts = urlsplit(url)
    try:
        places = resolve(url, addresses, min(RESOLVE_SECONDS, seconds))
    except OSError as error:
        raise NotSent("no_answer") from error
    if not places:
        raise NotSent("address_refused")
    connection = _Connection(parts.hostname or "", _port(url), places, parts.scheme == "https", deadline)
    try:
        with cut_off_after(deadline - time.monotonic(), lambda: connection.sock):
            connection.request("POST", urlunsplit(("", "", parts.path or "/", parts.query, "")), body, dict(headers))
            return connection.getresponse().status
    except ssl.SSLCertVerificationError as error:
        raise NotSent("certificate") from error
    except (OSError, http.client.HTTPException) as error:
        raise NotSent("no_answer") from error
    finally:
        connection.close()


def resolve(url: str, addresses: AllowedAddresses, seconds: float = RESOLVE_SECONDS) -> list[SocketAddress]:
    """Return the allowed socket addresses of a URL's host. :raises OSError: when its name is not resolved."""
    return addresses.places(urlsplit(url).hostname or "", _port(url), seconds)


def _port(url: str) -> int:
    parts = urlsplit(url)
    return parts.port or (443 if parts.scheme == "https" else 80)


class _Connection(http.client.HTTPConnection):
    """A connection to the first of some places that accepts it; they were resolved and checked before.

    Whatever is begun before the deadline is cut off at the deadline; later nothing is begun.
    """

    def __init__(self, host: str, port: int, places: list[SocketAddress], secure: bool, deadline: float) -> None:
        super().__init__(host, port)
        self._places = places
        self._deadline = deadline
        self._secure = secure
        if secure:
            self.default_port = http.client.HTTPS_PORT

    def connect(self) -> None:
        """Connect to a place, and check the certificate for the host's name."""
        self._connect_in_turn()
        self.sock.settimeout(self._seconds_left())
        if self._secure:
            # The handshake apart: to cut it off needs the socket that it is made on.
            context = ssl.create_default_context()
            self.sock = context.wrap_socket(self.sock, server_hostname=self.host, do_handshake_on_connect=False)
            self.sock.settimeout(self._seconds_left())
            self.sock.do_handshake()

    def _connect_in_turn(self) -> None:
        """Connect to the first place that accepts it. Each has its share of the time, as one of them may be silent."""
        for count, place in enumerate(self._places[:-1]):
            try:
                return self._connect_to(place, len(self._places) - count)
            except OSError:
                self.sock.close()
        return self._connect_to(self._places[-1], 1)

    def _connect_to(self, place: SocketAddress, places_left: int) -> None:
        family, address = place
        self.sock = socket.socket(family, socket.SOCK_STREAM)
        self.sock.settimeout(self._seconds_left() / places_left)
        self.sock.connect(address)

    def _seconds_left(self) -> float:
        left = self._deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError
        return left


# So long the system's resolver may take for a name, where no server of names answers. Nothing ends that.
NAME_SECONDS = 240.0


@contextmanager
def cut_off_after(seconds: float, current_socket: Callable[[], socket.socket | None]) -> Iterator[None]:
    """Within the block, end the connection once so many seconds are over. Whoever reads from it sees its end then."""

    def cut_off() -> None:
        # The socket's own shutdown, not that of TLS: the other thread is in the middle of reading.
        with suppress(OSError, TypeError):
            socket.socket.shutdown(current_socket(), socket.SHUT_RDWR)  # type: ignore[arg-type]

    timer = threading.Timer(seconds, cut_off)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
