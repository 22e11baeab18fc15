"""The forms of an import: the files and a terminal, then which column of the table is which field."""

from collections.abc import Iterable, Sequence
from typing import Any, ClassVar

from flask_babel import lazy_gettext as _l
from flask_wtf.file import FileField
from wtforms import (
    BooleanField,
    Field,
    HiddenField,
    SelectChoice,
    SelectField,
    SelectMultipleField,
    StringField,
    ValidationError,
)

from hikflask.employee_fields import MAX_NAME_LENGTH
from hikflask.forms.base import Form
from hikflask.forms.employees import day
from hikflask.forms.fields import choice, limited, not_in_list, one_line, row_id, stripped

MAX_PREFIX_LENGTH = MAX_DIGITS = 32
MAX_MAPPING_LENGTH = 64


def _one_of_the_list(form: Form, field: Field) -> None:  # noqa: ARG001
    """Accept a choice, or nothing at all."""
    sent = next(iter(field.raw_data or ()), "")
    if sent and field.data not in {choice.value for choice in field.choices}:
        raise not_in_list(field)


def _choice(label: Any) -> SelectField:
    """Return a selector whose choice may stay empty."""
    return SelectField(label, [_one_of_the_list], coerce=row_id, validate_choice=False, choices=[])


def _terminals(terminals: Iterable[Any]) -> list[SelectChoice]:
    return [SelectChoice(terminal.id, terminal.name) for terminal in terminals]


class UploadForm(Form):
    """A table of people, a ZIP of photos, or both, and the terminal that these people are sent to."""

    table = FileField(_l("Table of people"))
    photos = FileField(_l("Photos"))
    terminal_id = _choice(_l("Terminal"))
    groups = BooleanField(_l("Enrol on the terminals of groups"))

    def offer(self, terminals: Iterable[Any]) -> None:
        """Fill the selector with terminals (anything with id and name)."""
        self.terminal_id.choices = _terminals(terminals)

    def validate_table(self, field: Field) -> None:
        """Ask for at least one file."""
        if not field.data and not self.photos.data:
            raise ValidationError(_l("Choose a table, a ZIP of photos, or both."))


@limited(pattern="^[0-9]{0,2}$")
def digits(form: Form, field: Field) -> None:  # noqa: ARG001
    """Check for how many digits an ID has, or nothing."""
    if field.data and (row_id(field.data) or MAX_DIGITS + 1) > MAX_DIGITS:
        raise ValidationError(_l("“%(field)s” must be from 1 to 32.", field=field.label.text))


def _some(form: Form, field: Field) -> None:  # noqa: ARG001
    """Check for some of the choices, or none."""
    if not {choice.value for choice in field.choices}.issuperset(field.data or ()):
        raise not_in_list(field)


class OptionsForm(Form):
    """How the cells of a table are read: the fields of services/imports/table/options.py, for pages and the API.

    `all_department` and `all_valid_to` are the values of all rows, in place of a column.
    """

    mode = SelectField(
        _l("Which rows to import"),
        [choice],
        choices=[
            SelectChoice("both", _l("New ones and changes")),
            SelectChoice("new", _l("Only new employees")),
            SelectChoice("changes", _l("Only changes")),
        ],
        default="both",
        validate_choice=False,
    )
    clear = SelectMultipleField(
        _l("Empty cells"),
        [_some],
        choices=[
            SelectChoice("department", _l("An empty department takes the employee out of the department")),
            SelectChoice("valid_from", _l("An empty “Valid from” lifts the limit")),
            SelectChoice("valid_to", _l("An empty “Valid to” lifts the limit")),
        ],
        validate_choice=False,
    )
    all_department = StringField(_l("One department for all"), [one_line(MAX_NAME_LENGTH, required=False)], [stripped])
    all_valid_to = StringField(_l("One last day for all"), [day], [stripped])
    strip_prefix = StringField(
        _l("Beginning of IDs to leave out"),
        [one_line(MAX_PREFIX_LENGTH, required=False)],
        [stripped],
        description=_l("for example, T-"),
    )
    pad_to = StringField(_l("Digits of an ID"), [digits], [stripped], description=_l("for example, 5"))
    letters = SelectField(
        _l("Cyrillic letters in IDs"),
        [choice],
        choices=[
            SelectChoice("refuse", _l("The row is wrong")),
            SelectChoice("replace", _l("Read as Latin: А as A")),
        ],
        default="refuse",
        validate_choice=False,
    )
    sheet_is_department = BooleanField(_l("The name of the sheet is the department"))
    path = SelectField(
        _l("A department such as Plant/Workshop/Shift"),
        [choice],
        choices=[SelectChoice("last", _l("Its last part: Shift")), SelectChoice("whole", _l("All of it"))],
        default="last",
        validate_choice=False,
    )

    @property
    def rules(self) -> list[Field]:
        """The fields, in their order."""
        names = ("mode", "clear", "all_department", "all_valid_to", "strip_prefix", "pad_to", "letters", "path")
        return [self[name] for name in names]

    @staticmethod
    def filled(options: Any) -> dict[str, Any]:
        """Return the values of the fields for these options."""
        names = ("mode", "clear", "sheet_is_department", "strip_prefix", "letters", "path")
        return {
            **{name: getattr(options, name) for name in names},
            "pad_to": str(options.pad_to or ""),
            "all_department": options.fixed.get("department", ""),
            "all_valid_to": options.fixed.get("valid_to", ""),
        }

    @property
    def options(self) -> dict[str, Any]:
        """What was chosen, by the names of the options."""
        fixed = {"department": self.all_department.data, "valid_to": self.all_valid_to.data}
        return {
            "mode": self.mode.data,
            "clear": tuple(self.clear.data or ()),
            "fixed": {name: value for name, value in fixed.items() if value},
            "sheet_is_department": self.sheet_is_department.data,
            "strip_prefix": self.strip_prefix.data or "",
            "pad_to": row_id(self.pad_to.data) or 0,
            "letters": self.letters.data,
            "path": self.path.data,
        }


class ColumnsForm(OptionsForm):
    """The column of each field, by the names of services/imports/table/columns.py, and the terminal for these people.

    `unused_days` are the indexes of columns with days that are not used. `sheet` is the name of the one to read.
    """

    sheet = StringField(_l("Sheet"), filters=[stripped])
    of_columns: ClassVar = (
        *("number", "name", "last_name", "first_name", "middle_name"),
        *("department", "left", "active", "valid_from", "valid_to"),
    )
    number = _choice(_l("Employee ID"))
    name = _choice(_l("Full name"))
    last_name = _choice(_l("Last name"))
    first_name = _choice(_l("First name"))
    middle_name = _choice(_l("Middle name"))
    department = _choice(_l("Department"))
    left = _choice(_l("Has left"))
    active = _choice(_l("Works here"))
    valid_from = _choice(_l("Valid from"))
    valid_to = _choice(_l("Valid to"))
    terminal_id = _choice(_l("Terminal"))
    groups = BooleanField(_l("Enrol on the terminals of groups"))

    mapping_name = StringField(
        _l("Save these columns as"),
        [one_line(MAX_MAPPING_LENGTH, required=False)],
        [stripped],
        description=_l("optional"),
    )
    unused_days = SelectMultipleField(coerce=row_id, choices=[], validate_choice=False)

    @property
    def focused(self) -> str:
        """The id of the first field with an error, else of the first selector: the options stand below it."""
        return str(next((field.id for field in self if field.errors), self.number.id))

    @property
    def columns(self) -> list[SelectField]:
        """The selectors, in their order."""
        return [self[name] for name in self.of_columns]

    def offer(self, headers: Sequence[str], terminals: Iterable[Any]) -> None:
        """Fill the selectors with the columns of the table, and with terminals."""
        self.terminal_id.choices = _terminals(terminals)
        for field in self.columns:
            field.choices = [SelectChoice(index, header) for index, header in enumerate(headers)]

    @property
    def mapped(self) -> dict[str, int]:
        """Field → index of its column, from 0; without the fields that the table does not have."""
        return {field.name: field.data for field in self.columns if field.data is not None}

    @property
    def chosen(self) -> dict[str, int]:
        """As `mapped`, without the fields that all rows have alike."""
        return {name: index for name, index in self.mapped.items() if name not in self.options["fixed"]}

    @property
    def replaced(self) -> list[int]:
        """The indexes of columns whose field all rows have alike."""
        return [index for name, index in self.mapped.items() if name in self.options["fixed"]]

    @property
    def options(self) -> dict[str, Any]:
        """What was chosen, by the names of the options."""
        return {**super().options, "unused_days": tuple(index for index in self.unused_days.data if index is not None)}


class CorrectedFileForm(Form):
    """The file of an import's wrong rows, corrected."""

    table = FileField(_l("Corrected file"))


class MappingForm(Form):
    """The name of saved columns."""

    name = StringField(_l("Name"), [one_line(MAX_MAPPING_LENGTH)], [stripped])


class ConfirmForm(Form):
    """How many people lose access by an import, as typed."""

    confirm = StringField(_l("How many employees lose access"), filters=[stripped])


class StartForm(ConfirmForm):
    """How many people lose access by an import, as typed; `shown` is when the rows of the page were checked."""

    shown = HiddenField()


class UndoForm(ConfirmForm):
    """How many people lose access by an undo, as typed; `rows` is the number of rows that the question showed."""

    rows = HiddenField()
