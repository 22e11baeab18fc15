"""The employee form, which pages and API share, and what the page adds; the filters of employees and of enrolments."""

import re
from datetime import UTC, datetime
from typing import Any, ClassVar

from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from flask_wtf.file import FileField
from wtforms import (
    BooleanField,
    Field,
    HiddenField,
    SelectChoice,
    SelectField,
    StringField,
    TextAreaField,
    ValidationError,
)
from wtforms.validators import Optional

from hikflask import text_rules
from hikflask.employee_fields import FORM_NAMES, MAX_NAME_LENGTH
from hikflask.forms.base import FilterForm, Form
from hikflask.forms.fields import choice_or_nothing, id_or_nothing, limited, one_line, row_id, row_ids, stripped
from hikflask.forms.versions import VersionedForm
from hikflask.services.employees.filters import SORTS, EmployeeFilter


@limited(required=True, pattern=f"^{text_rules.NUMBER_PATTERN}$")
def number(form: FlaskForm, field: Field) -> None:  # noqa: ARG001
    """Check for an employee number."""
    if not text_rules.is_employee_number(field.data):
        raise ValidationError(_l("Enter an ID: Latin letters and digits, up to 32."))


@limited(required=True, pattern=f"^{text_rules.CARD_NUMBER_PATTERN}$")
def card_number(form: FlaskForm, field: Field) -> None:  # noqa: ARG001
    """Check for a card's number."""
    if not text_rules.is_card_number(field.data):
        raise ValidationError(_l("A card's number has 1 to 32 Latin letters and digits, as the terminal shows it."))


@limited(format="date", description=f"A day from {text_rules.FIRST_DAY} to {text_rules.LAST_DAY}; null for no limit.")
def day(form: FlaskForm, field: Field) -> None:  # noqa: ARG001
    """Check for a day of a validity, or none."""
    if not field.data:
        return
    date = text_rules.day_of(field.data)
    if date is None:
        raise ValidationError(_l("“%(field)s” must be a day such as 2030-12-31.", field=field.label.text))
    if not text_rules.is_accepted_day(date):
        raise ValidationError(
            _l("“%(field)s” must be from 2000 to 2037: terminals take no other years.", field=field.label.text)
        )


def not_before_the_first(form: FlaskForm, field: Field) -> None:
    """Check that the last day is not before the first one."""
    first, last = text_rules.day_of(form.valid_from.data), text_rules.day_of(field.data)
    if first and last and last < first:
        names = {"field": field.label.text, "first": form.valid_from.label.text}
        raise ValidationError(_l("“%(field)s” must not be before “%(first)s”.", **names))


class CardForm(Form):
    """A card, by its number as terminals show it."""

    number = StringField(_l("Card"), [card_number], [stripped])


class CardPageForm(CardForm):
    """The form of the page; `agreed` is the number that the page asked about, since it may be somebody else's card."""

    agreed = HiddenField()


class EmployeeForm(Form):
    """An employee, as typed on a page or sent to the API."""

    hikvision_id = StringField(_l("Employee ID"), [number], [stripped], description=_l("for example, 100222"))
    full_name = StringField(_l("Full name"), [one_line(MAX_NAME_LENGTH)], [stripped], description=_l("Ivanov Ivan"))
    department = StringField(
        _l("Department"), [one_line(MAX_NAME_LENGTH, required=False)], [stripped], description=_l("optional")
    )
    valid_from = StringField(_l("Valid from"), [day], [stripped])
    valid_to = StringField(_l("Valid to"), [day, not_before_the_first], [stripped])


class EmployeePageForm(VersionedForm, EmployeeForm):
    """The form of the page, with the capture that it shows, the selected terminal, a photo from a file and consent.

    `take_over`, `without_face`, `poor_photo` and `moved` are "1" when a question was answered: to save a picture that
    somebody else captured, a new employee without a face, a photo that a terminal is expected to refuse, and terminals
    that groups give or take. The page of a new employee says "0" to the second one, each page to the
    third, and that of a known employee to the last, so that it is asked. Where a capture is begun, `take_over` is the
    id of the one whose picture it may replace. `moved` is the digest of the terminals that were shown, or "0".

    `groups` are the ticked groups of terminals, where the page shows them (`groups_shown` is "1").

    `shown_number` and `shown_name` are those that the page showed with the captured face. JavaScript empties them, as
    the page then shows what is typed.

    `photo_draft` is the photo that the page shows. `draft_behind` is one that a capture is about to replace.

    `round_id` is the terminal of an enrolment session, in which one person after another is captured there, and
    `round_of` how many had no face there when it began.
    """

    stored: ClassVar = (*FORM_NAMES.values(), "groups")
    capture_id = HiddenField(filters=[row_id])
    waiting_id = HiddenField(filters=[row_id])
    employee_id = HiddenField(filters=[row_id])
    take_over = HiddenField()
    without_face = HiddenField()
    poor_photo = HiddenField()
    moved = HiddenField()
    groups = StringField(_l("Groups of terminals"))
    groups_shown = HiddenField()
    shown_number = HiddenField(filters=[stripped])
    shown_name = HiddenField(filters=[stripped])
    photo_draft = HiddenField(filters=[stripped])
    draft_behind = HiddenField(filters=[stripped])
    round_id = HiddenField(filters=[row_id])
    round_of = HiddenField(filters=[row_id])
    consent = BooleanField(_l("Consent to the photo was given today"))
    terminal_name = StringField(_l("Name on terminals"), [one_line(MAX_NAME_LENGTH, required=False)], [stripped])
    terminal_id = SelectField(_l("Terminal"), coerce=row_id, validate_choice=False)
    photo = FileField(_l("Photo from a file"))

    @property
    def group_ids(self) -> tuple[int, ...] | None:
        """The ids of the ticked groups; None when the page does not show groups."""
        if self.groups_shown.data != "1":
            return None
        chosen = self.groups.raw_data if self.groups.raw_data is not None else self.groups.data or ()
        return tuple(sorted(row_ids(chosen)))

    def value(self, name: str) -> Any:
        """Return the value of a stored field; None when the page does not show it."""
        return self.group_ids if name == "groups" else super().value(name)

    def set_value(self, name: str, value: Any) -> None:
        """Set the value of a stored field."""
        super().set_value(name, value)
        self.groups.raw_data = None if name == "groups" else self.groups.raw_data

    @property
    def own_capture(self) -> int | None:
        """The capture of this form, whether its picture is shown or still awaited."""
        own: int | None = self.capture_id.data or self.waiting_id.data
        return own

    @property
    def has_file(self) -> bool:
        """True when the photo comes from a file, checked or not."""
        return bool(self.photo.data or self.photo_draft.data)

    def offer(self, terminals: list[Any], preferred: int | None) -> None:
        """Fill the selector with terminals (anything with id and name); select `preferred` unless one was chosen."""
        self.terminal_id.choices = [(terminal.id, terminal.name) for terminal in terminals]
        if self.terminal_id.data not in {terminal.id for terminal in terminals}:
            self.terminal_id.data = preferred


class CaptureForm(Form):
    """A call that starts a capture for a number, which no employee needs to have yet."""

    hikvision_id = StringField(_l("Employee ID"), [Optional(), number], [stripped])
    take_over = BooleanField(_l("Take over"))


MAX_NUMBERS = 1000
NUMBER_SEPARATORS = re.compile(r"[\s,;]+")


class NumbersForm(Form):
    """Pasted numbers of employees who leave at once, separated by line breaks, commas, semicolons or spaces."""

    numbers = TextAreaField(_l("Employee IDs, one a line"))

    @property
    def listed(self) -> list[str]:
        """The numbers in the order in which they were pasted, each once."""
        return list(dict.fromkeys(word for word in NUMBER_SEPARATORS.split(self.numbers.data or "") if word))

    def validate_numbers(self, field: Field) -> None:
        """Accept at least one number, and no more than a person can look through in the preview."""
        if not self.listed:
            raise ValidationError(_l("“%(field)s” must not be empty.", field=field.label.text))
        if len(self.listed) > MAX_NUMBERS:
            raise ValidationError(_l("At most %(most)s IDs at once.", most=MAX_NUMBERS))


# In UTC, as all times of the API.
MOMENT = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z?$"
STATES = ("confirmed", "waiting", "refused", "leaving", "removed")


class EnrolmentFilterForm(Form):
    """The filters of enrolments that a program sends; an empty field is ignored."""

    state = SelectField(
        _l("State"),
        [choice_or_nothing],
        validate_choice=False,
        choices=[SelectChoice(state, state) for state in STATES],
    )
    terminal = StringField(_l("Terminal"), [id_or_nothing])
    since = StringField(_l("Changed since"))

    @limited(pattern=f"{MOMENT}|^$", description="UTC, such as 2026-03-01T09:30:00.")
    def validate_since(self, field: Field) -> None:
        """Accept a moment in UTC, or nothing."""
        if field.data and self.moment is None:
            raise ValidationError(_l("“%(field)s” must be a time such as 2026-03-01T09:30:00.", field=field.label.text))

    @property
    def moment(self) -> datetime | None:
        """The moment of `since`; None where it is empty or no time."""
        text = self.since.data or ""
        try:
            moment = datetime.fromisoformat(text.removesuffix("Z")) if re.fullmatch(MOMENT, text) else None
        except ValueError:
            return None
        return moment and moment.replace(tzinfo=UTC)

    @property
    def terminal_id(self) -> int | None:
        """The id of the terminal; None where the field is empty, 0 for an id that no row can have."""
        return (row_id(self.terminal.data) or 0) if self.terminal.data else None


SORT_LABELS = {
    "name": _l("By name, A to Z"),
    "-name": _l("By name, Z to A"),
    "number": _l("By ID"),
    "department": _l("By department"),
    "created_at": _l("Oldest first"),
    "-created_at": _l("Newest first"),
}


class EmployeeFilterForm(FilterForm):
    """The filters of employees, for the list, the API and jobs; an empty field is ignored."""

    narrows: ClassVar = ("state", "terminal", "department", "consent")
    q = StringField(_l("Search"), filters=[stripped])
    state = SelectField(
        _l("State"),
        [choice_or_nothing],
        validate_choice=False,
        choices=[
            SelectChoice("on_terminals", _l("On the terminals")),
            SelectChoice("no_face", _l("No face")),
            SelectChoice("waiting", _l("Waiting for the terminal")),
            SelectChoice("refused", _l("Not enrolled: needs attention")),
            SelectChoice("leaving", _l("May still open doors")),
            SelectChoice("left", _l("Inactive")),
        ],
    )
    terminal = SelectField(_l("Terminal"), [id_or_nothing], filters=[stripped], validate_choice=False, choices=[])
    department = SelectField(_l("Department"), filters=[stripped], validate_choice=False, choices=[])
    consent = SelectField(
        _l("Consent"),
        [choice_or_nothing],
        validate_choice=False,
        choices=[SelectChoice("given", _l("Consent is recorded")), SelectChoice("missing", _l("No consent"))],
    )
    sort = SelectField(
        _l("Sorting"),
        [choice_or_nothing],
        validate_choice=False,
        choices=[SelectChoice(sort, SORT_LABELS[sort]) for sort in SORTS],
    )

    @property
    def filter(self) -> EmployeeFilter:
        """The filter that the validated fields describe; an invalid field is ignored.

        So refuse a form that does not validate before changing the employees that its filter selects.
        """
        terminal = self.right(self.terminal)
        return EmployeeFilter(
            q=self.right(self.q),
            state=self.right(self.state),
            department=self.right(self.department),
            terminal=(row_id(terminal) or 0) if terminal else None,
            consent=self.right(self.consent),
            sort=self.right(self.sort) or EmployeeFilter.sort,
        )
