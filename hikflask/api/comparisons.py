"""Comparing a device with what is desired there, and mending what differs."""

from flask import Blueprint, jsonify
from flask.typing import ResponseReturnValue

from hikflask import messages, text_rules
from hikflask.api.devices import terminal_or_404
from hikflask.api.openapi.described import OF_TERMINALS, WHOLE, Body, component, described, list_of
from hikflask.api.support import body, error_json
from hikflask.api.support.body import InputError
from hikflask.background import tasks
from hikflask.http import bearer_token, terminal_concurrency
from hikflask.http.bearer_token import caller_name
from hikflask.http.permissions import ADMIN, OPERATOR, allow
from hikflask.services.comparisons import plan, plan_choices, queries, reading
from hikflask.services.comparisons.plan import REMOVE, SEND, TAKE_OVER, Choices, Plan
from hikflask.services.core import shown
from hikflask.services.core.errors import ServiceError, UnsafePlan
from hikflask.services.enrolments.mass_removals import Confirmation

bp = Blueprint("api_comparisons", __name__, url_prefix="/api/devices")
error_json.answer_in_json(bp)

# Of one request. What was read by then is kept for the next one.
COMPARE_SECONDS = 120.0
LISTS = (SEND, TAKE_OVER, REMOVE)
SAME_PERSON = "same_person"
FACES = "faces"
TEXT = {"type": "string"}
CHOICES = Body(
    more={name: list_of(TEXT) for name in (*LISTS, SAME_PERSON)}
    | {"confirm": WHOLE, "plan": TEXT, FACES: {"type": "object", "additionalProperties": TEXT}},
    example={SEND: ["100222"], REMOVE: ["100333"]},
)


@bp.post("/<int:device_id>/compare")
@allow(OPERATOR)
@described(component("Differences"), refusals=OF_TERMINALS)
def compare_device(device_id: int) -> ResponseReturnValue:
    """Read who is on a device now, and list the numbers that differ, by kind."""
    terminal_or_404(device_id)
    with terminal_concurrency.slot():
        done = reading.read_to_end(device_id, caller_name(), COMPARE_SECONDS)
    doubts = " ".join(map(messages.english, queries.doubts(done)))
    return jsonify({"same": done.same, **queries.numbers(done), **({"warning": doubts} if doubts else {})})


@bp.post("/<int:device_id>/apply")
@allow(OPERATOR)
@described(component("PlanBegun"), status=202, body=CHOICES, refusals=(409,))
def apply_to_device(device_id: int) -> ResponseReturnValue:
    """Begin the job that sends, takes over and removes people, as the last comparison of the device found them.

    `plan` names what an earlier call refused as `unsafe_plan`: where anything else would be done by now, nothing is.
    Only a token of the role `admin` removes people, or takes access from many.
    """
    terminal_or_404(device_id)
    lists, confirm, named, faces = body.read_lists((*LISTS, SAME_PERSON), "confirm", "plan", FACES)
    comparison = queries.finished(device_id)
    if comparison is None:
        raise ServiceError("not_compared")
    same_person = frozenset(lists[SAME_PERSON])
    made = plan.make(comparison, Choices(_actions(lists), same_person=same_person, names_seen=False, faces=faces))
    if named is not None:
        shown.require_same(named, made.digest)
    try:
        claim = plan_choices.begin(made, Confirmation(confirm, by_admin=bearer_token.may(ADMIN)))
    except UnsafePlan as error:
        message, about = messages.english(error.code, **error.params), {"count": error.count, "plan": made.digest}
        return error_json.refusal(error.code, message, error.meaning.api_status, **about)
    tasks.enqueue_job(claim)
    return jsonify({"job": claim.job_id, **_notes(made), **_faces(made)}), 202


def _faces(made: Plan) -> dict[str, dict[str, str]]:
    """Return the other faces that were not named, so that nobody is taken over with them: each by its SHA-256."""
    refused = (step for step in made.refused if step.refusal_code == "face_differs")
    there = {step.number: step.faces[1] for step in refused if step.faces}
    return {FACES: there} if there else {}


def _notes(made: Plan) -> dict[str, list[dict[str, str | None]]]:
    """Return what is to be said of the days of those who are taken over, where there is something."""
    notes = [
        {
            "number": step.number,
            "code": code,
            "message": messages.english(code),
            "valid_from": text_rules.written_day(step.limits.first) or None,
            "valid_to": text_rules.written_day(step.limits.last) or None,
        }
        for step in made.steps
        if step.limits
        for code in step.notes
    ]
    return {"notes": notes} if notes else {}


def _actions(lists: dict[str, list[str]]) -> dict[str, str]:
    """Return the action of each number.

    :raises InputError: when a number is in two lists.
    """
    actions: dict[str, str] = {}
    for action in LISTS:
        for number in dict.fromkeys(lists[action]):
            if number in actions:
                raise InputError({action: f"{number} is in the list “{actions[number]}”, too."})
            actions[number] = action
    return actions
