"""The legal basis on which a user's face is taken and stored."""

from datetime import date
from typing import Any

from flask import Blueprint, Response, abort, jsonify, make_response
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import PreconditionFailed

from hikflask.api.openapi.described import Body, component, described
from hikflask.api.support import body, error_json
from hikflask.api.support.etags import CHANGED, requirement, tagged
from hikflask.forms.privacy import ConsentForm
from hikflask.http.permissions import OPERATOR, VIEWER, allow
from hikflask.models import Consent
from hikflask.services.core.dates import today
from hikflask.services.employees import search
from hikflask.services.privacy import consents
from hikflask.services.privacy.consents import Given

bp = Blueprint("api_consents", __name__, url_prefix="/api/users")
error_json.answer_in_json(bp)

ADDRESS = "/<int:user_id>/consent"
WARNING = "X-Warning"
CONSENT = Body(
    ConsentForm,
    options={"today": date.max},
    example={"given_on": "2026-03-01", "basis": "consent", "note": "Folder 12"},
)


@bp.get(ADDRESS)
@allow(VIEWER)
@described(component("Consent"), tagged=True)
def get_consent(user_id: int) -> ResponseReturnValue:
    """The recorded consent."""
    return tagged(_shape(_recorded(user_id)))


@bp.put(ADDRESS)
@allow(OPERATOR)
@described(component("Consent"), body=CONSENT, tagged=True)
def put_consent(user_id: int) -> ResponseReturnValue:
    """Record a consent; it replaces the one before."""
    _refuse_unknown(user_id)
    form = body.form_of(ConsentForm, body.read(), today=today())
    given = Given(form.given_on.data, form.basis.data, form.note.data or "")
    return tagged(_shape(consents.record(user_id, given, requirement(lambda: _shown(user_id)))))


@bp.delete(ADDRESS)
@allow(OPERATOR)
@described(component("Consent"))
def delete_consent(user_id: int) -> ResponseReturnValue:
    """Withdraw the consent, and answer with what was recorded; photo and terminals stay as they are."""
    last = _shape(_recorded(user_id))
    consents.withdraw(user_id)
    return jsonify(last)


def with_consent_warning(answer: ResponseReturnValue, missing: bool) -> Response:
    """Return the answer, with a warning in a header where consent is missing: the shape of the body is fixed."""
    response = make_response(answer)
    if missing:
        response.headers[WARNING] = "consent_missing"
    return response


def _refuse_unknown(user_id: int) -> None:
    if search.get(user_id) is None:
        abort(404, "There is no such user.")


def _recorded(user_id: int) -> Consent:
    _refuse_unknown(user_id)
    return consents.get(user_id) or abort(404, "There is no consent recorded.")


def _shown(user_id: int) -> dict[str, Any]:
    consent = consents.get(user_id)
    if consent is None:  # Nothing matches then, not even "*".
        raise PreconditionFailed(CHANGED)
    return _shape(consent)


def _shape(consent: Consent) -> dict[str, Any]:
    return {
        "given_on": consent.given_on.isoformat(),
        "basis": consent.basis,
        "note": consent.note,
        "recorded_by": consent.recorded_by,
        "recorded_at": consent.recorded_at.strftime("%Y-%m-%dT%H:%M:%S"),
    }
