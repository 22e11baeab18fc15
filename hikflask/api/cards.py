"""The cards of users: what each terminal has confirmed of them, given and taken away."""

from typing import Any

from flask import Blueprint, abort, jsonify, request
from flask.typing import ResponseReturnValue

from hikflask import messages
from hikflask.api.openapi.described import FLAG, Body, Query, component, described, list_of
from hikflask.api.support import body, error_json
from hikflask.api.support.body import InputError
from hikflask.api.users import NO_USER, reconcile_quietly
from hikflask.forms.employees import CardForm
from hikflask.http.permissions import OPERATOR, VIEWER, allow
from hikflask.models import Card, Employee
from hikflask.services.cards import registry
from hikflask.services.core.errors import CardTaken, CardTakenThere, ServiceError
from hikflask.services.employees import search
from hikflask.services.enrolments import queries

bp = Blueprint("api_cards", __name__, url_prefix="/api/users/<int:user_id>/cards")
error_json.answer_in_json(bp)
LOST = {"lost": {**FLAG, "description": "`true`: the card is lost, and is taken off before anything else is done."}}


@bp.get("/", strict_slashes=False)
@allow(VIEWER)
@described(list_of(component("Card")))
def list_cards(user_id: int) -> ResponseReturnValue:
    """The user's cards, the first that was given first."""
    employee = _employee(user_id)
    return jsonify(_shapes(employee, *registry.of_employee(user_id)))


@bp.post("/", strict_slashes=False)
@allow(OPERATOR)
@described(component("Card"), status=201, body=Body(CardForm, example={"number": "00123456"}), refusals=(409, 503))
def give_card(user_id: int) -> ResponseReturnValue:
    """Give the user a card; the terminals that the user is on get it before the answer, if they answer.

    The number counts letter by letter, as terminals show it. A card that a terminal has for somebody else is not given.
    """
    _employee(user_id)
    form = body.form_of(CardForm, body.read())
    try:
        given = registry.give(user_id, form.number.data)
    except CardTaken as error:
        return _refused(error, hikvision_id=error.params["number"])
    card = given.row
    reconcile_quietly(given.due)
    employee = _employee(user_id)
    if taken := _taken_there(employee, card.number):
        registry.take_away(employee.id, card.id)
        device_id, owner = taken
        return _refused(CardTakenThere(n=card.number, number=owner), device_id=device_id, hikvision_id=owner)
    similar = registry.similar(card.number)
    warning = {"warning": messages.english("card_similar", **registry.about(similar[0]))} if similar else {}
    return jsonify({**_shapes(employee, card)[0], **warning}), 201


@bp.delete("/<int:card_id>")
@allow(OPERATOR)
@described(component("Card"), status=202, query=Query(more=LOST), refusals=(404,))
def take_card_away(user_id: int, card_id: int) -> ResponseReturnValue:
    """Take a card away from the user; each terminal takes it off, before the answer if it answers."""
    if request.args.get("lost", "false") not in {"true", "false"}:
        raise InputError({"lost": "“true” or “false” is expected."})
    taken = registry.take_away(_employee(user_id).id, card_id, lost=request.args.get("lost") == "true")
    reconcile_quietly(taken.due)
    return jsonify(_shapes(_employee(user_id), taken.row)[0]), 202


def _employee(user_id: int) -> Employee:
    return search.get(user_id) or abort(404, NO_USER)


def _shapes(employee: Employee, *cards: Card) -> list[dict[str, Any]]:
    lines = {line.number: line.states for line in registry.lines(employee)}
    return [
        {
            "id": card.id,
            "number": card.number,
            "created_at": card.created_at.strftime("%Y-%m-%dT%H:%M:%S"),
            "devices": [{"device_id": one, "state": state} for one, _name, state in lines.get(card.number, ())],
        }
        for card in cards
    ]


def _taken_there(employee: Employee, number: str) -> tuple[int, str] | None:
    """Return the id of a terminal where somebody else has the card, and that person's employee number."""
    for enrolment in queries.desired_of(employee.number):
        refusal = enrolment.refusal
        if refusal and refusal["code"] == CardTakenThere.code and refusal["params"].get("n") == number:
            return enrolment.terminal_id, refusal["params"].get("number", "")
    return None


def _refused(error: ServiceError, **more: Any) -> ResponseReturnValue:
    message = messages.english(error.code, **error.params)
    return error_json.refusal(error.code, message, error.meaning.api_status, **more)
