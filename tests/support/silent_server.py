"""A server on loopback that takes connections and never says a word, as a frozen one does, or never ends one."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field


@dataclass
class SilentServer:
    """Its port, who is connected, and an event once somebody is."""

    port: int
    connected: list[socket.socket] = field(default_factory=list)
    came: threading.Event = field(default_factory=threading.Event)


@contextmanager
def silent_server(says: bytes = b"") -> Iterator[SilentServer]:
    """Run a server; in the end it hangs up on everybody.

    :param says: how its answer begins, which goes on with a byte now and then for ten seconds.
    """
    with socket.create_server(("127.0.0.1", 0)) as listening:
        server = SilentServer(listening.getsockname()[1])

        def drip(connection: socket.socket) -> None:
            with suppress(OSError):
                connection.sendall(says)
                for _ in range(500):
                    time.sleep(0.02)
                    connection.sendall(b"2")

        def take() -> None:
            while True:
                try:
                    server.connected.append(listening.accept()[0])
                except OSError:
                    return
                server.came.set()
                if says:
                    threading.Thread(target=drip, args=server.connected[-1:], daemon=True).start()

        thread = threading.Thread(target=take, daemon=True)
        thread.start()
        try:
            yield server
        finally:
            listening.shutdown(socket.SHUT_RDWR)
            thread.join()
            for connection in server.connected:
                connection.close()
