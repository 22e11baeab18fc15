"""Capturing a face or a card at a terminal; the call waits until the picture is taken, or the card is held to it."""

from http import HTTPStatus

from flask import Blueprint, jsonify
from flask.typing import ResponseReturnValue

from hikflask import messages
from hikflask.api.consents import with_consent_warning
from hikflask.api.devices import terminal_or_404
from hikflask.api.openapi.described import OF_TERMINALS, Body, component, described
from hikflask.api.support import body, error_json
from hikflask.codes import refusals
from hikflask.forms.employees import CaptureForm
from hikflask.http import terminal_concurrency
from hikflask.http.bearer_token import caller_name
from hikflask.http.permissions import OPERATOR, allow
from hikflask.isapi.errors import CLASSES, Busy, spelled
from hikflask.models import Capture
from hikflask.models.capture import CAPTURED
from hikflask.models.refusal import Refusal
from hikflask.services.captures.drafts import Draft
from hikflask.services.captures.lifecycle import start_capture
from hikflask.services.captures.runner import run_capture
from hikflask.services.cards.capture import capture_card
from hikflask.services.privacy import consents

bp = Blueprint("api_captures", __name__, url_prefix="/api/devices")
error_json.answer_in_json(bp, success=False)

CAPTURE = Body(CaptureForm, optional=True, example={"hikvision_id": "100222"})


@bp.post("/<int:device_id>/start-face-capture")
@allow(OPERATOR)
@described(component("Captured"), body=CAPTURE, refusals=OF_TERMINALS, headers=("X-Warning",))
def start_face_capture(device_id: int) -> ResponseReturnValue:
    """Capture a face and answer with its picture; a refusal has success: false and the reason.

    Without recorded consent for the number the answer has a warning in a header, or is a refusal where it is required.
    """
    terminal_or_404(device_id)
    fields = body.read(required=False)
    form = body.form_of(CaptureForm, fields)
    draft = Draft(number=form.hikvision_id.data or "")
    with terminal_concurrency.slot():
        capture = start_capture(device_id, draft, caller_name(), take_over=form.take_over.data)
        ended = run_capture(capture.id)
    return with_consent_warning(_answer(ended), consents.is_missing(draft.number))


@bp.post("/<int:device_id>/start-card-capture")
@allow(OPERATOR)
@described(component("CardCaptured"), refusals=(*OF_TERMINALS, HTTPStatus.NOT_IMPLEMENTED))
def start_card_capture(device_id: int) -> ResponseReturnValue:
    """Wait until somebody holds a card to the terminal, and answer with its number, letter by letter as reported."""
    terminal_or_404(device_id)
    try:
        with terminal_concurrency.slot():
            return jsonify({"success": True, "card_number": capture_card(device_id, caller_name())})
    except Busy as error:  # A terminal that is used elsewhere is a conflict, like one used here.
        message = messages.english(error.code, **error.params)
        return error_json.refusal(spelled(error.code, error.params), message, HTTPStatus.CONFLICT, success=False)


def _answer(capture: Capture) -> ResponseReturnValue:
    if capture.state != CAPTURED or capture.photo is None:
        refusal = capture.refusal or Refusal(code=capture.state, params={})
        code, params = refusal["code"], refusal["params"]
        message = messages.english(code, t=capture.terminal.name, address=capture.terminal.url, **params)
        if "word" in params:
            words = {"subStatusCode": params["word"], "errorMsg": params["text"]}
            return error_json.refusal("terminal_refused", message, HTTPStatus.BAD_GATEWAY, success=False, **words)
        # A terminal that is used elsewhere is a conflict, like one used here.
        status = HTTPStatus.CONFLICT if CLASSES.get(code) is Busy else refusals.type_of(code).api_status
        return error_json.refusal(spelled(code, params), message, status, success=False)
    return jsonify(
        {
            "success": True,
            "photo_path": capture.photo.path,
            "message": "Face captured successfully",
            "face_data_url": capture.face_url,
        }
    )
