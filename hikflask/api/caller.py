"""Who calls the API, as text for captures, leases and messages."""

from hikflask.services import audit


def present_caller() -> str:
    """Return the caller's name, which is its token's."""
    return audit.present_actor().name
