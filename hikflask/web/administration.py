"""The administrator's own page: where operators, tokens and the rest are, and how this installation is set."""

from flask import Blueprint, current_app, render_template
from flask.typing import ResponseReturnValue

from hikflask.access import ADMIN, allow
from hikflask.config import SETTINGS

bp = Blueprint("administration", __name__)

# Keys and the database's address, which holds a password, are not shown.
NOT_SHOWN = {"SECRET_KEY", "PASSWORD_KEY", "DATABASE_URL"}


@bp.get("/administration")
@allow(ADMIN)
def show() -> ResponseReturnValue:
    """Links, and the settings as they are in force; changed in the environment or in instance/config.py."""
    shown = {name: current_app.config[name] for name in sorted(SETTINGS) if name not in NOT_SHOWN}
    return render_template("administration/show.html", settings=shown)
