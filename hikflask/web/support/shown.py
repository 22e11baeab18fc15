"""Says that something else would be done by now than what a page showed before its question."""

from http import HTTPStatus
from typing import Any

from flask import flash

from hikflask.services.core.errors import PlanChanged
from hikflask.web.support.messages import error_sentence


def say_changed(form: Any) -> HTTPStatus:
    """Say so on the next page, and forget the number that was typed for what was shown; return the status of that page.

    :param form: has the fields `shown`, the digest of what was shown, and `confirm`. Where nothing was shown before,
        the question is a new one, and nothing is said.
    """
    if not form.shown.data:
        return HTTPStatus.UNPROCESSABLE_ENTITY
    flash(error_sentence(PlanChanged()), "danger")
    form.confirm.data = ""
    return HTTPStatus.CONFLICT
