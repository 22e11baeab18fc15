"""Terminals, which the API calls devices. A password is taken, but never answered."""

from contextlib import suppress
from dataclasses import asdict
from functools import partial
from http import HTTPStatus
from typing import Any

from flask import Blueprint, abort, jsonify
from flask.typing import ResponseReturnValue

from hikflask.api.openapi.described import OF_TERMINALS, Body, component, described, list_of
from hikflask.api.support import body, error_json, idempotency
from hikflask.api.support.body import Fields
from hikflask.api.support.etags import requirement, tagged
from hikflask.background import tasks
from hikflask.forms.terminals import DoorForm, TerminalForm
from hikflask.http import bearer_token, terminal_concurrency
from hikflask.http.bearer_token import caller_name
from hikflask.http.permissions import ADMIN, OPERATOR, VIEWER, allow
from hikflask.isapi.errors import TerminalError
from hikflask.models import Terminal
from hikflask.services.core.errors import ServiceError
from hikflask.services.groups import changing
from hikflask.services.terminals import checks, door, registry
from hikflask.services.terminals.checks import ask_status, status_without_asking
from hikflask.services.terminals.registry import Access

bp = Blueprint("api_devices", __name__, url_prefix="/api/devices")
error_json.answer_in_json(bp)

DEVICE = {
    "name": "Main entrance",
    "url": "https://192.168.1.64",
    "username": "admin",
    "password": "the password of its account",
    "fingerprint": "3f" * 32,
}
NEW_DEVICE = Body(TerminalForm, example=DEVICE)
OPEN_DOOR = Body(DoorForm, example={"reason": "A visitor of the accounts department"})
CHANGED_DEVICE = Body(TerminalForm, changes=True, options={"adding": False}, example={"is_active": False})


@bp.get("/", strict_slashes=False)
@allow(VIEWER)
@described(list_of(component("Device")))
def list_devices() -> ResponseReturnValue:
    """All terminals, sorted by name."""
    return jsonify([shape(terminal) for terminal in registry.list_all()])


@bp.post("/", strict_slashes=False)
@allow(ADMIN)
@described(component("Device"), status=201, body=NEW_DEVICE, refusals=(409,))
def create_device() -> ResponseReturnValue:
    """Add a terminal and check it; it is added even when it does not answer now."""
    form = body.form_of(TerminalForm, {"is_active": True, **body.read()})
    added = registry.add(Access(**form.values()))
    _check_quietly(added.id)
    return jsonify(shape(terminal_or_404(added.id))), 201


@bp.get("/<int:device_id>")
@allow(VIEWER)
@described(component("Device"), tagged=True)
def get_device(device_id: int) -> ResponseReturnValue:
    """One terminal."""
    return tagged(shape(terminal_or_404(device_id)))


@bp.put("/<int:device_id>")
@allow(ADMIN)
@described(component("Device"), body=CHANGED_DEVICE, refusals=(409, 503), tagged=True)
def change_device(device_id: int) -> ResponseReturnValue:
    """Change the fields that are given; without a password the stored one is kept."""
    terminal = terminal_or_404(device_id)
    given = body.read()
    form = body.form_of(TerminalForm, {**_typed(terminal), **given}, adding=False)
    with terminal_concurrency.slot():
        changed = registry.change(
            device_id,
            Access(**form.values()),
            caller_name(),
            fields=given,
            require=requirement(lambda: shape(terminal_or_404(device_id))),
            in_use_again=partial(changing.bring_to, enqueue=tasks.enqueue_job),
        )
    if changed.face_mode is None:
        _check_quietly(device_id)
    return tagged(shape(terminal_or_404(device_id)))


@bp.delete("/<int:device_id>")
@allow(ADMIN)
@described(component("Device"), refusals=(409,))
def delete_device(device_id: int) -> ResponseReturnValue:
    """Delete a terminal on which nobody is enrolled."""
    last = shape(terminal_or_404(device_id))
    registry.delete(device_id, caller_name())
    return jsonify(last)


@bp.get("/<int:device_id>/status")
@allow(VIEWER)
@described(component("DeviceStatus"), refusals=(502, 503))
def device_status(device_id: int) -> ResponseReturnValue:
    """The terminal's status: asked now, or read from its row while it is in use or known not to answer."""
    terminal_or_404(device_id)
    status = status_without_asking(device_id)
    if status is None:
        with terminal_concurrency.slot():
            status = ask_status(device_id, caller_name())
    checked_at = status.checked_at.strftime("%Y-%m-%dT%H:%M:%S") if status.checked_at else None
    return jsonify({**asdict(status), "checked_at": checked_at})


@bp.post("/<int:device_id>/open-door")
@allow(OPERATOR)
@described(
    component("DoorOpened"),
    other={202: component("DoorNotKnown")},
    body=OPEN_DOOR,
    refusals=OF_TERMINALS,
)
def open_door(device_id: int) -> ResponseReturnValue:
    """Let the terminal open its door once, for a reason; an administrator sets who may.

    It is answered 202 when it is not known whether the door opened: nothing is sent again by itself.
    """
    terminal_or_404(device_id)
    form = body.form_of(DoorForm, body.read())
    call = idempotency.call_key()
    with terminal_concurrency.slot():
        outcome = door.open_door(
            device_id,
            form.reason.data,
            caller_name(),
            bearer_token.may,
            call_key=door.key_of("call", call) if call else None,
        )
    return jsonify(opened=True) if outcome.opened else (jsonify(opened=None), HTTPStatus.ACCEPTED)


def shape(terminal: Terminal) -> dict[str, Any]:
    """A terminal as the API shows it."""
    return {
        "id": terminal.id,
        "name": terminal.name,
        "url": terminal.url,
        "username": terminal.username,
        "fingerprint": terminal.fingerprint,
        "is_active": terminal.is_active,
        "direction": terminal.direction,
        "model": terminal.model,
        "firmware": terminal.firmware,
        "last_sync": terminal.last_sync.strftime("%Y-%m-%dT%H:%M:%S") if terminal.last_sync else None,
    }


def _check_quietly(device_id: int) -> None:
    """Check the terminal; a failure is recorded in its row, and it is checked again before its first use."""
    with suppress(TerminalError, ServiceError), terminal_concurrency.slot():
        checks.check(device_id, caller_name())


def _typed(terminal: Terminal) -> Fields:
    return {
        "name": terminal.name,
        "url": terminal.url,
        "username": terminal.username,
        "fingerprint": terminal.fingerprint or "",
        "is_active": terminal.is_active,
        "face_by_picture": terminal.face_by_picture,
        "direction": terminal.direction,
    }


def terminal_or_404(device_id: int) -> Terminal:
    """Return a terminal. :raises werkzeug.exceptions.NotFound: when there is none."""
    return registry.find_terminal(device_id) or abort(404, "There is no such device.")
