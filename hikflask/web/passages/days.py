"""Days of work: who came when and went when, of a day or a month, and the same as files for payroll programs."""

from calendar import monthrange
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from http import HTTPStatus
from typing import Any

from flask import Blueprint, Response, abort, render_template, request, url_for
from flask.typing import ResponseReturnValue

from hikflask.forms.passages import DaysForm
from hikflask.http.permissions import OPERATOR, VIEWER, allow
from hikflask.services import audit
from hikflask.services.core.dates import local
from hikflask.services.departments import registry as departments
from hikflask.services.employees import search
from hikflask.services.passages import day_start, days, exports, switch, uncertain_passages
from hikflask.services.passages.days import CAME, PeopleFilter, Span
from hikflask.services.passages.exports import FOR_1C, FRAPPE
from hikflask.services.passages.retention import kept_since
from hikflask.services.spreadsheets.table_file import CSV, XLSX
from hikflask.web.support import htmx
from hikflask.web.support.pagination import paginate
from hikflask.web.support.responses import csv_file, xlsx_file

bp = Blueprint("days", __name__, url_prefix="/passages")

# The files that are offered: for whom, and in which format.
FILES = {f"{kind}-{form}": (kind, form) for kind, form in ((FOR_1C, XLSX), (FOR_1C, CSV), (FRAPPE, CSV))}
# The filters that name no person.
OF_NOBODY = ("department", "presence", "later")


@bp.get("/days")
@allow(VIEWER)
def index() -> ResponseReturnValue:
    """The days that the filters of the address choose; an invalid filter is named and ignored."""
    switch.require_on()
    form = DaysForm(request.args)
    status = HTTPStatus.OK if form.validate() else HTTPStatus.UNPROCESSABLE_ENTITY
    about = _about(form)
    if not htmx.wants_fragment():
        form.offer(departments=departments.names())
        return render_template("passages/days.html", **about), status
    rows = render_template("passages/_days.html", **about, elsewhere=True)
    return htmx.narrowed(rows, url_for(".index", **about["chosen"]), status)


@bp.post("/days/export")
@allow(OPERATOR)
def export() -> Response:
    """The days that are shown as a file for a payroll program; the export is in the audit trail."""
    switch.require_on()
    form = DaysForm(request.form)
    kind, file_format = FILES.get(request.form.get("file", ""), ("", ""))
    if not form.validate() or not kind:
        abort(HTTPStatus.UNPROCESSABLE_ENTITY)
    span, layout = _span(form), exports.LAYOUTS[kind]
    period = {"from": span.first.isoformat(), "to": span.last.isoformat()}
    # No erasure takes a name or an ID out of the trail, so what was searched for stays out of it.
    filters = {name: text for name, text in form.texts.items() if name in OF_NOBODY and not form.employee_id}
    audit.record_passages_left(kind, form.employee_id, format=file_format, **period, **filters)
    rows = exports.tables(kind, exports.records(kind, span, _people(form)))
    if file_format == XLSX:
        return xlsx_file(_file_name(span, kind), layout.sheet, rows)
    return csv_file(_file_name(span, kind), rows, mark=layout.mark, separator=layout.separator)


def _about(form: DaysForm) -> dict[str, Any]:
    """Return what the page shows under the filters of a validated form."""
    span, wanted = _span(form), _people(form)
    present = days.day_of(datetime.now(UTC))
    employee = search.get(form.employee_id) if form.employee_id else None
    period = {"month": f"{span.first:%Y-%m}"} if form.shown_month or employee else {"day": span.first.isoformat()}
    missing = uncertain_passages.find(span)
    about = {
        "form": form,
        "missing": missing,
        "doubtful": uncertain_passages.days_in(missing),
        "kept_since": kept_since() if span.begins < kept_since() else None,
        "span": span,
        "is_month": bool(form.shown_month or employee),
        "present": present,
        "day_begins": local(span.begins),
        "before": _beside(span, -1),
        "after": _beside(span, 1),
        "employee": employee,
        "filters_set": form.narrowing,
        "narrowed": wanted != PeopleFilter(),
        "chosen": {**period, **form.texts},
        "files": FILES,
    }
    if employee:
        own = days.of_people([employee.id], span).get(employee.id, {})
        return {**about, "found": None, "times": own, "proposal": day_start.proposed([employee.id], span)}
    found = paginate(lambda limit, place: (days.page(wanted, span, limit, place), days.count(wanted, span)))
    # How many of those who are shown came on the day.
    of_all = not (about["is_month"] or wanted.presence or form.shown_later)
    came = days.count(replace(wanted, presence=CAME), span) if of_all else None
    ids = [row.id for row in found.rows]
    times, proposal = days.of_people(ids, span), day_start.proposed(ids, span)
    return {**about, "came": came, "found": found, "times": times, "proposal": proposal}


def _file_name(span: Span, kind: str) -> str:
    """Return the beginning of a file's name: what days it has, and for whom, such as passages-2026-11-1c."""
    period = span.first.isoformat() if span.first == span.last else f"{span.first:%Y-%m}"
    return f"passages-{period}-{kind}"


def _people(form: DaysForm) -> PeopleFilter:
    if form.employee_id:
        return PeopleFilter(employee_id=form.employee_id)
    return PeopleFilter(form.right(form.q), form.right(form.department), form.right(form.presence), form.shown_later)


def _span(form: DaysForm) -> Span:
    """Return the month that is asked for, or the day, which is the current one by default."""
    day: date = form.right(form.day) or days.day_of(datetime.now(UTC))
    if form.shown_month or form.employee_id:
        day = form.shown_month or day
        return Span(day.replace(day=1), day.replace(day=monthrange(day.year, day.month)[1]))
    return Span(day, day)


def _beside(span: Span, step: int) -> date:
    """Return the day before or after, or the first day of the month before or after."""
    edge = (span.first if step < 0 else span.last) + timedelta(days=step)
    return edge if span.first == span.last else edge.replace(day=1)
