"""Erase one person everywhere: the question, what is still awaited, and the certificate; for administrators.

A printed certificate can be checked, also when ID and name are deleted here.
"""

from dataclasses import dataclass
from http import HTTPStatus

from flask import Blueprint, Response, abort, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from werkzeug.datastructures import MultiDict

from hikflask import messages
from hikflask.background import tasks
from hikflask.forms.privacy import CertificateForm, NumberForm
from hikflask.http.permissions import ADMIN, allow, confirmed
from hikflask.labels.enrolments import EnrolmentStatus, status_of
from hikflask.models import Employee, Erasure, ErasureRemoval
from hikflask.services.core.errors import CertificateUncheckable, NotFound
from hikflask.services.employees import search
from hikflask.services.employees.erasure import erase_by_number, erase_employee, has_data_of
from hikflask.services.enrolments import queries
from hikflask.services.enrolments.reconcile_now import ChangedRow
from hikflask.services.privacy import certificates, secure_delete
from hikflask.web.security import resubmission
from hikflask.web.support import htmx
from hikflask.web.support.htmx import with_bar
from hikflask.web.support.pagination import listed

bp = Blueprint("erasures", __name__)

QUESTION = "/employees/<int:employee_id>/erase"


@dataclass(frozen=True)
class Awaited:
    """A removal from a terminal, with the state of its enrolment as long as the number is not gone."""

    removal: ErasureRemoval
    line: EnrolmentStatus | None


@bp.get(QUESTION)
@confirmed(ADMIN)
def ask(employee_id: int) -> ResponseReturnValue:
    """Ask before an employee is erased."""
    employee = search.get(employee_id) or abort(404)
    return _question(employee.number, employee.name, employee)


@bp.post(QUESTION)
@confirmed(ADMIN)
def erase(employee_id: int) -> ResponseReturnValue:
    """Erase an employee; the second request of a double click shows the erasure that the first one began."""
    try:
        return _begun(erase_employee(employee_id))
    except NotFound:
        return _redirect_to(certificates.latest_of(employee_id) or abort(404))


@bp.get("/erasures/")
@allow(ADMIN)
def index() -> ResponseReturnValue:
    """List all erasures, the newest first, with the form for a number that no employee has any more."""
    return _list(NumberForm(formdata=None))


@bp.get("/erasures/number")
@confirmed(ADMIN)
def ask_number() -> ResponseReturnValue:
    """Ask before the data of a number without an employee is erased."""
    form = NumberForm(formdata=request.args, meta={"csrf": False})
    if not form.validate():
        return _list(form, HTTPStatus.UNPROCESSABLE_ENTITY)
    number = form.number.data
    return _redirect_to_employee(number) or (
        _question(number, "", None) if has_data_of(number) else _refuse_unknown(form)
    )


@bp.post("/erasures/")
@confirmed(ADMIN)
def erase_number() -> ResponseReturnValue:
    """Erase the data of a number without an employee."""
    form = NumberForm()
    if not form.validate():
        return _list(form, HTTPStatus.UNPROCESSABLE_ENTITY)
    theirs = _redirect_to_employee(form.number.data)
    if theirs is not None:
        return theirs
    erased = erase_by_number(form.number.data)
    if erased is None:
        return _redirect_to_employee(form.number.data) or _refuse_unknown(form)
    return _begun(erased)


@resubmission.restores("erasures.erase_number")
def typed_again(fields: MultiDict[str, str]) -> ResponseReturnValue:
    """Answer the list with the number that was sent after the session had ended."""
    return _list(NumberForm(formdata=fields))


@bp.get("/erasures/check")
@allow(ADMIN)
def ask_certificate() -> ResponseReturnValue:
    """Show the form to check a printed certificate."""
    return _checked(CertificateForm(formdata=None, certificate=request.args.get("certificate", "")))


@bp.post("/erasures/check")
@allow(ADMIN)
def check_certificate() -> ResponseReturnValue:
    """Answer whether a certificate belongs to this ID and name. It is a POST, so that no address names anybody."""
    form = CertificateForm()
    if not form.validate():
        return _checked(form, status=HTTPStatus.UNPROCESSABLE_ENTITY)
    erasure = certificates.get(int(form.certificate.data))
    if erasure is None or erasure.completed_at is None:
        form.certificate.errors = [_("There is no such complete certificate.")]
        return _checked(form, status=HTTPStatus.UNPROCESSABLE_ENTITY)
    try:
        matches = certificates.matches(erasure, form.number.data, form.name.data or "")
    except CertificateUncheckable as error:
        return _checked(form, messages.sentence(error.code), error.meaning.page_status)
    belongs = _("Certificate No. %(n)s belongs to this ID and name.", n=erasure.id)
    belongs_not = _("Certificate No. %(n)s does not belong to this ID and name.", n=erasure.id)
    return _checked(form, belongs if matches else belongs_not, is_same=matches)


@resubmission.restores("erasures.check_certificate")
def checked_again(fields: MultiDict[str, str]) -> ResponseReturnValue:
    """Answer the form that was sent after the session had ended."""
    return _checked(CertificateForm(formdata=fields))


@bp.get("/erasures/<int:erasure_id>")
@allow(ADMIN)
def show(erasure_id: int) -> ResponseReturnValue:
    """Show the certificate, in the language of `?lang=`; until it is complete, what is awaited."""
    erasure = _erasure(erasure_id)
    if not erasure.completed_at:
        return _progress(erasure)
    kept = {"days": certificates.DAYS_WITH_NAME, "server_keeps_log": secure_delete.server_keeps_log()}
    return render_template("privacy/certificate.html", erasure=erasure, awaited=_awaited(erasure), **kept)


@bp.get("/erasures/<int:erasure_id>/state")
@allow(ADMIN, is_activity=False)
def state(erasure_id: int) -> ResponseReturnValue:
    """Answer the part of an open erasure's page that is polled until the erasure is complete."""
    return with_bar(_progress(_erasure(erasure_id), fragment=True))


def _erasure(erasure_id: int) -> Erasure:
    certificates.complete_all()
    return certificates.get(erasure_id) or abort(404)


def _checked(form: CertificateForm, answer: str = "", status: int = 200, *, is_same: bool = False) -> Response:
    page = render_template("privacy/check_certificate.html", form=form, answer=answer, is_same=is_same)
    return make_response(page, status)


def _awaited(erasure: Erasure) -> list[Awaited]:
    awaited = []
    for removal in erasure.removals:
        enrolment = None if removal.gone_at else queries.get(removal.enrolment_id)
        awaited.append(Awaited(removal, status_of(enrolment) if enrolment else None))
    return awaited


def _progress(erasure: Erasure, *, fragment: bool = False) -> str:
    awaited = _awaited(erasure)
    # An erasure without a line waits for a file or for the database; the sweep tries those again.
    seconds = htmx.poll_seconds([row.line for row in awaited if row.line]) or htmx.SLOW_SECONDS
    about = {"awaited": awaited, "seconds": seconds, "fragment": fragment, "at_night": secure_delete.is_large()}
    return render_template("privacy/erasure_progress.html", erasure=erasure, **about)


def _redirect_to_employee(number: str) -> ResponseReturnValue | None:
    """Redirect to the question about the employee who has the number now; None when nobody has it."""
    employee = search.by_number(number)
    return redirect(url_for(".ask", employee_id=employee.id), 303) if employee else None


def _question(number: str, name: str, employee: Employee | None) -> str:
    awaited = queries.of_person(number, employee.id if employee else None)
    terminals = sorted({enrolment.terminal.name for enrolment in awaited})
    return render_template("privacy/erase.html", number=number, name=name, employee=employee, terminals=terminals)


def _list(form: NumberForm, status: int = 200) -> Response:
    certificates.complete_all()
    page = render_template("privacy/erasures.html", form=form, found=listed(certificates.list_page))
    return make_response(page, status)


def _refuse_unknown(form: NumberForm) -> Response:
    form.number.errors = [_("Nothing is stored here about this ID.")]
    return _list(form, HTTPStatus.UNPROCESSABLE_ENTITY)


def _begun(erased: ChangedRow[Erasure]) -> ResponseReturnValue:
    """Enqueue the removals of the number from the terminals, and redirect to the page of the erasure."""
    tasks.enqueue_due(erased.due)
    return _redirect_to(erased.row)


def _redirect_to(erasure: Erasure) -> ResponseReturnValue:
    return redirect(url_for(".show", erasure_id=erasure.id), 303)
