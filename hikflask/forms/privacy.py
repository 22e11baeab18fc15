"""Consent, as it is recorded on a page or by the API, the employee number of an erasure, and a printed certificate."""

from datetime import date
from typing import Any, ClassVar

from flask_babel import lazy_gettext as _l
from wtforms import Field, SelectField, StringField, ValidationError
from wtforms.fields.choices import SelectChoice
from wtforms.validators import Regexp

from hikflask.forms.base import Form
from hikflask.forms.employees import number
from hikflask.forms.fields import DayField, choice, limited, one_line, stripped
from hikflask.forms.versions import VersionedForm

MAX_NOTE_LENGTH = 500
EARLIEST = date(1950, 1, 1)
BASES = (("consent", _l("Consent of the employee")), ("contract", _l("Contract")), ("law", _l("Law")))
DEFAULT_BASIS = "consent"


class ConsentForm(Form):
    """The legal basis on which a face is taken and stored, and since when; `today` is the latest day it takes."""

    given_on = DayField(_l("Given on"))
    basis = SelectField(
        _l("Basis"),
        [choice],
        choices=[SelectChoice(*basis) for basis in BASES],
        default=DEFAULT_BASIS,
        validate_choice=False,
    )
    note = StringField(
        _l("Note"),
        [one_line(MAX_NOTE_LENGTH, required=False)],
        [stripped],
        description=_l("for example, where the signed paper is"),
    )

    def __init__(self, *args: Any, today: date, **options: Any) -> None:
        super().__init__(*args, **options)
        self._today = today

    @limited(required=True)
    def validate_given_on(self, field: Field) -> None:
        """Accept a day that is not in the future."""
        if field.data is None or not EARLIEST <= field.data <= self._today:
            raise ValidationError(_l("“%(field)s” must be a day that is not in the future.", field=field.label.text))


class ConsentPageForm(VersionedForm, ConsentForm):
    """The form of the page. It records a consent as a whole, so any change by somebody else leads to a question."""

    stored: ClassVar = ("given_on", "basis", "note")

    def value(self, name: str) -> Any:
        """Return the value of a field; that of the day as YYYY-MM-DD."""
        value = super().value(name)
        return value.isoformat() if isinstance(value, date) else value

    def changed(self) -> set[str]:
        """Return all fields."""
        return {*self.stored}


class NumberForm(Form):
    """The number of an employee who may be deleted already."""

    number = StringField(_l("Employee ID"), [number], [stripped])


class CertificateForm(Form):
    """What stands on a printed certificate: it may name nobody but by the number."""

    certificate = StringField(
        _l("Certificate No."),
        [Regexp(r"[0-9]{1,9}\Z", message=_l("Enter the digits that the certificate shows."))],
        [stripped],
    )
    number = StringField(_l("Employee ID"), [number], [stripped])
    name = StringField(_l("Full name"), [one_line(128, required=False)], [stripped])
