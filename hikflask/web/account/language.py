"""Choosing the language of the pages, with or without a form that is being typed."""

from flask import Blueprint, Response, make_response, redirect, request
from flask_babel import force_locale, get_locale

from hikflask.http.permissions import VIEWER, allow
from hikflask.web.security import password_prompt
from hikflask.web.support.locale import LANGUAGES, remember_language
from hikflask.web.support.urls import current_address, next_or, page_before

bp = Blueprint("language", __name__)


@bp.post("/language")
@allow(VIEWER)
def choose() -> Response:
    """Remember the language in a cookie and go back to the page, as its address is now."""
    response = make_response(redirect(current_address(next_or("/")), 303))
    remember_language(response, request.form.get("lang"))
    return response


@bp.post("/language/form")
@allow(VIEWER)
def choose_in_form() -> Response:
    """The form as it is typed, in another language; `?action=` is the address that the form is sent to."""
    chosen = request.form.get("lang")
    with force_locale(chosen if chosen in LANGUAGES else str(get_locale())):
        response = password_prompt.form_as_typed(request.args.get("action", "")) or make_response(
            redirect(page_before(), 303)
        )
    remember_language(response, chosen)
    return response
