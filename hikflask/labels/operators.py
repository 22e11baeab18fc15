"""The words for an operator: the roles."""

from flask_babel import gettext as _

from hikflask.messages import N_

ROLES = {"viewer": N_("Viewer"), "operator": N_("Operator"), "admin": N_("Administrator")}


def role_label(role: str) -> str:
    """Return the word for a role."""
    return str(_(ROLES[role]))
