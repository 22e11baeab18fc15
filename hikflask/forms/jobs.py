"""Jobs on selected employees: the form of the selection, and those of the previews."""

from collections.abc import Iterable
from typing import Any

from flask_babel import get_locale
from flask_babel import lazy_gettext as _l
from wtforms import BooleanField, HiddenField, SelectChoice, SelectField, StringField

from hikflask.employee_fields import MAX_NAME_LENGTH
from hikflask.forms.base import Form
from hikflask.forms.fields import choice, one_line, row_id, row_ids, stripped


class SelectionForm(Form):
    """The selection on the list (these ids, or all that match the filter beside them), and the action for it."""

    action = StringField()
    all = BooleanField()
    employee = StringField()

    @property
    def employee_ids(self) -> list[int]:
        """The ids of the selected employees, each once."""
        return row_ids(self.employee.raw_data)


class JobForm(Form):
    """The confirmation of a job, which is needed only where many lose access.

    `shown` is the digest of what the page showed that groups of terminals give and take by it; `confirm` is how many
    lose a terminal, as typed.
    """

    shown = HiddenField()
    confirm = StringField(_l("How many employees lose access"), filters=[stripped])

    @property
    def params(self) -> dict[str, Any]:
        """The parameters of the job."""
        return {}


class SendForm(JobForm):
    """The terminal that employees are sent to."""

    terminal_id = SelectField(_l("Terminal"), [choice], coerce=row_id, validate_choice=False)

    def offer(self, terminals: Iterable[Any]) -> None:
        """Fill the selector with terminals (anything with id and name)."""
        self.terminal_id.choices = [SelectChoice(terminal.id, terminal.name) for terminal in terminals]

    @property
    def params(self) -> dict[str, Any]:
        """The terminal; its name stays in the report when the terminal is deleted."""
        names = {choice.value: choice.label for choice in self.terminal_id.choices}
        return {"terminal_id": self.terminal_id.data, "terminal": names[self.terminal_id.data]}


class DepartmentForm(JobForm):
    """The department that employees are moved to; none when it is empty."""

    department = StringField(_l("Department"), [one_line(MAX_NAME_LENGTH, required=False)], [stripped])

    @property
    def params(self) -> dict[str, Any]:
        """The department."""
        return {"department": self.department.data or ""}


class ExportForm(JobForm):
    """The format of a file, by the button that is pressed; its words are in the language of the page."""

    format = SelectField(
        _l("Format"),
        [choice],
        choices=[SelectChoice("xlsx", "XLSX"), SelectChoice("csv", "CSV")],
        validate_choice=False,
    )

    @property
    def params(self) -> dict[str, Any]:
        """Format and language."""
        return {"format": self.format.data, "language": str(get_locale())}
