"""Where webhooks' receivers may be, and the one way to them."""

import ipaddress
from collections.abc import Mapping
from urllib.parse import urlsplit

from flask import current_app

from hikflask.net import client
from hikflask.net.addresses import ANY_ADDRESS, AllowedAddresses
from hikflask.services.core.db import end_read
from hikflask.services.core.errors import ServiceError

SECONDS = 10.0
LOOPBACK = AllowedAddresses((ipaddress.ip_network("127.0.0.0/8"), ipaddress.ip_network("::1/128")))


def allowed(url: str) -> AllowedAddresses:
    """Return where receivers may be: HIKFLASK_WEBHOOK_NETWORKS; without it http on this machine, https anywhere."""
    networks = current_app.config["WEBHOOK_NETWORKS"]
    if networks:
        return AllowedAddresses(networks)
    return ANY_ADDRESS if urlsplit(url).scheme == "https" else LOOPBACK


def refuse_unallowed(url: str) -> None:
    """Refuse an address that is not allowed, before it is saved; a name that is not resolved now is accepted.

    :raises webhook_address_refused: when none of its IP addresses is allowed.
    """
    end_read()
    try:
        places = client.resolve(url, allowed(url))
    except OSError:
        return
    if not places:
        raise ServiceError("webhook_address_refused")


def post(url: str, body: bytes, headers: Mapping[str, str]) -> int:
    """Send a message and return the status of the answer. :raises NotSent: when no status came in time."""
    end_read()
    return client.post(url, body, headers, allowed(url), SECONDS)
