"""The audit trail: read, narrowed and exported; for administrators, and changed by nobody."""

from datetime import UTC, date, datetime, timedelta

from flask import Blueprint, Response, make_response, render_template, request, stream_with_context
from flask.typing import ResponseReturnValue

from hikflask.access import ADMIN, allow, confirmed
from hikflask.forms.audit import AuditForm
from hikflask.services import audit, audit_export
from hikflask.services.audit import Wanted
from hikflask.web import audit_csv, deeds
from hikflask.web.language import timezone

bp = Blueprint("audit", __name__, url_prefix="/audit")

PAGE = 50
UNPROCESSABLE = 422
ONE_DAY = timedelta(days=1)


@bp.get("/")
@allow(ADMIN)
def index() -> ResponseReturnValue:
    """The entries that are wanted, the newest first."""
    form = AuditForm(request.args, deeds.choices())
    return _page(form) if form.validate() else _refused(form)


@bp.post("/export")
@confirmed(ADMIN, answers_file=True)
def export() -> ResponseReturnValue:
    """The same as a file; that it was made is an entry, too."""
    form = AuditForm(request.form, deeds.choices())
    if not form.validate():
        return _refused(form)
    wanted = _wanted(form)
    newest = audit_export.begin(wanted)
    parts = audit_csv.lines(audit_export.batches(wanted, newest))
    response = Response(stream_with_context(parts), mimetype="text/csv")
    today = datetime.now(UTC).astimezone(timezone()).date()
    response.headers["Content-Disposition"] = f'attachment; filename="audit-{today.isoformat()}.csv"'
    response.headers["Cache-Control"] = "no-store"
    return response


def start_of(day: date) -> datetime:
    """Return the moment when a day begins here."""
    naive = datetime(day.year, day.month, day.day, tzinfo=UTC)
    # The offset at midnight UTC may be another one than at midnight here, on the day when the clocks change.
    near = naive - _offset(naive)
    return naive - _offset(near)


def _offset(moment: datetime) -> timedelta:
    return moment.astimezone(timezone()).utcoffset() or timedelta()


def _wanted(form: AuditForm) -> Wanted:
    return Wanted(
        actor=form.actor.data or "",
        action=form.action.data or "",
        employee=form.employee.data or "",
        terminal=form.terminal.data or "",
        since=start_of(form.since.data) if form.since.data else None,
        until=start_of(form.until.data + ONE_DAY) if form.until.data else None,
    )


def _page(form: AuditForm) -> Response:
    page = min(max(1, request.args.get("page", 1, int)), 10**6)
    found, total = audit.entries(_wanted(form), PAGE, (page - 1) * PAGE)
    return _rendered(form, entries=found, total=total, page=page, pages=-(-total // PAGE))


def _refused(form: AuditForm) -> Response:
    return _rendered(form, UNPROCESSABLE, entries=[], total=0, page=1, pages=0)


def _rendered(form: AuditForm, status: int = 200, **known: object) -> Response:
    body = render_template("audit/list.html", form=form, typed=form.texts(), deeds=deeds, **known)
    return make_response(body, status)
