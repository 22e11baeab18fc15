"""The addresses that HIKFLASK_TERMINAL_NETWORKS and HIKFLASK_TERMINAL_REQUIRE allow."""

from urllib.parse import urlsplit

from flask import current_app

from hikflask.net.addresses import ANY_ADDRESS, AllowedAddresses
from hikflask.services.core.errors import ServiceError

# Short, because a person waits for the form. A slower name is checked when the app connects.
RESOLVE_SECONDS = 1.0


def allowed() -> AllowedAddresses:
    """Return the allowed addresses."""
    return AllowedAddresses(current_app.config["TERMINAL_NETWORKS"])


def requires(what: str) -> bool:
    """Tell whether the administrator requires "https" or "sha256" of every terminal."""
    return what in current_app.config["TERMINAL_REQUIRE"]


def refuse_unallowed(url: str) -> None:
    """Refuse an address that is not allowed, before it is saved.

    A name that cannot be resolved now is accepted: the terminal may be off.

    :raises terminal_https_required: when it is not https, but https is required.
    :raises terminal_address_refused: when none of its IP addresses is allowed.
    """
    if urlsplit(url).scheme != "https" and requires("https"):
        raise ServiceError("terminal_https_required")
    if _refuses(allowed(), url):
        raise refusal_of(url)


def refusal_of(url: str) -> ServiceError:
    """Return the refusal of an address for an administrator: it names the setting, where that can allow it."""
    if is_never_allowed(url):
        return ServiceError("terminal_address_refused")
    return ServiceError("terminal_address_refused", setting="HIKFLASK_TERMINAL_NETWORKS")


def is_never_allowed(url: str) -> bool:
    """Tell whether an address is refused whatever the settings are."""
    return _refuses(ANY_ADDRESS, url)


def is_resolved(url: str) -> bool:
    """Tell whether this machine finds the address of a name, without asking what is there."""
    try:
        ANY_ADDRESS.places(urlsplit(url).hostname or "", 0, RESOLVE_SECONDS)
    except OSError:
        return False
    return True


def _refuses(addresses: AllowedAddresses, url: str) -> bool:
    parts = urlsplit(url)
    try:
        return not addresses.places(parts.hostname or "", parts.port or 80, RESOLVE_SECONDS)
    except OSError:
        return False
