"""A webhook, as an administrator adds it."""

import re

from flask_babel import lazy_gettext as _l
from wtforms import BooleanField, Field, StringField, ValidationError

from hikflask.forms.base import Form
from hikflask.forms.fields import is_http_address, stripped

MAX_URL_LENGTH = 500
# Visible ASCII, without a name and password before the host, and without a fragment.
ADDRESS = re.compile(r"https?://[A-Za-z0-9_.\-\[\]:]+(/[!-\"$-~]*)?\Z")


class WebhookForm(Form):
    """The address of a webhook and its events."""

    url = StringField(_l("Address"), filters=[stripped], description="https://hr.example/hikflask")
    enrolled = BooleanField(_l("Enrolled: the terminal confirmed person and face"), default=True)
    refused = BooleanField(_l("Refused: needs attention"), default=True)
    removed = BooleanField(_l("Removed: the terminal confirmed that the person is gone"), default=True)
    passage = BooleanField(_l("Passage: somebody passed, or was not let in"))
    alarm = BooleanField(
        _l("Alarm: a terminal was opened, somebody was forced to open a door, a list of people was copied")
    )

    def validate_url(self, field: Field) -> None:
        """Accept http or https, a host, an optional port, a path and a query."""
        text = field.data if isinstance(field.data, str) else ""
        if len(text) > MAX_URL_LENGTH or not is_http_address(text, ADDRESS):
            raise ValidationError(_l("“%(field)s” must look like https://hr.example/path.", field=field.label.text))

    def validate_removed(self, field: Field) -> None:  # noqa: ARG002
        """Ask for at least one event."""
        if not self.events:
            raise ValidationError(_l("Choose at least one event."))

    @property
    def events(self) -> frozenset[str]:
        """The chosen events."""
        fields = (self.enrolled, self.refused, self.removed, self.passage, self.alarm)
        return frozenset(field.name for field in fields if field.data)
