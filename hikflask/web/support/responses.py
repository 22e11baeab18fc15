"""Answers that many views give: an error, a form with a refusal, a secret that is shown once, a picture, and a file."""

from collections.abc import Iterable
from functools import partial
from http import HTTPStatus
from pathlib import Path
from tempfile import TemporaryDirectory

from flask import Response, after_this_request, g, make_response, render_template, request, stream_with_context
from flask_babel import gettext as _
from wtforms import Field

from hikflask.messages import error_sentence
from hikflask.services import audit
from hikflask.services.accounts.errors import TryLater
from hikflask.services.core.dates import today
from hikflask.services.core.errors import ServiceError
from hikflask.services.photos import jpeg_process
from hikflask.services.spreadsheets import csv_writer, table_file
from hikflask.services.spreadsheets.csv_writer import Rows
from hikflask.services.spreadsheets.table_file import CSV, XLSX
from hikflask.web.support import htmx

WORKBOOK = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


def error_page(
    status: int, text: str, template: str = "errors/page.html", again: str = "", details: str = ""
) -> Response:
    """Answer an error.

    :param again: the address of the page to try again on, where that helps.
    :param details: what only an administrator needs to know.
    """
    request_id = g.get("request_id")
    values = {"status": int(status), "text": text, "again": again, "details": details, "request_id": request_id}
    if htmx.wants_fragment():
        return htmx.retargeted(render_template("errors/_message.html", **values), "#problem", status, swap="innerHTML")
    return make_response(render_template(template, **values), status)


def with_retry_after(response: Response, error: TryLater) -> Response:
    """Return the response with the status of a temporary refusal, and the header for the time of the next try."""
    response.status_code = error.meaning.page_status
    response.headers["Retry-After"] = str(error.params["seconds"])
    return response


def status_sentence(status: int) -> str:
    """Return what was wrong and what to do, by the HTTP status alone."""
    sentences: dict[int, str] = {
        HTTPStatus.BAD_REQUEST: _("The request is not complete. Go back and try again."),
        HTTPStatus.UNAUTHORIZED: _("Sign in first."),
        HTTPStatus.FORBIDDEN: _("You don't have permission. Ask an administrator."),
        HTTPStatus.NOT_FOUND: _("There is no such page. It may have been deleted."),
        HTTPStatus.METHOD_NOT_ALLOWED: _("This address is not a page. Start from the list of employees."),
        HTTPStatus.CONFLICT: _("This was changed meanwhile. Look again, please."),
        HTTPStatus.TOO_MANY_REQUESTS: _("Too many requests. Wait a minute and try again."),
        HTTPStatus.UNPROCESSABLE_ENTITY: _("Something in the request is not right. Go back and correct it."),
    }
    return str(sentences.get(status, _("The request cannot be answered.")))


def refuse(field: Field, error: ServiceError) -> HTTPStatus:
    """Put the sentence of a refusal beside a field, and return the status of the page; TryLater adds Retry-After."""
    field.errors = [*field.errors, error_sentence(error)]
    if isinstance(error, TryLater):
        after_this_request(partial(with_retry_after, error=error))
    return error.meaning.page_status


def shown_once(template: str, status: int = HTTPStatus.OK, **context: object) -> Response:
    """Answer a page with a secret, which no browser keeps."""
    response = make_response(render_template(template, **context), status)
    response.headers["Cache-Control"] = "no-store"
    return response


def picture(jpeg: bytes, *, may_be_kept: bool = True) -> Response:
    """Answer a picture of a face, or with `?size=small` what lists show of it.

    The small one is kept by the browser, for the cookies of this session alone, as long as one entry of the audit trail
    stands for all views. After an erasure it is there no longer than that.

    :param may_be_kept: False where another picture may come to be at the address.
    """
    is_small = request.args.get("size") == "small"
    response = Response(jpeg_process.small(jpeg) if is_small else jpeg, mimetype="image/jpeg")
    if is_small and may_be_kept:
        response.headers["Cache-Control"] = f"private, max-age={audit.SAME_SECONDS:.0f}, immutable"
        response.vary.update(("Cookie", "Authorization"))
    else:
        response.headers["Cache-Control"] = "private, no-store"
    return response


def csv_file(
    name: str, parts: Iterable[Rows], *, mark: str = csv_writer.BYTE_ORDER_MARK, separator: str = csv_writer.SEPARATOR
) -> Response:
    """Answer rows as a file, part by part, so that a long one takes no more memory than a short one.

    :param name: the first word of the file's name, before the day. :param mark: :param separator: as texts() has them.
    """
    texts = csv_writer.texts(parts, mark, separator)
    return _download(Response(stream_with_context(texts), mimetype="text/csv"), name, CSV)


def xlsx_file(name: str, sheet: str, parts: Iterable[Rows]) -> Response:
    """Answer rows as the only sheet of a workbook.

    :param name: the first word of the file's name, before the day.
    """
    with TemporaryDirectory() as folder:
        file = Path(folder, f"{name}.{XLSX}")
        table_file.write(file, sheet, parts)
        return _download(Response(file.read_bytes(), mimetype=WORKBOOK), name, XLSX)


def _download(response: Response, name: str, ending: str) -> Response:
    response.headers["Content-Disposition"] = f'attachment; filename="{name}-{today().isoformat()}.{ending}"'
    response.headers["Cache-Control"] = "no-store"
    return response
