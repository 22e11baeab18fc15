"""Groups of terminals: departments that belong to one are brought to its terminals by a job in the background."""

from collections.abc import Mapping
from typing import Any

from flask import Blueprint, abort, jsonify, request
from flask.typing import ResponseReturnValue

from hikflask.api.openapi.described import WHOLE, Body, Query, component, described, list_of
from hikflask.api.support import body, error_json
from hikflask.api.support.body import Fields
from hikflask.api.support.etags import requirement, tagged
from hikflask.background import tasks
from hikflask.forms.fields import MAX_ID
from hikflask.forms.groups import DepartmentNameForm, GroupForm
from hikflask.http.permissions import ADMIN, VIEWER, allow
from hikflask.services.enrolments.mass_removals import Confirmation
from hikflask.services.groups import changing, queries
from hikflask.services.groups.changing import Done
from hikflask.services.groups.queries import Listed
from hikflask.services.groups.registry import Wanted

bp = Blueprint("api_groups", __name__, url_prefix="/api/groups")
error_json.answer_in_json(bp)

MORE = {"device_ids": list_of(WHOLE), "departments": list_of({"type": "string"})}
CONFIRM = {"confirm": {**WHOLE, "description": "How many people lose access, where that is refused as `unsafe_plan`."}}
GROUP = {"name": "Office", "device_ids": [1, 2], "departments": ["Охрана"]}
NEW_GROUP = Body(GroupForm, MORE, example=GROUP)
CHANGED_GROUP = Body(GroupForm, MORE | CONFIRM, changes=True, example={"device_ids": [1]})


@bp.get("/", strict_slashes=False)
@allow(VIEWER)
@described(list_of(component("Group")))
def list_groups() -> ResponseReturnValue:
    """All groups, sorted by name."""
    return jsonify([shape(group) for group in queries.list_all()])


@bp.post("/", strict_slashes=False)
@allow(ADMIN)
@described(component("Group"), status=201, body=NEW_GROUP, refusals=(409, 503))
def create_group() -> ResponseReturnValue:
    """Add a group."""
    wanted, agreed = _read(name_required=True)
    return jsonify(_changed(changing.change(None, wanted, tasks.enqueue_job, agreed))), 201


@bp.get("/<int:group_id>")
@allow(VIEWER)
@described(component("Group"), tagged=True)
def get_group(group_id: int) -> ResponseReturnValue:
    """One group."""
    return tagged(shape(_group(group_id)))


@bp.put("/<int:group_id>")
@allow(ADMIN)
@described(component("Group"), body=CHANGED_GROUP, refusals=(409, 503), tagged=True)
def change_group(group_id: int) -> ResponseReturnValue:
    """Change the fields that are given; `confirm` is how many people lose access, where they are many."""
    _group(group_id)
    wanted, agreed = _read(name_required=False)
    require = requirement(lambda: shape(_group(group_id)))
    done = changing.change(group_id, wanted, tasks.enqueue_job, agreed, require=require)
    # The ETag of what a GET shows: without the job.
    answer = jsonify(_changed(done))
    answer.set_etag(tagged(shape(_group(group_id))).get_etag()[0] or "")
    return answer


@bp.delete("/<int:group_id>")
@allow(ADMIN)
@described(component("Group"), query=Query(more=CONFIRM), refusals=(409, 503))
def delete_group(group_id: int) -> ResponseReturnValue:
    """Delete a group; people on a terminal only through it are removed there."""
    last, agreed = shape(_group(group_id)), _agreed(request.args)
    return jsonify(last | _job(changing.change(group_id, None, tasks.enqueue_job, agreed)))


def shape(group: Listed) -> dict[str, Any]:
    """A group as the API shows it."""
    return {
        "id": group.id,
        "name": group.name,
        "device_ids": sorted(terminal.id for terminal in group.terminals),
        "departments": list(group.departments),
    }


def _agreed(given: Mapping[str, object]) -> Confirmation:
    return Confirmation(body.number(given, "confirm"), by_admin=True)


def _read(*, name_required: bool) -> tuple[Wanted, Confirmation]:
    """Return what the body asks for, and what it confirms; what is not given stays as it is.

    :raises InputError: naming each field at fault.
    """
    given = body.read(numbers=("confirm",), lists={"device_ids": int, "departments": str})
    name: Fields = {"name": given["name"]} if "name" in given else {}
    departments = [body.form_of(DepartmentNameForm, {"departments": text}) for text in given.get("departments", ())]
    wanted = Wanted(
        name=body.form_of(GroupForm, name).name.data if name or name_required else None,
        # A number larger than any id is no terminal's, too.
        terminal_ids=[number if 0 <= number <= MAX_ID else 0 for number in given.get("device_ids", ())],
        departments=[department.departments.data for department in departments],
        removed_terminals=None if "device_ids" in given else (),
        removed_departments=None if "departments" in given else (),
    )
    return wanted, _agreed(given)


def _changed(done: Done) -> dict[str, Any]:
    return shape(_group(done.group_id)) | _job(done)


def _job(done: Done) -> dict[str, int]:
    return {} if done.job_id is None else {"job": done.job_id}


def _group(group_id: int) -> Listed:
    return queries.get(group_id) or abort(404, "There is no such group.")
