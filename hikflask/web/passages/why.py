"""The page that says why a door did not open, and the question to a terminal for somebody's schedules."""

from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any

from flask import abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from hikflask.forms.fields import row_id
from hikflask.forms.passages import WhyForm
from hikflask.http import terminal_concurrency
from hikflask.http.permissions import OPERATOR, VIEWER, allow
from hikflask.isapi.errors import TerminalError
from hikflask.messages import error_sentence
from hikflask.models import Employee
from hikflask.services.core.dates import local
from hikflask.services.core.errors import ServiceError
from hikflask.services.employees import search
from hikflask.services.employees.filters import EmployeeFilter
from hikflask.services.enrolments import queries
from hikflask.services.passages import schedules, switch, why
from hikflask.services.terminals import registry
from hikflask.text_rules import folded, storable
from hikflask.web.passages.passages import bp
from hikflask.web.security.current_operator import operator_name
from hikflask.web.support.urls import next_or

# Of people who have the words that were typed, and how many are looked through for them.
MAX_FOUND, MAX_LOOKED = 8, 100


@bp.get("/why")
@allow(VIEWER)
def show_why() -> ResponseReturnValue:
    """Why a door did not open for an employee at a time; without an employee the form alone."""
    switch.require_on()
    form = WhyForm(request.args)
    form.offer(terminals=registry.list_active())
    about: dict[str, Any] = {"form": form, "moment": datetime.now(UTC)}
    if form.at.data:
        moment = why.moment_of(form.at.data)
        if moment is None:
            form.at.errors = [_("“%(field)s” must be a time such as 2026-01-31T09:30.", field=form.at.label.text)]
            return render_template("passages/why.html", **about), HTTPStatus.UNPROCESSABLE_ENTITY
        about["moment"] = moment
    if form.employee.data:
        about |= _about(form.employee.data, about["moment"], row_id(form.terminal.data))
    about["local_moment"] = local(about["moment"])
    return render_template("passages/why.html", **about)


def _about(typed: str, moment: datetime, terminal_id: int | None) -> dict[str, Any]:
    """Return the answer for the employee who is meant, or, of several with these words, who they are."""
    employee = search.by_number(storable(typed))
    people: list[Employee] = [employee] if employee else _people(typed)
    if len(people) != 1:
        return {"people": people, "typed": typed, "most": MAX_FOUND}
    terminal = registry.find_terminal(terminal_id) if terminal_id else None
    names = {row.id: row.name for row in registry.list_all()}
    return {"employee": people[0], "answer": why.why(people[0], moment, terminal), "names": names}


def _people(typed: str) -> list[Employee]:
    """Return the employees who may be meant, first who has this very ID, then those with these very words: so Ivanov
    comes before Ivanovich.
    """
    words = set(folded(typed).split())
    found = search.search(EmployeeFilter(q=typed), MAX_LOOKED, 0)[0]

    def rank(one: Employee) -> tuple[bool, bool]:
        return {folded(one.number)} != words, not words <= set(folded(one.name).split())

    return sorted(found, key=rank)[:MAX_FOUND]


@bp.post("/why/<int:enrolment_id>/schedules")
@allow(OPERATOR)
def read_schedules(enrolment_id: int) -> ResponseReturnValue:
    """Ask the terminal of an enrolment by which schedules the person may pass."""
    switch.require_on()
    row = queries.get(enrolment_id) or abort(404)
    try:
        with terminal_concurrency.slot():
            schedules.read(row.id, operator_name())
    except (ServiceError, TerminalError) as error:
        flash(error_sentence(error, t=row.terminal.name, address=row.terminal.url), "danger")
    return redirect(next_or(url_for(".show_why", employee=row.number, terminal=row.terminal_id)), 303)
