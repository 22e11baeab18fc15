"""Download everything that is stored about one employee; for administrators."""

from flask import Blueprint, Response, abort, make_response

from hikflask.http.permissions import ADMIN, confirmed
from hikflask.services.employees import search
from hikflask.services.employees.export import export_employee

bp = Blueprint("exports", __name__)


@bp.post("/employees/<int:employee_id>/export")
@confirmed(ADMIN, answers_file=True)
def employee(employee_id: int) -> Response:
    """Answer the ZIP file. It is a POST, as it writes to the audit trail: no link on another page can cause it."""
    found = search.get(employee_id) or abort(404)
    response = make_response(export_employee(found.id))
    response.mimetype = "application/zip"
    # A number consists of Latin letters and digits, so it needs no quoting.
    response.headers["Content-Disposition"] = f'attachment; filename="employee-{found.number}.zip"'
    response.headers["Cache-Control"] = "private, no-store"
    return response
