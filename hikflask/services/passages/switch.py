"""Whether it is kept who passed at the terminals (HIKFLASK_PASSAGES). Nothing of it is shown while it is not."""

from flask import current_app

from hikflask.services.core.errors import NotFound

OFF = "off"


def is_on() -> bool:
    """Return True when passages are kept."""
    return str(current_app.config["PASSAGES"]) != OFF


def require_on() -> None:
    """Refuse a page or a call about passages while they are not kept. :raises passages_off: then."""
    if not is_on():
        raise NotFound("passages_off")
