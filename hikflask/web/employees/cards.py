"""The cards of an employee: given on the employee's page, taken away, and reported lost."""

from http import HTTPStatus

from flask import flash, make_response, redirect, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from werkzeug.datastructures import MultiDict

from hikflask.background import tasks
from hikflask.forms.employees import CardPageForm
from hikflask.http.permissions import OPERATOR, allow
from hikflask.messages import error_sentence, sentence
from hikflask.services.cards import registry
from hikflask.services.core.errors import NotFound, ServiceError
from hikflask.web.employees.employees import ADDRESS, bp, employee_or_404, page
from hikflask.web.security import resubmission
from hikflask.web.support.responses import refuse


@bp.post(f"{ADDRESS}/cards")
@allow(OPERATOR)
def give_card(employee_id: int) -> ResponseReturnValue:
    """Give a card; one that may be somebody else's, told by another reader, is asked about first."""
    employee_or_404(employee_id)
    form = CardPageForm()
    if not form.validate():
        return make_response(page(employee_id, form), HTTPStatus.UNPROCESSABLE_ENTITY)
    number = form.number.data or ""
    similar = registry.similar(number)
    if similar and form.agreed.data != number:
        form.agreed.data = number
        form.number.errors = [
            sentence("card_similar", **registry.about(similar[0])),
            _("To give it all the same, press again."),
        ]
        return make_response(page(employee_id, form), HTTPStatus.CONFLICT)
    try:
        given = registry.give(employee_id, number)
    except NotFound:
        return _back(employee_id)
    except ServiceError as error:
        status = refuse(form.number, error)
        return make_response(page(employee_id, form), status)
    tasks.enqueue_due(given.due, by_hand=True)
    flash(_("Card %(number)s is given. Each terminal confirms it below.", number=number))
    return _back(employee_id)


@resubmission.restores("employees.give_card")
def typed_again(fields: MultiDict[str, str], employee_id: int) -> ResponseReturnValue:
    """Show the page again with the card as it was typed."""
    return make_response(page(employee_id, CardPageForm(formdata=fields)))


@bp.post(f"{ADDRESS}/cards/<int:card_id>/take-away")
@allow(OPERATOR)
def take_card_away(employee_id: int, card_id: int) -> ResponseReturnValue:
    """Take a card away that was given back."""
    return _take_away(employee_id, card_id, lost=False)


@bp.post(f"{ADDRESS}/cards/<int:card_id>/lost")
@allow(OPERATOR)
def report_card_lost(employee_id: int, card_id: int) -> ResponseReturnValue:
    """Take a lost card off all terminals, before all other work there."""
    return _take_away(employee_id, card_id, lost=True)


def _take_away(employee_id: int, card_id: int, *, lost: bool) -> ResponseReturnValue:
    employee_or_404(employee_id)
    try:
        taken = registry.take_away(employee_id, card_id, lost=lost)
    except ServiceError as error:
        flash(error_sentence(error), "danger")
    else:
        tasks.enqueue_due(taken.due, by_hand=True)
        number = taken.row.number
        flash(
            _("Card %(number)s is taken off the terminals. Until each has confirmed that, it is below.", number=number)
        )
    return _back(employee_id)


def _back(employee_id: int) -> ResponseReturnValue:
    return redirect(url_for(".show", employee_id=employee_id, _anchor="cards"), 303)
