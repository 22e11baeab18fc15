"""The filters of passages and of days of work, and the question why a door did not open."""

from contextlib import suppress
from datetime import date, time
from typing import Any, ClassVar

from flask_babel import lazy_gettext as _l
from wtforms import Field, HiddenField, MonthField, SelectChoice, SelectField, StringField, TimeField
from wtforms.validators import StopValidation

from hikflask.forms.base import FilterForm, QueryForm
from hikflask.forms.fields import FIRST_DAY, LAST_DAY, DayField, choice_or_nothing, day, id_or_nothing, row_id, stripped


class PassagesForm(FilterForm):
    """The filters of passages; `person` is an employee's id, which links to the list name."""

    narrows: ClassVar = ("terminal", "kind", "day", "department")
    q = StringField(_l("Search"), filters=[stripped])
    person = HiddenField(filters=[stripped], validators=[id_or_nothing])
    terminal = SelectField(_l("Terminal"), [id_or_nothing], filters=[stripped], validate_choice=False, choices=[])
    kind = SelectField(_l("What happened"), [choice_or_nothing], validate_choice=False)
    day = DayField(_l("Day"), [day])
    department = SelectField(_l("Department"), filters=[stripped], validate_choice=False, choices=[])

    def __init__(self, formdata: Any, kinds: list[tuple[str, str]]) -> None:
        super().__init__(formdata)
        self.kind.choices = [SelectChoice(value, label) for value, label in kinds]


class ShownMonth(DayField, MonthField):  # type: ignore[misc]
    """A month, as its first day; anything else leaves the field without data."""


class ClockField(TimeField):  # type: ignore[misc]
    """A time of a day; anything else leaves the field without data."""

    def process_formdata(self, valuelist: list[str]) -> None:
        """Read a time as it is typed."""
        with suppress(ValueError):
            super().process_formdata(valuelist)


def clock(form: QueryForm, field: Field) -> None:  # noqa: ARG001
    """Check for a time of a day, or nothing."""
    if "".join(field.raw_data or ()) and field.data is None:
        raise StopValidation(_l("“%(field)s” must be a time such as 09:00.", field=field.label.text))


def month(form: QueryForm, field: Field) -> None:  # noqa: ARG001
    """Check for a month, or nothing."""
    typed = "".join(field.raw_data or ())
    if typed and (field.data is None or not FIRST_DAY <= field.data <= LAST_DAY):
        raise StopValidation(_l("“%(field)s” must be a month such as 2026-01.", field=field.label.text))


class DaysForm(FilterForm):
    """The filters of the days of work; `employee` is an id, which links to the days of one employee name.

    `month` shows a month, else it is a day."""

    narrows: ClassVar = ("department", "presence")
    q = StringField(_l("Search"), filters=[stripped])
    department = SelectField(_l("Department"), filters=[stripped], validate_choice=False, choices=[])
    presence = SelectField(
        _l("Came or not"),
        [choice_or_nothing],
        validate_choice=False,
        choices=[SelectChoice("came", _l("Came")), SelectChoice("absent", _l("Did not come"))],
    )
    later = ClockField(_l("Later than"), [clock])
    day = DayField(_l("Day"), [day])
    month = ShownMonth(_l("Month"), [month])
    employee = HiddenField(validators=[id_or_nothing], filters=[stripped])

    @property
    def shown_month(self) -> date | None:
        """The first day of the month that is shown, None when it is a day."""
        return self.right(self.month) or None

    @property
    def employee_id(self) -> int | None:
        """Whose days are shown; None: those of all."""
        return row_id(self.right(self.employee)) or None

    @property
    def shown_later(self) -> time | None:
        """After which time somebody arrived who is shown; None in a month, and where it does not matter."""
        return None if self.shown_month or self.later.errors else self.later.data

    @property
    def narrowing(self) -> int:
        """How many of the filters are set that stand beside the search."""
        return super().narrowing + bool(self.shown_later)

    @property
    def texts(self) -> dict[str, Any]:
        """The texts of the filters of people that are not empty and not wrong, by field: for links."""
        fields = (self.q, self.department, self.presence)
        texts = {field.name: str(self.right(field)) for field in fields if self.right(field)}
        return {**texts, "later": f"{self.shown_later:%H:%M}"} if self.shown_later else texts


class WhyForm(FilterForm):
    """An employee's ID, or words to find one; a moment, now when it is empty; and a terminal, any when it is empty."""

    employee = StringField(_l("Employee"), filters=[stripped])
    at = StringField(_l("When"), filters=[stripped])
    terminal = SelectField(_l("Terminal"), [id_or_nothing], filters=[stripped], validate_choice=False, choices=[])
