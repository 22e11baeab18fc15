"""Requests to a server on this machine under the name that its certificate has."""

from typing import Any

from requests.adapters import HTTPAdapter


class ByName(HTTPAdapter):
    """Names the server in the TLS handshake and checks the certificate against that name, wherever it is connected."""

    def __init__(self, name: str) -> None:
        self._name = name
        super().__init__()

    def init_poolmanager(self, *arguments: Any, **named: Any) -> None:
        """Make the pool of connections."""
        named |= {"server_hostname": self._name, "assert_hostname": self._name}
        super().init_poolmanager(*arguments, **named)
