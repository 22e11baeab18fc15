"""The employee form: the fields that pages and API share, and what the page adds."""

from typing import Any, ClassVar

from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from flask_wtf.file import FileField
from wtforms import BooleanField, Field, HiddenField, SelectField, StringField, ValidationError

from hikflask import text_rules
from hikflask.employee_fields import FORM_NAMES, MAX_NAME_LENGTH
from hikflask.forms.base import Form
from hikflask.forms.fields import limited, one_line, row_id, row_ids, stripped
from hikflask.forms.versions import VersionedForm


@limited(required=True, pattern=f"^{text_rules.NUMBER_PATTERN}$")
def number(form: FlaskForm, field: Field) -> None:  # noqa: ARG001
    """Check for an employee number."""
    if not text_rules.is_employee_number(field.data):
        raise ValidationError(_l("Enter an ID: Latin letters and digits, up to 32."))


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
