"""Which addresses this app connects to: what HIKFLASK_TERMINAL_NETWORKS and HIKFLASK_TERMINAL_REQUIRE allow."""

from urllib.parse import urlsplit

from flask import current_app

from hikflask.isapi.addresses import AllowedAddresses
from hikflask.isapi.errors import AddressRefused
from hikflask.services.core.errors import TerminalAddressRefused, TerminalHttpsRequired

# A person waits for the form; a name that takes longer is judged when it is connected to.
RESOLVE_SECONDS = 1.0


def allowed() -> AllowedAddresses:
    """Return what may be connected to."""
    return AllowedAddresses(current_app.config["TERMINAL_NETWORKS"])


def requires(what: str) -> bool:
    """Tell whether the administrator lets no terminal do without this: "https" or "sha256"."""
    return what in current_app.config["TERMINAL_REQUIRE"]


def refuse_unallowed(url: str) -> None:
    """Refuse an address before it is saved; a name that is not resolved now may be a terminal that is off.

    :raises TerminalHttpsRequired: when it is not https, and nothing else is allowed.
    :raises TerminalAddressRefused: when nothing that the address stands for may be connected to.
    """
    parts = urlsplit(url)
    if parts.scheme != "https" and requires("https"):
        raise TerminalHttpsRequired
    try:
        allowed().places(parts.hostname or "", parts.port or 80, RESOLVE_SECONDS)
    except AddressRefused as error:
        raise TerminalAddressRefused from error
    except OSError:
        return
