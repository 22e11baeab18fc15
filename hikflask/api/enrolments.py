"""Who is on which terminal, or shall be: what a program that watches enrolments reads."""

from typing import Any

from flask import Blueprint, jsonify, request
from flask.typing import ResponseReturnValue

from hikflask.api.openapi.described import Query, component, described, list_of
from hikflask.api.support import body, error_json, paging
from hikflask.forms.employees import EnrolmentFilterForm
from hikflask.http.permissions import VIEWER, allow
from hikflask.models import Enrolment
from hikflask.services.core.errors import told
from hikflask.services.core.keyset import PagePosition
from hikflask.services.enrolments import listing
from hikflask.services.enrolments.listing import EnrolmentFilter

bp = Blueprint("api_enrolments", __name__, url_prefix="/api/enrolments")
error_json.answer_in_json(bp)


@bp.get("/", strict_slashes=False)
@allow(VIEWER)
@described(list_of(component("Enrolment")), query=Query(EnrolmentFilterForm, paging.ARGUMENTS), headers=("Link",))
def list_enrolments() -> ResponseReturnValue:
    """A page of enrolments, the earliest change first; the header Link leads to the next page."""
    form = body.form_of(EnrolmentFilterForm, request.args.to_dict())
    wanted = EnrolmentFilter(form.state.data or "", form.terminal_id, form.moment)
    page = listing.page(wanted, paging.limit(), PagePosition(after=request.args.get("after", "")))
    return paging.with_link(jsonify([shape(enrolment) for enrolment in page.rows]), page.after)


def shape(enrolment: Enrolment) -> dict[str, Any]:
    """An enrolment as the API shows it."""
    return {
        "id": enrolment.id,
        "hikvision_id": enrolment.number,
        "user_id": enrolment.employee_id,
        "device_id": enrolment.terminal_id,
        "state": enrolment.state,
        "person": enrolment.person,
        "face": enrolment.face,
        "verified": enrolment.is_green,
        "error": told(enrolment.refusal)[0] or None,
        "changed_at": enrolment.changed_at.strftime("%Y-%m-%dT%H:%M:%S"),
    }
