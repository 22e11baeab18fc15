"""The answer to a form whose CSRF token is missing or of another session: nothing that was typed is lost."""

from http import HTTPStatus

from flask import Response, render_template
from flask_babel import gettext as _

from hikflask.forms.account import ConfirmForm
from hikflask.http import permissions
from hikflask.web.security import current_operator, password_prompt, resubmission
from hikflask.web.support import htmx
from hikflask.web.support.responses import error_page
from hikflask.web.support.urls import page_before


def answer() -> Response:
    """Show the form again as it was typed, else the way back to it; htmx gets a fresh token for the form it shows."""
    form_page = _form_as_typed()
    if form_page is not None:
        return form_page
    if not htmx.wants_fragment():
        text = _("The page was open for too long, or cookies are off. Open it again and press the button once more.")
        return error_page(HTTPStatus.BAD_REQUEST, text, again=page_before())
    text = _("The page was open for too long, or cookies are off. Nothing typed is lost: try again.")
    response = error_page(HTTPStatus.BAD_REQUEST, text)
    response.set_data(response.get_data(as_text=True) + render_template("errors/_csrf_token.html"))
    return response


def _form_as_typed() -> Response | None:
    """Answer the form as it was typed, as after signing in again in another tab.

    None where nothing typed could be lost, or where htmx leaves the form in its place.
    """
    person, typed, rule = current_operator.get(), resubmission.typed_in_request(), permissions.rule()
    if person is None or typed is None or rule is None or htmx.wants_fragment():
        return None
    if rule.confirmed and not person.confirmed:
        return password_prompt.confirm_page(ConfirmForm(formdata=None), typed, HTTPStatus.BAD_REQUEST, page_before())
    response = resubmission.show_again(typed, person, _("The page was open for too long, or cookies are off."))
    if response is not None:
        response.status_code = HTTPStatus.BAD_REQUEST
    return response
