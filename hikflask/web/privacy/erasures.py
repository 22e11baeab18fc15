"""Erasing one person everywhere: the question, what is still open, and the certificate; for administrators."""

from dataclasses import dataclass

from flask import Blueprint, Response, abort, current_app, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.datastructures import MultiDict

from hikflask.background import tasks
from hikflask.forms.erasures import NumberForm
from hikflask.http.permissions import ADMIN, allow, confirmed
from hikflask.models import Employee, Erasure
from hikflask.services.core import secure_delete
from hikflask.services.core.errors import EmployeeUnknown
from hikflask.services.employees import erasure as erasures
from hikflask.services.employees import search
from hikflask.services.employees.erasure import Removal
from hikflask.services.enrolments import queries
from hikflask.web.employees import enrolment_lines
from hikflask.web.employees.enrolment_lines import Line
from hikflask.web.security import resubmission
from hikflask.web.support.pagination import listed
from hikflask.web.template_context import with_alarm

bp = Blueprint("erasures", __name__)

UNPROCESSABLE = 422
QUESTION = "/employees/<int:employee_id>/erase"


@dataclass(frozen=True)
class Awaited:
    """A terminal of an erasure, with what stands in the way as long as it is not gone."""

    removal: Removal
    line: Line | None


@bp.get(QUESTION)
@confirmed(ADMIN)
def ask(employee_id: int) -> ResponseReturnValue:
    """Ask before an employee is erased."""
    employee = _employee(employee_id)
    return _question(employee.number, employee.name, employee)


@bp.post(QUESTION)
@confirmed(ADMIN)
def erase(employee_id: int) -> ResponseReturnValue:
    """Erase an employee; the second half of a double click shows what the first one did."""
    try:
        return _begun(erasures.erase(employee_id))
    except EmployeeUnknown:
        return _shown(erasures.of_employee(employee_id) or abort(404))


@bp.get("/erasures/")
@allow(ADMIN)
def index() -> ResponseReturnValue:
    """All erasures, the newest first, and the form for a number that no employee has any more."""
    return _list(NumberForm(formdata=None))


@bp.get("/erasures/number")
@confirmed(ADMIN)
def ask_number() -> ResponseReturnValue:
    """Ask before whoever had a number is erased."""
    form = NumberForm(formdata=request.args, meta={"csrf": False})
    if not form.validate():
        return _list(form, UNPROCESSABLE)
    number = form.number.data
    return _of_employee(number) or (_question(number, "", None) if erasures.knows(number) else _unknown(form))


@bp.post("/erasures/")
@confirmed(ADMIN)
def erase_number() -> ResponseReturnValue:
    """Erase whoever had a number."""
    form = NumberForm()
    if not form.validate():
        return _list(form, UNPROCESSABLE)
    theirs = _of_employee(form.number.data)
    if theirs is not None:
        return theirs
    erasure = erasures.erase_number(form.number.data)
    return _unknown(form) if erasure is None else _begun(erasure)


@resubmission.restores("erasures.erase_number")
def typed_again(fields: MultiDict[str, str]) -> ResponseReturnValue:
    """Answer the list with the number that came when nobody was signed in any more."""
    return _list(NumberForm(formdata=fields))


@bp.get("/erasures/<int:erasure_id>")
@allow(ADMIN)
def show(erasure_id: int) -> ResponseReturnValue:
    """The certificate, once every terminal confirmed; until then, what is open. `?lang=` says in which language."""
    erasure = _erasure(erasure_id)
    if not erasure.completed_at:
        return _open(erasure)
    kept = {"days": current_app.config["AUDIT_RETENTION"], "server_keeps_log": secure_delete.server_keeps_log()}
    return render_template("privacy/certificate.html", erasure=erasure, awaited=_awaited(erasure), **kept)


@bp.get("/erasures/<int:erasure_id>/state")
@allow(ADMIN, counts=False)
def state(erasure_id: int) -> ResponseReturnValue:
    """The part of the open erasure's page that asks again by itself, until it says that the erasure is complete."""
    return with_alarm(_open(_erasure(erasure_id), fragment=True))


def _erasure(erasure_id: int) -> Erasure:
    erasures.complete_open()
    return erasures.get(erasure_id) or abort(404)


def _awaited(erasure: Erasure) -> list[Awaited]:
    return [Awaited(one, _line(one)) for one in erasures.removals_of(erasure)]


def _open(erasure: Erasure, *, fragment: bool = False) -> str:
    awaited = _awaited(erasure)
    # What has no line waits for a file, or for the database, which the sweep tries again.
    seconds = enrolment_lines.poll_seconds([one.line for one in awaited if one.line]) or enrolment_lines.SLOW_SECONDS
    known = {"awaited": awaited, "seconds": seconds, "fragment": fragment}
    return render_template("privacy/erasure_open.html", erasure=erasure, **known)


def _of_employee(number: str) -> ResponseReturnValue | None:
    """Go to the question about the employee who has the number now, if anybody has."""
    employee = search.by_number(number)
    return redirect(url_for(".ask", employee_id=employee.id), 303) if employee else None


def _line(removal: Removal) -> Line | None:
    enrolment = None if removal.at else queries.get(removal.enrolment)
    return enrolment_lines.line(enrolment) if enrolment else None


def _employee(employee_id: int) -> Employee:
    return search.get(employee_id) or abort(404)


def _question(number: str, name: str, employee: Employee | None) -> str:
    awaited = queries.of_person(number, employee.id if employee else None)
    terminals = sorted({enrolment.terminal.name for enrolment in awaited})
    known = {"number": number, "name": name, "employee": employee, "terminals": terminals}
    return render_template("privacy/erasure_question.html", **known)


def _list(form: NumberForm, status: int = 200) -> Response:
    erasures.complete_open()
    return make_response(render_template("privacy/erasures.html", form=form, found=listed(erasures.everything)), status)


def _unknown(form: NumberForm) -> Response:
    form.say_unknown()
    return _list(form, UNPROCESSABLE)


def _begun(erasure: Erasure) -> ResponseReturnValue:
    """Begin with the terminals at once."""
    for removal in erasures.removals_of(erasure):
        if not removal.at:
            tasks.enqueue_due([removal.enrolment])
    return _shown(erasure)


def _shown(erasure: Erasure) -> ResponseReturnValue:
    return redirect(url_for(".show", erasure_id=erasure.id), 303)
