"""Undoing an import: what the undo would do, and its job."""

from typing import Any

from flask import Blueprint, abort, jsonify
from flask.typing import ResponseReturnValue

from hikflask.api import imports
from hikflask.api.openapi.described import WHOLE, Body, component, described
from hikflask.api.support import body, error_json
from hikflask.background import tasks
from hikflask.http import bearer_token
from hikflask.http.permissions import ADMIN, OPERATOR, allow
from hikflask.services.enrolments.mass_removals import Confirmation
from hikflask.services.imports import batches, losses, queries
from hikflask.services.imports import jobs as import_jobs
from hikflask.services.imports.lost_faces import LostFaces

bp = Blueprint("api_import_undo", __name__, url_prefix="/api/users/import")
error_json.answer_in_json(bp)

CONFIRM = Body(
    more={"confirm": {**WHOLE, "description": "How many people lose access, where that is refused as `unsafe_plan`."}},
    optional=True,
    example={"confirm": 60},
)


@bp.get("/<int:batch_id>/undo")
@allow(OPERATOR)
@described(component("Undoable"))
def preview_undo(batch_id: int) -> ResponseReturnValue:
    """What the undo of an import would do: of how many rows, who loses access, and whose face does not come back."""
    _batch_or_404(batch_id)
    preview, lost = queries.undo_preview(batch_id), losses.of_undo(batch_id)
    answer: dict[str, Any] = {"rows": preview.can, "changed": preview.changed}
    if lost:
        answer["lose_access"] = imports.lose_access(lost)
    if preview.lost_faces:
        answer["lost_faces"] = [_lost_faces(faces) for faces in preview.lost_faces]
    return jsonify(answer)


@bp.post("/<int:batch_id>/undo")
@allow(OPERATOR)
@described(component("JobBegun"), status=202, body=CONFIRM, refusals=(409,))
def undo_import(batch_id: int) -> ResponseReturnValue:
    """Begin the job that undoes an import.

    Where many lose access through it, an administrator's token confirms how many.
    """
    _batch_or_404(batch_id)
    given = body.read(numbers=("confirm",), required=False)
    agreed = Confirmation(body.number(given, "confirm"), by_admin=bearer_token.may(ADMIN))
    claim = import_jobs.start_undo(batch_id, agreed)
    tasks.enqueue_job(claim)
    return jsonify({"job": claim.job_id}), 202


def _batch_or_404(batch_id: int) -> None:
    if batches.get(batch_id) is None:
        abort(404, "There is no such import.")


def _lost_faces(lost: LostFaces) -> dict[str, Any]:
    device = {"device_id": lost.terminal_id, "name": lost.terminal}
    return {**device, "people": lost.people, "leaving": lost.leaving, "first": list(lost.numbers)}
