"""A time for all of a conversation: a server that sends a byte now and then is never timed out by the socket itself."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

# So long the system's resolver may take for a name, where no server of names answers. Nothing ends that.
NAME_SECONDS = 240.0


@contextmanager
def cut_off_after(seconds: float, present_socket: Callable[[], socket.socket | None]) -> Iterator[None]:
    """Within the block, end the connection once so many seconds are over. Whoever reads from it sees its end then."""

    def cut_off() -> None:
        # The socket's own shutdown, not that of TLS: the other thread is in the middle of reading.
        with suppress(OSError, TypeError):
            socket.socket.shutdown(present_socket(), socket.SHUT_RDWR)  # type: ignore[arg-type]

    timer = threading.Timer(seconds, cut_off)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
