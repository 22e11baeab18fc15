"""Employees, which the API calls users."""

from collections.abc import Iterable
from contextlib import suppress
from typing import Any

from flask import Blueprint, Response, abort, jsonify, request
from flask.typing import ResponseReturnValue

from hikflask import messages
from hikflask.api.consents import with_consent_warning
from hikflask.api.openapi.described import (
    FILE,
    FLAG,
    OF_TERMINALS,
    WHOLE,
    Body,
    Files,
    Query,
    component,
    described,
    list_of,
)
from hikflask.api.support import body, error_json, paging
from hikflask.api.support.body import Fields, InputError
from hikflask.api.support.etags import requirement, tagged
from hikflask.background import tasks
from hikflask.employee_fields import FORM_NAMES
from hikflask.forms.employees import EmployeeFilterForm, EmployeeForm
from hikflask.http import terminal_concurrency
from hikflask.http.bearer_token import caller_name
from hikflask.http.permissions import OPERATOR, VIEWER, allow
from hikflask.isapi.errors import TerminalError
from hikflask.models import Employee, Enrolment
from hikflask.models.terminal import BY_URL, UNKNOWN
from hikflask.services.captures import drafts
from hikflask.services.captures.drafts import Draft
from hikflask.services.comparisons import own_records
from hikflask.services.core.errors import ServiceError
from hikflask.services.core.keyset import PagePosition
from hikflask.services.employees import search
from hikflask.services.employees.lifecycle import delete_employee, set_active
from hikflask.services.employees.save import FaceSource, save_employee
from hikflask.services.employees.sync import sync_employee
from hikflask.services.enrolments import queries
from hikflask.services.enrolments.reconcile import reconcile, reconcile_row
from hikflask.services.photos import inspection
from hikflask.services.photos.inspection_checks import Finding
from hikflask.services.privacy import consents
from hikflask.services.terminals import registry

bp = Blueprint("api_users", __name__, url_prefix="/api/users")
error_json.answer_in_json(bp)

NO_USER = "There is no such user."
DAY_FIELDS = ("valid_from", "valid_to")
# What a program may change → its field of a draft.
FIELDS = {field: name for name, field in FORM_NAMES.items() if hasattr(EmployeeForm, field)}
OFFSET = {"offset": {**WHOLE, "minimum": 0, "description": "Counts from the first; a deep page takes long."}}
COUNT = {"count": {"type": "string", "enum": ["exact"], "description": "`exact` counts all whom a search finds."}}
FILTERS = Query(EmployeeFilterForm, paging.ARGUMENTS | OFFSET | COUNT)
# A header that says "false" where more than so many were found by a search, and X-Total-Count is one more than that.
EXACT, COUNTED = "X-Total-Count-Exact", search.FEW
USER = {"hikvision_id": "100222", "full_name": "Иван Иванов", "department": "Охрана", "valid_to": "2030-12-31"}
NEW_USER = Body(EmployeeForm, days=DAY_FIELDS, example=USER)
CHANGED_USER = Body(
    EmployeeForm,
    {"is_active": FLAG},
    changes=True,
    days=DAY_FIELDS,
    example={"department": "Склад", "is_active": False},
)
# What becomes of records that terminals had of a user before the user was taken over.
OWN_RECORDS, REMOVE, LEAVE = "own_records", "remove", "leave"
OWN_RECORD = {"type": "string", "enum": [REMOVE, LEAVE], "default": REMOVE}
PATH = {"type": "string", "description": "The `photo_path` of the capture that is meant; by default the latest one."}
SYNC = Body(more={"device_id": WHOLE, "photo_path": PATH, "overwrite": FLAG}, optional=True, example={"device_id": 1})


@bp.get("/", strict_slashes=False)
@allow(VIEWER)
@described(list_of(component("User")), query=FILTERS, headers=("X-Total-Count", EXACT, "Link"))
def list_users() -> ResponseReturnValue:
    """A page of the users that pass the filters, sorted by name unless asked; X-Total-Count says how many pass.

    The header Link leads to the next page by a cursor, which is as quick on each page; `offset` counts from the first.
    Where a search (`q`) finds more than 500, the count is 501 and X-Total-Count-Exact is `false`, unless the exact one
    is asked for by `count=exact`, `offset` or `limit=0`.
    """
    limit, offset = paging.limit(), paging.whole("offset", 0, 2**31)
    form = body.form_of(EmployeeFilterForm, request.args.to_dict())
    place = PagePosition(after=request.args.get("after", ""))
    if offset and place.after:
        raise InputError({"after": "Either “after” or “offset” says where the page begins."})
    if request.args.get("count", "") not in {"", "exact"}:
        raise InputError({"count": "“exact” is expected."})
    if offset or not limit:
        users, total = search.search(form.filter, limit, offset)
        return _listed(users, total)
    # Who pages by `offset` ends by the count.
    is_exact = not form.filter.q or bool(request.args.get("count") or request.args.get("offset"))
    page, total = search.page(form.filter, limit, place, None if is_exact else COUNTED)
    answer = _listed(page.rows, total, page.after)
    if not is_exact and total > COUNTED:
        answer.headers[EXACT] = "false"
    return answer


def _listed(users: list[Employee], total: int, after: str = "") -> Response:
    synced = queries.synced([employee.id for employee in users])
    answer = jsonify([_shape(employee, employee.id in synced) for employee in users])
    answer.headers["X-Total-Count"] = str(total)
    return paging.with_link(answer, after)


@bp.post("/", strict_slashes=False)
@allow(OPERATOR)
@described(component("User"), status=201, body=NEW_USER, refusals=(409, 503))
def create_user() -> ResponseReturnValue:
    """Add a user; the terminals of the user's groups are told in the background, and no others yet."""
    form = body.form_of(EmployeeForm, body.read(days=DAY_FIELDS))
    saved = save_employee(_draft(form))
    tasks.enqueue_due(saved.due)
    return jsonify(shape(saved.row)), 201


@bp.get("/<int:user_id>")
@allow(VIEWER)
@described(component("User"), tagged=True)
def get_user(user_id: int) -> ResponseReturnValue:
    """One user."""
    return tagged(shape(_employee(user_id)))


@bp.put("/<int:user_id>")
@allow(OPERATOR)
@described(component("User"), body=CHANGED_USER, refusals=(409, 503), tagged=True)
def change_user(user_id: int) -> ResponseReturnValue:
    """Change the fields that are given; what terminals get to know of it is sent to them before the answer."""
    employee = _employee(user_id)
    fields = body.read(days=DAY_FIELDS)
    active = body.flag(fields, "is_active")
    given = {name: fields[name] for name in FIELDS if name in fields}
    form = body.form_of(EmployeeForm, {**_typed(employee), **given})
    require = requirement(lambda: shape(_employee(user_id)))
    if given:
        wanted = [FIELDS[name] for name in given]
        save_employee(_draft(form), employee_id=user_id, fields=wanted, active=active, require=require)
    elif active is not None:
        set_active(user_id, active, require)
    elif require:
        require()
    # Not only what became due by it: a program that sends a user again wants what was given up to be tried again, too.
    reconcile_quietly([enrolment.id for enrolment in queries.of_number(_employee(user_id).number)])
    return tagged(shape(_employee(user_id)))


@bp.delete("/<int:user_id>")
@allow(OPERATOR)
@described(component("User"), query=Query(more={OWN_RECORDS: OWN_RECORD}), refusals=(409,))
def delete_user(user_id: int) -> ResponseReturnValue:
    """Delete a user; a removal from a terminal that does not answer stays open and is tried again.

    `own_records=leave` leaves what terminals had of the user before the user was taken over: it may still open doors.
    """
    last = shape(_employee(user_id))
    chosen = request.args.get(OWN_RECORDS, REMOVE)
    if chosen not in OWN_RECORD["enum"]:
        raise InputError({OWN_RECORDS: f"“{REMOVE}” or “{LEAVE}” is expected."})
    delete = own_records.delete_and_leave if chosen == LEAVE else delete_employee
    reconcile_quietly(delete(user_id).due)
    return jsonify({**last, "is_active": False, "photo_path": None, "synced_to_device": False})


@bp.post("/<int:user_id>/photo")
@allow(OPERATOR)
@described(
    component("UserWithPhoto"), body=Files({"photo": FILE}, ["photo"]), refusals=(409, 503), headers=("X-Warning",)
)
def upload_photo(user_id: int) -> ResponseReturnValue:
    """Store a photo from a file; `warning` tells what terminals will dislike about it, and whether consent is missing.

    It also names the terminals that will not get it.
    """
    employee = _employee(user_id)
    file = request.files.get("photo")
    if file is None or not file.filename:
        raise InputError({"photo": "A JPEG, PNG or WebP file is expected in the part “photo”."})
    draft = drafts.of_saved(employee)
    looked = inspection.check_photo(file.stream)
    saved = save_employee(draft, FaceSource(upload=looked), employee_id=user_id, fields=()).row
    missing = consents.is_missing(saved.number, saved.id)
    return with_consent_warning(jsonify({**shape(saved), **_warning(missing, looked.findings)}), missing)


@bp.post("/<int:user_id>/sync-to-device")
@allow(OPERATOR)
@described(component("Synced"), body=SYNC, refusals=OF_TERMINALS, headers=("X-Warning",))
def sync_user(user_id: int) -> ResponseReturnValue:
    """Enrol a user with the captured face on a terminal, and verify it there, before the answer."""
    fields = body.read(numbers=("device_id",), required=False)
    device_id, overwrite = body.row_id(fields, "device_id"), body.flag(fields, "overwrite") or False
    photo_path = body.text(fields, "photo_path")
    with terminal_concurrency.slot():
        try:
            synced = sync_employee(user_id, device_id, caller_name(), photo_path=photo_path, overwrite=overwrite)
        except ServiceError as error:
            if error.code == "employee_unknown":
                abort(404, NO_USER)
            raise
        tasks.enqueue_due(enrolment_id for enrolment_id in synced.due if enrolment_id != synced.row.id)
        settled = reconcile_row(synced.row, caller_name(), prove_again=True)
    answer = jsonify({"statusCode": 1, "statusString": "OK", "subStatusCode": "ok", **_state(settled)})
    # The photo of somebody who was deleted meanwhile is nobody's.
    employee = settled.employee if settled.photo_id else None
    return with_consent_warning(answer, employee is not None and not employee.has_consent)


def shape(employee: Employee) -> dict[str, Any]:
    """A user as the API shows it."""
    return _shape(employee, employee.id in queries.synced([employee.id]))


def _shape(employee: Employee, is_synced: bool) -> dict[str, Any]:
    typed = _typed(employee)
    return {
        **typed,
        **{day: typed[day] or None for day in DAY_FIELDS},
        "id": employee.id,
        "is_active": employee.is_active,
        "photo_path": employee.picture.path if employee.picture else None,
        "synced_to_device": is_synced,
        "created_at": employee.created_at.strftime("%Y-%m-%dT%H:%M:%S"),
    }


def _state(enrolment: Enrolment) -> dict[str, Any]:
    state = {"person": enrolment.person, "face": enrolment.face, "verified": enrolment.is_confirmed}
    if enrolment.is_confirmed or not enrolment.refusal:
        return state
    about = {"name": enrolment.terminal.name, **enrolment.refusal["params"]}
    return {**state, "warning": messages.english(enrolment.refusal_code, **about)}


def _warning(consent_missing: bool, findings: Iterable[Finding]) -> dict[str, str]:
    warnings = [messages.english("kept_without_consent")] if consent_missing else []
    warnings += [messages.english(finding.code, **finding.params) for finding in findings]
    active = registry.list_active()
    for code, modes in (("files_not_taken", {BY_URL}), ("files_unknown", {None, UNKNOWN})):
        names = [terminal.name for terminal in active if terminal.face_mode in modes]
        if names:
            warnings.append(messages.english(code, name=", ".join(names)))
    return {"warning": " ".join(warnings)} if warnings else {}


def reconcile_quietly(enrolment_ids: Iterable[int]) -> None:
    """Reconcile each terminal now; one that fails, or finds no free slot, stays due and is tried again by the sweep."""
    for enrolment_id in enrolment_ids:
        with suppress(TerminalError, ServiceError), terminal_concurrency.slot():
            reconcile(enrolment_id, caller_name())


def _employee(user_id: int) -> Employee:
    return search.get(user_id) or abort(404, NO_USER)


def _typed(employee: Employee) -> Fields:
    typed = employee.typed()
    return {field: typed[name] for field, name in FIELDS.items()}


def _draft(form: EmployeeForm) -> Draft:
    typed: dict[str, Any] = {field: form[name].data or "" for name, field in FIELDS.items()}
    return Draft(**typed)
