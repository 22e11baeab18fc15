"""The filter of enrolments that a program sends."""

import re
from datetime import UTC, datetime

from flask_babel import lazy_gettext as _l
from wtforms import Field, SelectChoice, SelectField, StringField, ValidationError

from hikflask.forms.base import Form
from hikflask.forms.fields import choice_or_nothing, id_or_nothing, limited, row_id

# In UTC, as all times of the API.
MOMENT = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z?$"
STATES = ("confirmed", "waiting", "refused", "leaving", "removed")


class EnrolmentFilterForm(Form):
    """The filters of enrolments; an empty field is ignored."""

    state = SelectField(
        _l("State"),
        [choice_or_nothing],
        validate_choice=False,
        choices=[SelectChoice(state, state) for state in STATES],
    )
    terminal = StringField(_l("Terminal"), [id_or_nothing])
    since = StringField(_l("Changed since"))

    @limited(pattern=f"{MOMENT}|^$", description="UTC, such as 2026-03-01T09:30:00.")
    def validate_since(self, field: Field) -> None:
        """Accept a moment in UTC, or nothing."""
        if field.data and self.moment is None:
            raise ValidationError(_l("“%(field)s” must be a time such as 2026-03-01T09:30:00.", field=field.label.text))

    @property
    def moment(self) -> datetime | None:
        """The moment of `since`; None where it is empty or no time."""
        text = self.since.data or ""
        try:
            moment = datetime.fromisoformat(text.removesuffix("Z")) if re.fullmatch(MOMENT, text) else None
        except ValueError:
            return None
        return moment and moment.replace(tzinfo=UTC)

    @property
    def terminal_id(self) -> int | None:
        """The id of the terminal; None where the field is empty, 0 for an id that no row can have."""
        return (row_id(self.terminal.data) or 0) if self.terminal.data else None
