"""What an administrator adds and changes: operators, tokens, webhooks, settings; and the filters of the audit trail."""

import re
from datetime import date
from typing import Any, ClassVar

from flask_babel import lazy_gettext as _l
from wtforms import BooleanField, Field, SelectField, StringField, ValidationError
from wtforms.fields.choices import SelectChoice

from hikflask.forms.base import Form, QueryForm
from hikflask.forms.fields import DayField, choice, day, is_http_address, not_in_list, one_line, operator_name, stripped
from hikflask.forms.versions import VersionedForm
from hikflask.labels.operators import ROLES
from hikflask.text_rules import MAX_ACCOUNT_LENGTH

DEFAULT_ROLE = "operator"


def role_field(label: Any) -> SelectField:
    """Return a field for one of the roles, by name."""
    choices = [SelectChoice(role, text) for role, text in ROLES.items()]
    return SelectField(label, [choice], choices=choices, default=DEFAULT_ROLE, validate_choice=False)


class OperatorForm(Form):
    """A new operator."""

    name = StringField(_l("Operator's name"), [operator_name], [stripped])
    role = role_field(_l("Role"))


class OperatorChangeForm(VersionedForm):
    """What can be changed of an operator."""

    stored: ClassVar = ("role", "is_active")
    role = role_field(_l("Role"))
    is_active = BooleanField(_l("May sign in"))


class TokenForm(Form):
    """A new token for a program; `expires_on` is its last day."""

    name = StringField(
        _l("Name"), [one_line(MAX_ACCOUNT_LENGTH, marks=False)], [stripped], description=_l("for example, HR system")
    )
    role = role_field(_l("Role"))
    expires_on = DayField(_l("Valid until"))

    def validate_expires_on(self, field: Field) -> None:
        """Accept a day that ends; how far ahead it may be says api_tokens.create()."""
        if field.data in {None, date.max}:
            raise ValidationError(_l("“Valid until” must be a day within the next ten years."))


MAX_WEBHOOK_LENGTH = 500
# Visible ASCII, without a name and password before the host, and without a fragment.
WEBHOOK_ADDRESS = re.compile(r"https?://[A-Za-z0-9_.\-\[\]:]+(/[!-\"$-~]*)?\Z")


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
        if len(text) > MAX_WEBHOOK_LENGTH or not is_http_address(text, WEBHOOK_ADDRESS):
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


MAX_VALUE_LENGTH = 200
# The choice beside words: a number is typed.
NUMBER = "number"


class SettingForm(Form):
    """The value of one setting, as a text or as one of its words; config.SETTINGS says which values are allowed."""

    choice = StringField(_l("Choice"), [one_line(MAX_VALUE_LENGTH, required=False)], [stripped])
    value = StringField(_l("Value"), [one_line(MAX_VALUE_LENGTH, required=False)], [stripped])

    @property
    def text(self) -> str:
        """The value as it would stand in the environment."""
        chosen = self.choice.data or NUMBER
        return str((self.value.data or "") if chosen == NUMBER else chosen)


class AuditForm(QueryForm):
    """The filters of the audit trail; an empty field is ignored. `since` and `until` are days, both inclusive."""

    actor = StringField(_l("Who"), [one_line(128, required=False)], [stripped])
    action = SelectField(_l("What"), validate_choice=False)
    employee = StringField(_l("Employee ID"), [one_line(32, required=False)], [stripped])
    terminal = StringField(_l("Terminal"), [one_line(64, required=False)], [stripped])
    request = StringField(_l("Request"), [one_line(32, required=False)], [stripped])
    since = DayField(_l("From"), [day])
    until = DayField(_l("To"), [day])
    looks = BooleanField(_l("Include photo views"))

    def __init__(self, formdata: Any, actions: list[tuple[str, str]]) -> None:
        super().__init__(formdata)
        self.action.choices = actions

    def validate_action(self, field: Field) -> None:
        """Accept one of the list, or nothing."""
        if field.data and field.data not in dict(field.choices):
            raise not_in_list(field)

    def validate_until(self, field: Field) -> None:
        """Accept a day that is not before `since`, or nothing."""
        if field.data and self.since.data and field.data < self.since.data:
            raise ValidationError(
                _l("“%(field)s” must not be before “%(first)s”.", field=field.label.text, first=_l("From"))
            )

    def texts(self) -> dict[str, str]:
        """Return what was typed, right or wrong, by field: for links and hidden fields."""
        return {field.name: field.raw_data[0] for field in self if field.raw_data and field.raw_data[0]}
