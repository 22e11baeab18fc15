"""Keeps one client per terminal in each process, so that a warm connection and its Digest state are used again."""

import threading
from collections.abc import Callable

from flask import Flask, current_app

from hikflask.isapi.client import Client


class TerminalClients:
    """Clients by terminal and row version: a changed address or password brings a new one. Used under the lease."""

    def init_app(self, app: Flask) -> None:
        """Keep one set of clients per app."""
        app.extensions["terminal_clients"] = ClientShelf()

    def get(self, terminal_id: int, version: int, make: Callable[[], Client]) -> Client:
        """Return the kept client, or a new one when the row's version is another."""
        shelf: ClientShelf = current_app.extensions["terminal_clients"]
        return shelf.get(terminal_id, version, make)


class ClientShelf:
    """One app's clients."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._clients: dict[int, tuple[int, Client]] = {}

    def get(self, terminal_id: int, version: int, make: Callable[[], Client]) -> Client:
        """Return the client of this version; an older one is closed."""
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
