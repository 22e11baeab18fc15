"""Webhooks: add, list, log, send a test, send again, switch off, delete; for administrators."""

from http import HTTPStatus

from flask import Blueprint, Response, abort, flash, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import ngettext
from werkzeug.datastructures import MultiDict

from hikflask.forms.admin import WebhookForm
from hikflask.http.permissions import ADMIN, confirmed
from hikflask.messages import error_sentence
from hikflask.services.core.errors import NotFound, ServiceError
from hikflask.services.webhooks import deliveries, registry
from hikflask.web.security import resubmission
from hikflask.web.support.responses import refuse, shown_once

bp = Blueprint("webhooks", __name__, url_prefix="/webhooks")

SHOWN = 200


@bp.get("/")
@confirmed(ADMIN)
def index() -> ResponseReturnValue:
    """All webhooks, and the form for one more."""
    return _page(WebhookForm(formdata=None))


@bp.post("/")
@confirmed(ADMIN)
def create() -> ResponseReturnValue:
    """Add a webhook and show its secret, this once only."""
    form = WebhookForm()
    if not form.validate():
        return _page(form, HTTPStatus.UNPROCESSABLE_ENTITY)
    try:
        webhook, secret = registry.add(form.url.data, form.events)
    except ServiceError as error:
        return _page(form, refuse(form.url, error))
    return shown_once("admin/webhook_secret.html", webhook=webhook, secret=secret)


@resubmission.restores("webhooks.create")
def typed_again(fields: MultiDict[str, str]) -> ResponseReturnValue:
    """Show the form again as it was typed."""
    return _page(WebhookForm(formdata=fields))


@bp.get("/<int:webhook_id>")
@confirmed(ADMIN)
def show(webhook_id: int) -> ResponseReturnValue:
    """One webhook, with the log of its messages."""
    webhook = registry.get(webhook_id) or abort(404)
    return render_template("admin/webhook.html", webhook=webhook, log=deliveries.latest(webhook_id, SHOWN))


@bp.post("/<int:webhook_id>/test")
@confirmed(ADMIN)
def test(webhook_id: int) -> ResponseReturnValue:
    """Send a test."""
    registry.test(webhook_id)
    flash(_("The test is on its way. What came of it stands below in a moment."))
    return redirect(url_for(".show", webhook_id=webhook_id), 303)


@bp.post("/<int:webhook_id>/active")
@confirmed(ADMIN)
def switch(webhook_id: int) -> ResponseReturnValue:
    """Switch a webhook on (`on` is "1") or off."""
    registry.switch(webhook_id, request.form.get("on") == "1")
    return redirect(url_for(".show", webhook_id=webhook_id), 303)


@bp.post("/<int:webhook_id>/delete")
@confirmed(ADMIN)
def delete(webhook_id: int) -> ResponseReturnValue:
    """Delete a webhook with its log."""
    registry.delete(webhook_id)
    flash(_("The webhook is deleted."))
    return redirect(url_for(".index"), 303)


@bp.post("/<int:webhook_id>/deliveries/<int:delivery_id>/send")
@confirmed(ADMIN)
def send_again(webhook_id: int, delivery_id: int) -> ResponseReturnValue:
    """Send a message again."""
    deliveries.send_again(webhook_id, delivery_id) or abort(404)
    return redirect(url_for(".show", webhook_id=webhook_id), 303)


@bp.post("/<int:webhook_id>/given-up")
@confirmed(ADMIN)
def send_given_up(webhook_id: int) -> ResponseReturnValue:
    """Send all given-up messages again."""
    registry.get(webhook_id) or abort(404)
    count = deliveries.send_given_up(webhook_id)
    flash(ngettext("%(num)s message is sent again.", "%(num)s messages are sent again.", count))
    return redirect(url_for(".show", webhook_id=webhook_id), 303)


@bp.errorhandler(NotFound)
def go_to_index(error: NotFound) -> ResponseReturnValue:
    """Redirect to the list, with a sentence that the webhook was deleted meanwhile."""
    flash(error_sentence(error), "danger")
    return redirect(url_for(".index"), 303)


def _page(form: WebhookForm, status: int = 200) -> Response:
    return make_response(render_template("admin/webhooks.html", form=form, webhooks=registry.list_all()), status)
