"""The input of a call that starts a capture."""

from flask_babel import lazy_gettext as _l
from wtforms import BooleanField, StringField
from wtforms.validators import Optional

from hikflask.forms.base import Form
from hikflask.forms.employees import number
from hikflask.forms.fields import stripped


class CaptureForm(Form):
    """A capture for a number, which no employee needs to have yet."""

    hikvision_id = StringField(_l("Employee ID"), [Optional(), number], [stripped])
    take_over = BooleanField(_l("Take over"))
