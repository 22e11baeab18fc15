"""The forms of an import: the files and a terminal, then which column of the table is which field."""

from collections.abc import Iterable, Sequence
from typing import Any

from flask_babel import lazy_gettext as _l
from flask_wtf.file import FileField
from wtforms import BooleanField, Field, HiddenField, SelectChoice, SelectField, StringField, ValidationError

from hikflask.forms.base import Form
from hikflask.forms.fields import not_in_list, row_id, stripped


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


class ColumnsForm(Form):
    """The column of each field, by the names of services/imports/columns.py, and the terminal for these people."""

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

    @property
    def columns(self) -> list[SelectField]:
        """The selectors, in their order."""
        return [field for field in self if isinstance(field, SelectField) and field is not self.terminal_id]

    def offer(self, headers: Sequence[str], terminals: Iterable[Any]) -> None:
        """Fill the selectors with the columns of the table, and with terminals."""
        self.terminal_id.choices = _terminals(terminals)
        for field in self.columns:
            field.choices = [SelectChoice(index, header) for index, header in enumerate(headers)]

    @property
    def chosen(self) -> dict[str, int]:
        """Field → index of its column, from 0; without the fields that the table does not have."""
        return {field.name: field.data for field in self.columns if field.data is not None}


class ConfirmForm(Form):
    """How many people lose access by an import, as typed."""

    confirm = StringField(_l("How many employees lose access"), filters=[stripped])


class UndoForm(ConfirmForm):
    """How many people lose access by an undo, as typed; `rows` is the number of rows that the question showed."""

    rows = HiddenField()
