"""Operators and API tokens, as an administrator adds them."""

from contextlib import suppress
from datetime import date, timedelta
from typing import Any

from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from wtforms import BooleanField, DateField, Field, SelectField, StringField, ValidationError
from wtforms.fields.choices import SelectChoice

from hikflask.forms.base import Form
from hikflask.forms.fields import LONGEST_NAME, one_line, operator_name, stripped

ROLES = (("viewer", _l("Viewer")), ("operator", _l("Operator")), ("admin", _l("Administrator")))
DEFAULT_ROLE = "operator"
DEFAULT_DAYS = 365
LONGEST_DAYS = 3660


class RoleField(SelectField):  # type: ignore[misc]
    """One of the roles, by name."""

    def __init__(self, label: Any = None, **options: Any) -> None:
        super().__init__(label, choices=[SelectChoice(*role) for role in ROLES], default=DEFAULT_ROLE, **options)

    def pre_validate(self, form: FlaskForm) -> None:  # noqa: ARG002
        """Refuse what is no role, naming the field."""
        if self.data not in dict(ROLES):
            raise ValidationError(_l("“%(field)s” must be one of the list.", field=self.label.text))


class DayField(DateField):  # type: ignore[misc]
    """A day; what is none has no data, and the form says so in its own words."""

    def process_formdata(self, valuelist: list[str]) -> None:
        """Read what was typed."""
        with suppress(ValueError):
            super().process_formdata(valuelist)


class OperatorForm(Form):
    """Somebody who shall sign in."""

    name = StringField(_l("Operator's name"), [operator_name], [stripped])
    role = RoleField(_l("Role"))


class OperatorChangeForm(Form):
    """What may change of an operator."""

    role = RoleField(_l("Role"))
    is_active = BooleanField(_l("May sign in"))


class TokenForm(Form):
    """A program that shall call the API; `expires_on` is its last day, `today` the first one that can be said."""

    name = StringField(
        _l("Name"), [one_line(LONGEST_NAME, marks=False)], [stripped], description=_l("for example, HR system")
    )
    role = RoleField(_l("Role"))
    expires_on = DayField(_l("Valid until"))

    def __init__(self, *args: Any, today: date, **options: Any) -> None:
        self._today = today
        super().__init__(*args, **{"expires_on": today + timedelta(days=DEFAULT_DAYS), **options})

    def validate_expires_on(self, field: Field) -> None:
        """A day to come, and not for ever."""
        if field.data is None or not self._today <= field.data <= self._today + timedelta(days=LONGEST_DAYS):
            raise ValidationError(_l("“%(field)s” must be a day within the next ten years.", field=field.label.text))
