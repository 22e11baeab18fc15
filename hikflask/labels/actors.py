"""The name of an actor on a page; the audit trail stores those that are no operator and no token in English."""

from flask_babel import gettext

from hikflask.messages import N_

# Leases call the worker `background`.
ACTORS = {
    "nobody": N_("nobody"),
    "command line": N_("command line"),
    "worker": N_("worker"),
    "background": N_("worker"),
}


def actor_name(name: str) -> str:
    """Return the name to show; an operator's or token's name stays as it is."""
    return str(gettext(ACTORS[name])) if name in ACTORS else name


def stored_name(shown: str) -> str:
    """Return the name as the audit trail stores it, from one as a page shows it."""
    typed = shown.strip().casefold()
    return next((name for name in ACTORS if actor_name(name).casefold() == typed), shown)
