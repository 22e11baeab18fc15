"""One client for each terminal and process, so that its open connection and Digest login are used again."""

import threading
from collections.abc import Callable

from flask import Flask, current_app

from hikflask.isapi.client import Client


class TerminalClients:
    """The clients of an app, used only under the lease of their terminal."""

    def init_app(self, app: Flask) -> None:
        """Give the app its clients."""
        app.extensions["terminal_clients"] = ClientShelf()

    def get(self, terminal_id: int, version: int, make: Callable[[], Client]) -> Client:
        """Return the client of a terminal.

        :param version: of the terminal's row. A new one, as after a change of address or password, needs a new client.
        :param make: returns the new client.
        """
        shelf: ClientShelf = current_app.extensions["terminal_clients"]
        return shelf.get(terminal_id, version, make)


class ClientShelf:
    """The clients by terminal."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._clients: dict[int, tuple[int, Client]] = {}

    def get(self, terminal_id: int, version: int, make: Callable[[], Client]) -> Client:
        """Return the client of this version; one of another version is closed."""
        with self._lock:
            known = self._clients.get(terminal_id)
            if known and known[0] == version:
                return known[1]
            if known:
                known[1].close()
            client = make()
            self._clients[terminal_id] = (version, client)
            return client

    def close(self) -> None:
        """Close all connections."""
        with self._lock:
            for _, client in self._clients.values():
                client.close()
            self._clients.clear()
