"""What is stored about one employee, as a file; for administrators."""

from flask import Blueprint, Response, abort, make_response

from hikflask.http.permissions import ADMIN, confirmed
from hikflask.services.employees import export, search

bp = Blueprint("exports", __name__)


@bp.post("/employees/<int:employee_id>/export")
@confirmed(ADMIN, answers_file=True)
def employee(employee_id: int) -> Response:
    """The ZIP file. A POST, since it writes to the audit trail: no link on another page can cause it."""
    found = search.get(employee_id) or abort(404)
    response = make_response(export.of_employee(found.id))
    response.mimetype = "application/zip"
    # A number has Latin letters and digits alone.
    response.headers["Content-Disposition"] = f'attachment; filename="employee-{found.number}.zip"'
    response.headers["Cache-Control"] = "private, no-store"
    return response
