"""The page “Administration”: links to its parts, and the settings of this installation."""

from flask import Blueprint, current_app, render_template
from flask.typing import ResponseReturnValue

from hikflask.http.permissions import ADMIN, allow
from hikflask.services.backups import records
from hikflask.services.core import no_space
from hikflask.services.settings import change

bp = Blueprint("administration", __name__)


@bp.get("/administration")
@allow(ADMIN)
def show() -> ResponseReturnValue:
    """Links, and the settings in force: what each one does, and where its value comes from."""
    return render_template(
        "admin/overview.html",
        config=current_app.config,
        changed=change.in_force(),
        may_change=change.may_change,
        backup=records.newest(),
        overdue=records.is_overdue(),
        disks=no_space.disks(),
    )
