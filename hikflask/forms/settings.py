"""A setting, as an administrator changes it; config.SETTINGS says which values are allowed."""

from flask_babel import lazy_gettext as _l
from wtforms import StringField

from hikflask.forms.base import Form
from hikflask.forms.fields import one_line, stripped

MAX_VALUE_LENGTH = 200
# The choice beside words: a number is typed.
NUMBER = "number"


class SettingForm(Form):
    """The value of one setting, as a text or as one of its words."""

    choice = StringField(_l("Choice"), [one_line(MAX_VALUE_LENGTH, required=False)], [stripped])
    value = StringField(_l("Value"), [one_line(MAX_VALUE_LENGTH, required=False)], [stripped])

    @property
    def text(self) -> str:
        """The value as it would stand in the environment."""
        chosen = self.choice.data or NUMBER
        return str((self.value.data or "") if chosen == NUMBER else chosen)
