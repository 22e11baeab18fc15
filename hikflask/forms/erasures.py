"""The employee number of an erasure."""

from flask_babel import lazy_gettext as _l
from wtforms import StringField

from hikflask.forms.base import Form
from hikflask.forms.employees import number
from hikflask.forms.fields import stripped


class NumberForm(Form):
    """The number of an employee who may be deleted already."""

    number = StringField(_l("Employee ID"), [number], [stripped])

    def say_unknown(self) -> None:
        """Say beside the field that nothing is stored about this number."""
        self.number.errors = [_l("Nothing is stored here about this ID.")]
