"""Which enrolments a program asks for."""

import re
from datetime import UTC, datetime

from flask_babel import lazy_gettext as _l
from wtforms import Field, SelectChoice, SelectField, StringField, ValidationError

from hikflask.forms.base import Form
from hikflask.forms.fields import limited, row_id

# In UTC, as all times of the API.
MOMENT = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z?$"
STATES = ("confirmed", "waiting", "refused", "leaving", "removed")


@limited(enum=[""])
def _known(form: Form, field: Field) -> None:  # noqa: ARG001
    if field.data and field.data not in STATES:
        raise ValidationError(_l("“%(field)s” must be one of the list.", field=field.label.text))


class EnrolmentFilterForm(Form):
    """The filters of enrolments; an empty field filters nothing."""

    state = SelectField(
        _l("State"), [_known], validate_choice=False, choices=[SelectChoice(one, one) for one in STATES]
    )
    terminal = StringField(_l("Terminal"))
    since = StringField(_l("Changed since"))

    @limited(pattern=r"^[0-9]*$")
    def validate_terminal(self, field: Field) -> None:
        """Accept the id of a terminal, known or not, or nothing."""
        if field.data and not (field.data.isascii() and field.data.isdigit()):
            raise ValidationError(_l("“%(field)s” must be one of the list.", field=field.label.text))

    @limited(pattern=f"{MOMENT}|^$", description="UTC, such as 2026-03-01T09:30:00.")
    def validate_since(self, field: Field) -> None:
        """Accept a moment in UTC, or nothing."""
        if field.data and self.moment is None:
            raise ValidationError(_l("“%(field)s” must be a time such as 2026-03-01T09:30:00.", field=field.label.text))

    @property
    def moment(self) -> datetime | None:
        """The time since when something changed; None where that is not asked for, or is no time."""
        text = self.since.data or ""
        try:
            found = datetime.fromisoformat(text.removesuffix("Z")) if re.fullmatch(MOMENT, text) else None
        except ValueError:
            return None
        return found and found.replace(tzinfo=UTC)

    @property
    def terminal_id(self) -> int | None:
        """The id of the terminal; None where none is asked for, 0 for one that cannot be."""
        return (row_id(self.terminal.data) or 0) if self.terminal.data else None
