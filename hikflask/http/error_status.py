"""The HTTP status of a refusal on a page and in the API, by its code."""

from http import HTTPStatus

from hikflask.services.core.refusals import FROM_TERMINAL, RULES


def for_page(code: str) -> HTTPStatus:
    """Return the status of a page that shows a refusal: 409 for a terminal's own, which the page explains."""
    if code == "capture_running":
        return HTTPStatus.UNPROCESSABLE_ENTITY  # The form is shown again, with the capture that still runs.
    return RULES[code].status if code in RULES and code not in FROM_TERMINAL else HTTPStatus.CONFLICT


def for_api(code: str) -> HTTPStatus:
    """Return the status of the API's answer; a code that only terminals use is a refusal of theirs."""
    return RULES[code].status if code in RULES else HTTPStatus.BAD_GATEWAY
