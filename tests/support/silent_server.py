"""A server on loopback that takes connections and never says a word, as a frozen one does."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field


@dataclass
class SilentServer:
    """Its port, who is connected, and an event once somebody is."""

    port: int
    connected: list[socket.socket] = field(default_factory=list)
    came: threading.Event = field(default_factory=threading.Event)


@contextmanager
def silent_server() -> Iterator[SilentServer]:
    """Run a server; in the end it hangs up on everybody."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        server = SilentServer(listening.getsockname()[1])

        def take() -> None:
            while True:
                try:
                    server.connected.append(listening.accept()[0])
                except OSError:
                    return
                server.came.set()

        thread = threading.Thread(target=take, daemon=True)
        thread.start()
        try:
            yield server
        finally:
            listening.shutdown(socket.SHUT_RDWR)
            thread.join()
            for connection in server.connected:
                connection.close()
