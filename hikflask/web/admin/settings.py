"""The settings of this installation, and for each that an administrator decides a page to change it or give it back."""

from http import HTTPStatus

from flask import Blueprint, Response, abort, current_app, flash, make_response, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from werkzeug.datastructures import MultiDict

from hikflask import messages
from hikflask.config import SETTINGS, as_text
from hikflask.forms.settings import NUMBER, SettingForm
from hikflask.http.permissions import ADMIN, allow, confirmed
from hikflask.labels import settings as labels
from hikflask.services.core.errors import ServiceError
from hikflask.services.settings import change
from hikflask.web.security import resubmission

bp = Blueprint("settings", __name__, url_prefix="/administration/settings")


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
    """The form of one setting, with its present value."""
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
    try:
        change.change(name, form.text)
    except ServiceError as error:
        return _refused(form, name, error)
    return _saved(name)


@bp.post("/<name>/default")
@confirmed(ADMIN)
def reset(name: str) -> ResponseReturnValue:
    """Give the setting back to the default."""
    _known(name)
    try:
        change.reset(name)
    except ServiceError as error:
        return _refused(_present(name), name, error)
    return _saved(name)


@resubmission.restores("settings.update")
def typed_again(fields: MultiDict[str, str], name: str) -> ResponseReturnValue:
    """Show the form again as it was typed."""
    _known(name)
    return _form(SettingForm(formdata=fields), name)


def _known(name: str) -> None:
    if name not in SETTINGS or not SETTINGS[name].decided:
        abort(404)


def _present(name: str) -> SettingForm:
    """Return the form with the present value: one of the setting's words, or a text."""
    text = as_text(current_app.config[name])
    is_word = text in labels.CHOICES.get(name, ())
    return SettingForm(formdata=None, choice=text if is_word else NUMBER, value="" if is_word else text)


def _saved(name: str) -> ResponseReturnValue:
    flash(_("Saved: %(name)s.", name=labels.label(name)))
    if name == "MAIL_TO" and current_app.config["MAIL_TO"] and not current_app.config["MAIL_SERVER"]:
        flash(_("No mail goes out yet: set HIKFLASK_MAIL_SERVER in the environment of the machine."), "warning")
    return redirect(url_for(".index"), 303)


def _refused(form: SettingForm, name: str, error: ServiceError) -> Response:
    """Answer the form with the sentence of a refusal, in which settings have the names that people know."""
    about = dict(error.params)
    if "longer" in about:
        about |= {key: labels.label(about[key]) for key in ("longer", "shorter")}
    elif "setting" in about:
        about |= {"setting": labels.label(name), "allowed": labels.allowed_values(name)}
    form.value.errors = [messages.sentence(error.code, **about)]
    return _form(form, name, HTTPStatus.UNPROCESSABLE_ENTITY)


def _form(form: SettingForm, name: str, status: int = 200) -> Response:
    about = {"name": name, "row": change.in_force().get(name), "may_change": change.may_change(name)}
    page = render_template("admin/setting.html", form=form, config=current_app.config, **about)
    return make_response(page, status)
