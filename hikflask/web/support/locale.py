"""The language of a page: the one that was chosen, else the browser's, else Russian; the API answers in English."""

from flask import Response, has_request_context, request

from hikflask.http.permissions import is_api_call

LANGUAGES = {"ru": "Русский", "en": "English"}
DEFAULT = "ru"
API_LANGUAGE = "en"
COOKIE = "lang"
# Pages without a sign-in, and papers for somebody else to read: links choose the language there, not a form.
BY_LINK = {"sign_in.ask", "first_run.ask", "consents.printed", "consents.blank", "erasures.show"}
YEAR_SECONDS = 365 * 24 * 3600


def select_language() -> str:
    """Return the language of this answer."""
    if not has_request_context():
        return DEFAULT
    if is_api_call():
        return API_LANGUAGE
    by_link = request.args.get("lang") if request.endpoint in BY_LINK else None
    for chosen in (by_link, request.cookies.get(COOKIE)):
        if chosen in LANGUAGES:
            return chosen
    return request.accept_languages.best_match(LANGUAGES, DEFAULT)


def remember_language(response: Response, chosen: str | None) -> None:
    """Keep the chosen language in a cookie, when it is one of ours."""
    if chosen in LANGUAGES:
        response.set_cookie(
            COOKIE, chosen, max_age=YEAR_SECONDS, httponly=True, samesite="Lax", secure=request.is_secure
        )
