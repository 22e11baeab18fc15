"""Sentences on the next page, and those about changes that somebody else has saved meanwhile (forms/versions.py)."""

from collections.abc import Callable, Iterable
from http import HTTPStatus
from typing import Any

from flask import flash
from flask_babel import gettext as _
from markupsafe import Markup
from wtforms import BooleanField, Field, SelectField

from hikflask.forms.versions import Difference, VersionedForm
from hikflask.messages import error_sentence
from hikflask.services.core.errors import PlanChanged
from hikflask.text_rules import isolated


def with_link(text: str, address: str, label: str) -> Markup:
    """Return a sentence for flash() that ends with a link."""
    return Markup('{} <a href="{}">{}</a>').format(text, address, label)


def flash_spelling(typed: str, saved: str) -> None:
    """Put the spelling in which a department was saved on the next page, unless it is as typed."""
    if saved and typed != saved:
        flash(_("The department is saved as “%(name)s”.", name=isolated(saved)))


def flash_plan_changed(form: Any) -> HTTPStatus:
    """Put on the next page that the plan changed, clear the typed confirmation, and return the status of that page.

    :param form: has the fields `shown`, the digest of what was shown, and `confirm`. Where nothing was shown before,
        the question is a new one, and nothing is said.
    """
    if not form.shown.data:
        return HTTPStatus.UNPROCESSABLE_ENTITY
    flash(error_sentence(PlanChanged()), "danger")
    form.confirm.data = ""
    return HTTPStatus.CONFLICT


def shown_value(field: Field, value: Any) -> str:
    """Return the value of a field as a page shows it: a choice by its label, and nothing as a dash."""
    if isinstance(field, BooleanField):
        return str(_("yes") if value else _("no"))
    if isinstance(field, SelectField):
        return str(next((choice.label for choice in field.choices if choice.value == value), "—"))
    return isolated(value) or "—"


def flash_kept_fields(form: VersionedForm, kept: Iterable[Difference]) -> None:
    """Put on the next page which fields were updated with what somebody else saved, if any were."""
    fields = ", ".join(str(form[field.name].label.text) for field in kept)
    if fields:
        flash(_("Somebody else has changed meanwhile: %(fields)s. That stays.", fields=fields))


def conflict(
    form: VersionedForm, differences: Iterable[Difference], value_of: Callable[[Field, Any], str] = shown_value
) -> dict[str, Any]:
    """Return what version() of _form_fields.html says above a form of which somebody else has saved fields meanwhile.

    :param value_of: how the page shows a value.
    """
    sentences = []
    for difference in differences:
        field = form[difference.name]
        values = {"field": field.label.text, "saved": value_of(field, difference.saved)}
        if difference.is_conflict:
            values["typed"] = value_of(field, difference.typed)
            sentences.append(_("%(field)s: “%(saved)s” is saved, “%(typed)s” is typed here.", **values))
        else:
            sentences.append(_("%(field)s: “%(saved)s” is saved, and now stands here, too.", **values))
    problem = _("Somebody else has changed this meanwhile. Nothing is saved yet: “Save” writes what is typed here.")
    return {"problem": problem, "details": sentences}
