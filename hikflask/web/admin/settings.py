"""The settings of this installation, and for each that an administrator decides a page to change it or give it back."""

from http import HTTPStatus

from flask import Blueprint, abort, current_app, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from werkzeug.datastructures import MultiDict

from hikflask import messages
from hikflask.background.tasks import enqueue_job
from hikflask.config import SETTINGS, as_text
from hikflask.forms.admin import NUMBER, SettingForm
from hikflask.http.permissions import ADMIN, allow, confirmed
from hikflask.labels import alarms
from hikflask.labels import settings as labels
from hikflask.services import audit
from hikflask.services.alarms import mail_server
from hikflask.services.changes import lifecycle
from hikflask.services.changes.kinds import DELETE_PASSAGES, NEWEST
from hikflask.services.core.db import transaction
from hikflask.services.core.errors import ServiceError
from hikflask.services.passages import retention, switch
from hikflask.services.settings import change
from hikflask.web.security import resubmission

bp = Blueprint("settings", __name__, url_prefix="/administration/settings")

PASSAGES = "PASSAGES"
# What the question before passages are recorded, or no more, is answered with.
AGREED = "agreed"


@bp.get("")
@allow(ADMIN)
def index() -> ResponseReturnValue:
    """All settings: what each one does, its value, and where that comes from."""
    return render_template(
        "admin/settings.html",
        config=current_app.config,
        changed=change.in_force(),
        changeable={name for name in SETTINGS if change.may_change(name)},
    )


@bp.get("/<name>")
@confirmed(ADMIN)
def edit(name: str) -> ResponseReturnValue:
    """The form of one setting, with its current value."""
    _known(name)
    return _form(_present(name), name)


@bp.post("/<name>")
@confirmed(ADMIN)
def update(name: str) -> ResponseReturnValue:
    """Change the setting."""
    _known(name)
    form = SettingForm()
    if not form.validate():
        return _form(form, name, HTTPStatus.UNPROCESSABLE_ENTITY)
    was_on = switch.is_on()
    try:
        if name == PASSAGES and _asks(change.require_allowed(name, form.text)):
            return redirect(url_for(".ask_passages", choice=form.text), 303)
        change.change(name, form.text)
    except ServiceError as error:
        return _refused(form, name, error)
    saved = _saved(name)
    # Who switched passages on wants to see the first.
    return redirect(url_for("passages.index"), 303) if switch.is_on() and not was_on else saved


@bp.post("/<name>/default")
@confirmed(ADMIN)
def reset(name: str) -> ResponseReturnValue:
    """Give the setting back to the default."""
    _known(name)
    if name == PASSAGES and change.may_change(name) and _asks(change.default(name)):
        return redirect(url_for(".ask_passages", choice=change.default(name)), 303)
    try:
        change.reset(name)
    except ServiceError as error:
        return _refused(_present(name), name, error)
    return _saved(name)


@bp.get("/PASSAGES/ask")
@confirmed(ADMIN)
def ask_passages() -> ResponseReturnValue:
    """Ask before passages are recorded, with what that means; before they are no more; or before all are deleted."""
    choice = request.args.get("choice", switch.OFF)
    page = "admin/passages_off.html" if choice == switch.OFF else "admin/passages_on.html"
    return render_template(page, choice=choice, config=current_app.config, stored=retention.count()[0])


@bp.post("/PASSAGES/delete")
@confirmed(ADMIN)
def delete_passages() -> ResponseReturnValue:
    """Record no passages any more, and begin the job that deletes all that are stored."""
    stored, newest = retention.count()
    try:
        with transaction():
            if switch.is_on():
                change.change(PASSAGES, switch.OFF)
            claim = lifecycle.begin(DELETE_PASSAGES, {NEWEST: newest})
            audit.record("passages.deleted", subject=f"job {claim.job_id}", after={"passages": stored})
    except ServiceError as error:
        return _refused(_present(PASSAGES), PASSAGES, error)
    enqueue_job(claim)
    return redirect(url_for("jobs.show", job_id=claim.job_id), 303)


@bp.post("/MAIL_TO/test")
@confirmed(ADMIN)
def send_test_mail() -> ResponseReturnValue:
    """Send a mail to whom alarms are mailed, and tell what the mail server said."""
    if current_app.config["MAIL_SERVER"] and current_app.config["MAIL_TO"]:
        try:
            mail_server.send_test(mail_server.compose(*alarms.in_each_language(alarms.test_mail)))
        except ServiceError as error:
            flash(messages.error_sentence(error), "danger")
        else:
            flash(_("The mail server took the test mail. If it does not arrive, look among spam."))
    return redirect(url_for(".edit", name="MAIL_TO"), 303)


@resubmission.restores("settings.update")
def typed_again(fields: MultiDict[str, str], name: str) -> ResponseReturnValue:
    """Show the form again as it was typed."""
    _known(name)
    return _form(SettingForm(formdata=fields), name)


def _known(name: str) -> None:
    if name not in SETTINGS or not SETTINGS[name].decided:
        abort(404)


def _asks(value: str) -> bool:
    """True when recording begins or ends by this value of the setting, and nobody has agreed to that yet."""
    return AGREED not in request.form and (value == switch.OFF) is switch.is_on()


def _present(name: str) -> SettingForm:
    """Return the form with the current value: one of the setting's words, or a text."""
    text = as_text(current_app.config[name])
    is_word = text in labels.WORDS_OF[name].choices
    return SettingForm(formdata=None, choice=text if is_word else NUMBER, value="" if is_word else text)


def _saved(name: str) -> ResponseReturnValue:
    flash(_("The setting is saved."))
    if name == "MAIL_TO" and current_app.config["MAIL_TO"] and not current_app.config["MAIL_SERVER"]:
        flash(_("No mail goes out yet: set HIKFLASK_MAIL_SERVER in the environment of the machine."), "warning")
    return redirect(url_for(".index"), 303)


def _refused(form: SettingForm, name: str, error: ServiceError) -> ResponseReturnValue:
    """Answer the form with the sentence of a refusal, in which settings have the names that people know."""
    about = dict(error.params)
    if "longer" in about:
        about |= {key: labels.label(about[key]) for key in ("longer", "shorter")}
    elif "setting" in about:
        about |= {"setting": labels.label(name), "allowed": labels.allowed_values(name)}
    form.value.errors = [messages.sentence(error.code, **about)]
    return _form(form, name, HTTPStatus.UNPROCESSABLE_ENTITY)


def _form(form: SettingForm, name: str, status: int = 200) -> ResponseReturnValue:
    about: dict[str, object] = {"name": name, "row": change.in_force().get(name), "may_change": change.may_change(name)}
    if name == PASSAGES:
        about |= {"is_on": switch.is_on(), "stored": retention.count()[0]}
    return render_template("admin/setting.html", form=form, config=current_app.config, **about), status
