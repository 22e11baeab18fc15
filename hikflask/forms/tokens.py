"""API tokens, as an administrator adds them."""

from datetime import date, timedelta
from typing import Any

from flask_babel import lazy_gettext as _l
from wtforms import Field, StringField, ValidationError

from hikflask.forms.base import Form
from hikflask.forms.fields import DayField, one_line, stripped
from hikflask.forms.operators import role_field
from hikflask.text_rules import MAX_ACCOUNT_LENGTH

DEFAULT_DAYS = 365
MAX_DAYS = 3660


class TokenForm(Form):
    """A new token for a program; `expires_on` is its last day, `today` the earliest one that is accepted."""

    name = StringField(
        _l("Name"), [one_line(MAX_ACCOUNT_LENGTH, marks=False)], [stripped], description=_l("for example, HR system")
    )
    role = role_field(_l("Role"))
    expires_on = DayField(_l("Valid until"))

    def __init__(self, *args: Any, today: date, **options: Any) -> None:
        self._today = today
        super().__init__(*args, **{"expires_on": today + timedelta(days=DEFAULT_DAYS), **options})

    def validate_expires_on(self, field: Field) -> None:
        """Accept a day from today to ten years ahead."""
        if field.data is None or not self._today <= field.data <= self._today + timedelta(days=MAX_DAYS):
            raise ValidationError(_l("“%(field)s” must be a day within the next ten years.", field=field.label.text))
