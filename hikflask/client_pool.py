"""Keeps one client for each terminal and process, so that its connection and Digest login are reused."""

import threading
from collections.abc import Callable

from flask import Flask, current_app

from hikflask.isapi.client import Client


class TerminalClients:
    """The Flask extension: the clients of an app. A client is used only under its terminal's lease."""

    def init_app(self, app: Flask) -> None:
        """Give the app its clients."""
        app.extensions["terminal_clients"] = ClientsById()

    def get(self, terminal_id: int, version: int, make: Callable[[], Client]) -> Client:
        """Return the client of a terminal.

        :param version: the version of the terminal's row. It rises with a new address or password, and then a new
            client is made.
        :param make: returns a new client.
        """
        clients: ClientsById = current_app.extensions["terminal_clients"]
        return clients.get(terminal_id, version, make)


class ClientsById:
    """The clients by terminal id."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._clients: dict[int, tuple[int, Client]] = {}

    def get(self, terminal_id: int, version: int, make: Callable[[], Client]) -> Client:
        """Return the client of this version; close one of another version, or of a lease that was taken over meanwhile.

        A client that is still busy belongs to such a lease, and the new holder must not wait for its last answer.
        """
        with self._lock:
            kept_version, client = self._clients.get(terminal_id, (None, None))
            if client:
                if kept_version == version and not client.is_busy:
                    return client
                client.close()
            client = make()
            self._clients[terminal_id] = (version, client)
            return client

    def close(self) -> None:
        """Close all connections."""
        with self._lock:
            for _, client in self._clients.values():
                client.close()
            self._clients.clear()
