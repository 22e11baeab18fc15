"""The words for an operator: the roles."""

from flask_babel import lazy_gettext as _l

ROLES = {"viewer": _l("Viewer"), "operator": _l("Operator"), "admin": _l("Administrator")}
