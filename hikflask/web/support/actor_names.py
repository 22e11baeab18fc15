"""Who acted, in words: what is no operator's and no token's name stands in the trail in English."""

from flask_babel import gettext

from hikflask.messages import N_

# `background` is the worker, as leases have it.
ACTORS = {
    "nobody": N_("nobody"),
    "command line": N_("command line"),
    "worker": N_("worker"),
    "background": N_("worker"),
}


def actor(name: str) -> str:
    """Return who acted, for a person; an operator's and a token's name are said as they are."""
    return str(gettext(ACTORS[name])) if name in ACTORS else name


def stored(said: str) -> str:
    """Return a name as the trail has it, from one as a page says it."""
    typed = said.strip().casefold()
    return next((name for name in ACTORS if actor(name).casefold() == typed), said)
