"""The page “Administration”: links to its parts, the last backup and the disks."""

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue

from hikflask.http.permissions import ADMIN, allow
from hikflask.services.backups import records
from hikflask.services.core import no_space

bp = Blueprint("administration", __name__)


@bp.get("/administration")
@allow(ADMIN)
def show() -> ResponseReturnValue:
    """The front page of administration."""
    return render_template(
        "admin/overview.html", backup=records.newest(), overdue=records.is_overdue(), disks=no_space.disks()
    )
