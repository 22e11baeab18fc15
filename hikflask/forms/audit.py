"""The filters of the audit trail; an empty field is ignored."""

from datetime import date
from typing import Any

from flask_babel import lazy_gettext as _l
from wtforms import BooleanField, Field, SelectField, StringField, ValidationError
from wtforms.validators import StopValidation

from hikflask.forms.base import QueryForm
from hikflask.forms.fields import DayField, not_in_list, one_line, stripped

FIRST_DAY, LAST_DAY = date(1970, 1, 2), date(9998, 12, 30)


def day(form: QueryForm, field: Field) -> None:  # noqa: ARG001
    """Check for a day, or nothing."""
    typed = "".join(field.raw_data or ())
    if typed and (field.data is None or not FIRST_DAY <= field.data <= LAST_DAY):
        raise StopValidation(_l("“%(field)s” must be a day such as 2026-01-31.", field=field.label.text))


class AuditForm(QueryForm):
    """The filters; `since` and `until` are days, both inclusive."""

    actor = StringField(_l("Who"), [one_line(128, required=False)], [stripped])
    action = SelectField(_l("What"), validate_choice=False)
    employee = StringField(_l("Employee ID"), [one_line(32, required=False)], [stripped])
    terminal = StringField(_l("Terminal"), [one_line(64, required=False)], [stripped])
    request = StringField(_l("Request"), [one_line(32, required=False)], [stripped])
    since = DayField(_l("From"), [day])
    until = DayField(_l("To"), [day])
    looks = BooleanField(_l("Include photo views"))

    def __init__(self, formdata: Any, actions: list[tuple[str, str]]) -> None:
        super().__init__(formdata)
        self.action.choices = actions

    def validate_action(self, field: Field) -> None:
        """Accept one of the list, or nothing."""
        if field.data and field.data not in dict(field.choices):
            raise not_in_list(field)

    def validate_until(self, field: Field) -> None:
        """Accept a day that is not before `since`, or nothing."""
        if field.data and self.since.data and field.data < self.since.data:
            raise ValidationError(
                _l("“%(field)s” must not be before “%(first)s”.", field=field.label.text, first=_l("From"))
            )

    def texts(self) -> dict[str, str]:
        """Return what was typed, right or wrong, by field: for links and hidden fields."""
        return {field.name: field.raw_data[0] for field in self if field.raw_data and field.raw_data[0]}
