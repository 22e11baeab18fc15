"""A department's name, and which departments are merged into which one."""

from flask_babel import lazy_gettext as _l
from wtforms import HiddenField, StringField

from hikflask.employee_fields import MAX_NAME_LENGTH
from hikflask.forms.base import Form, QueryForm
from hikflask.forms.fields import one_line, row_id, row_ids, stripped


class DepartmentForm(Form):
    """The name of a new department, or another name for one."""

    name = StringField(_l("Name"), [one_line(MAX_NAME_LENGTH)], [stripped])


class MergeForm(QueryForm):
    """The departments that are merged, and the one that stays, by their ids.

    `shown` is the digest of the question; `confirm` is how many lose a terminal, as typed.
    """

    department = StringField()
    into = StringField(filters=[row_id])
    shown = HiddenField()
    confirm = StringField(_l("How many employees lose access"), filters=[stripped])

    @property
    def department_ids(self) -> list[int]:
        """The ids of the departments to merge, each once."""
        return row_ids(self.department.raw_data)
