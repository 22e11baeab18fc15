"""The page “Administration”: links to its parts, and the settings of this installation."""

from typing import Any

from babel.units import format_unit
from flask import Blueprint, current_app, render_template
from flask.typing import ResponseReturnValue
from flask_babel import get_locale, gettext, ngettext

from hikflask.config import PER_MINUTE, SECOND, SETTINGS
from hikflask.http.permissions import ADMIN, allow
from hikflask.messages import N_

bp = Blueprint("administration", __name__)

# Keys and the database's address, which holds a password, are not shown.
NOT_SHOWN = {"SECRET_KEY", "PASSWORD_KEY", "DATABASE_URL"}
NOTHING = "—"
# What a setting says in one word of the program.
WORDS = {
    "embedded": N_("inside the server"),
    "external": N_("as a process of its own"),
    "unix": N_("a Unix socket"),
    "warn": N_("warn when it is missing"),
    "require": N_("no photo without it"),
    "employed": N_("as long as the employee is active"),
    "never": N_("never keep"),
    "sha256": N_("sign-in with SHA-256"),
    "https": N_("https only"),
    "networks": N_("addresses of the given networks only"),
}
LONGER_UNITS = ((3600, "hour"), (60, "minute"))


@bp.get("/administration")
@allow(ADMIN)
def show() -> ResponseReturnValue:
    """Links, and the settings in force; they are changed in the environment or in instance/config.py."""
    names = sorted(SETTINGS.keys() - NOT_SHOWN)
    settings = {name: _shown(current_app.config[name], SETTINGS[name].unit) for name in names}
    return render_template("admin/overview.html", settings=settings)


def _shown(value: Any, unit: str) -> str:
    """Return a setting with its unit; a retention may be a word instead of a number of days."""
    if isinstance(value, list | tuple):
        return ", ".join(map(_word, value)) or NOTHING
    text = str(value)
    if not unit or text.isalpha():
        return _word(text) or NOTHING
    if unit == PER_MINUTE:
        return str(ngettext("%(num)s request per minute", "%(num)s requests per minute", value))
    return _measured(float(value), unit)


def _word(value: Any) -> str:
    """Return a word of a setting in the language of the page, and anything else as it is."""
    text = str(value)
    return str(gettext(WORDS[text])) if text in WORDS else text


def _measured(value: float, unit: str) -> str:
    """Return a number with its unit, in the longest unit in which it is whole."""
    if unit == SECOND:
        longer = ((value / size, name) for size, name in LONGER_UNITS if value >= size and value % size == 0)
        value, unit = next(longer, (value, unit))
    return str(format_unit(value, unit, "short", locale=str(get_locale())))
