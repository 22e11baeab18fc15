"""The terminal form. A password is read and never shown again."""

import re
from typing import Any, ClassVar

from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from wtforms import (
    BooleanField,
    Field,
    HiddenField,
    PasswordField,
    SelectChoice,
    SelectField,
    StringField,
    ValidationError,
)

from hikflask.forms.base import Form
from hikflask.forms.fields import choice, is_http_address, limited, one_line, stripped, too_long
from hikflask.forms.versions import VersionedForm

FINGERPRINT = re.compile(r"[0-9a-f]{64}\Z")
SEPARATORS = re.compile(r"[\s:]")
ADDRESS = re.compile(r"https?://[a-z0-9_.\-\[\]:]+\Z")
# An IP address, or a name with a port: any other word may be a mistake.
WITHOUT_SCHEME = re.compile(r"((\d{1,3}\.){3}\d{1,3}|\[[0-9a-f:]+\])(:\d+)?\Z|[a-z0-9_.\-]+:\d+\Z")
MAX_URL_LENGTH = 255
MAX_PASSWORD_LENGTH = 128
# More does not fit into the column when encrypted. A letter has up to four bytes.
MAX_PASSWORD_BYTES = 319
MAX_NOTE_LENGTH = 200
MAX_REASON_LENGTH = 200
# Where somebody goes who passes at the terminal.
DIRECTIONS = {"": _l("not set"), "in": _l("entrance"), "out": _l("exit")}


def normal_url(value: Any) -> Any:
    """Return an address in lower case, without the space around it and the slash at its end, and with its scheme."""
    if not isinstance(value, str):
        return value
    text = value.strip().rstrip("/").lower()
    if not WITHOUT_SCHEME.match(text):
        return text
    return f"https://{text}" if text.endswith(":443") else f"http://{text}"


def normal_fingerprint(value: Any) -> Any:
    """Return a fingerprint as lower-case hex digits without colons and spaces."""
    return SEPARATORS.sub("", value).lower() if isinstance(value, str) else value


@limited(required=True, maxLength=MAX_URL_LENGTH, description="http or https, a host, and a port where it needs one.")
def address(form: FlaskForm, field: Field) -> None:  # noqa: ARG001
    """Check for http or https, a host, an optional port, and nothing else."""
    text = field.data if isinstance(field.data, str) else ""
    if len(text) > MAX_URL_LENGTH or not is_http_address(text, ADDRESS):
        message = _l("“%(field)s” must look like http://192.168.1.64 or https://192.168.1.64.", field=field.label.text)
        raise ValidationError(message)


@limited(pattern=r"^([0-9a-fA-F]{2}:?){32}$|^$")
def sha256_hex(form: FlaskForm, field: Field) -> None:  # noqa: ARG001
    """Check for a SHA-256 in hex, or nothing."""
    if field.data and not (isinstance(field.data, str) and FINGERPRINT.match(field.data)):
        raise ValidationError(_l("“%(field)s” must be 64 hex digits (SHA-256).", field=field.label.text))


class RetireForm(Form):
    """What happened to a terminal that is taken out of service for good; `shown` is the digest of the question."""

    shown = HiddenField()
    note = StringField(
        _l("What happened to it"),
        [one_line(MAX_NOTE_LENGTH)],
        [stripped],
        description=_l("for example, reset to factory settings, destroyed"),
    )


class DoorForm(Form):
    """Why a door is opened."""

    reason = StringField(
        _l("Reason"),
        [one_line(MAX_REASON_LENGTH)],
        [stripped],
        description=_l("for example, a visitor of the accounts department"),
    )


class DoorPageForm(DoorForm):
    """The form of the page; `press` tells it from others, so that a second click opens nothing more."""

    press = HiddenField()


class TerminalForm(Form):
    """A terminal's name, address, login and direction; unless `adding`, an empty password keeps the stored one."""

    name = StringField(
        _l("Name"), [one_line(64, marks=False)], [stripped], description=_l("for example, Main entrance")
    )
    url = StringField(_l("Address"), [address], [normal_url], description="http://192.168.1.64")
    username = StringField(_l("Account"), [one_line(64)], [stripped], description="admin")
    password = PasswordField(_l("Password"))
    fingerprint = StringField(
        _l("Certificate fingerprint"), [sha256_hex], [normal_fingerprint], description=_l("SHA-256, for https only")
    )
    is_active = BooleanField(_l("In use"))
    face_by_picture = BooleanField(
        _l("Accepts photo files"), description=_l("Only when it is known to; most terminals show it when checked.")
    )

    direction = SelectField(
        _l("Direction"),
        [choice],
        choices=[SelectChoice(value, label) for value, label in DIRECTIONS.items()],
        validate_choice=False,
        default="",
        description=_l("“Who is inside” is counted from terminals at entrances and exits."),
    )

    def __init__(self, *args: Any, adding: bool = True, **kwargs: Any) -> None:
        self.adding = adding
        super().__init__(*args, **kwargs)

    @limited(required=True, minLength=1, maxLength=MAX_PASSWORD_LENGTH)
    def validate_password(self, field: Field) -> None:
        """Require a password for a new terminal, and limit its length."""
        one_line(MAX_PASSWORD_LENGTH, required=self.adding)(self, field)
        if len((field.data or "").encode()) > MAX_PASSWORD_BYTES:
            raise too_long(field, MAX_PASSWORD_BYTES // 4)

    @property
    def needs_fingerprint(self) -> bool:
        """True for a valid https address whose certificate nobody has accepted yet."""
        text = str(self.url.data)
        return text.startswith("https:") and is_http_address(text, ADDRESS) and not self.fingerprint.data

    def values(self) -> dict[str, Any]:
        """Return the fields as the services take them; an empty password or fingerprint is None."""
        return {
            "name": self.name.data,
            "url": self.url.data,
            "username": self.username.data,
            "password": self.password.data or None,
            "fingerprint": self.fingerprint.data or None,
            "is_active": self.is_active.data,
            "face_by_picture": self.face_by_picture.data,
            "direction": self.direction.data,
        }


class TerminalPageForm(VersionedForm, TerminalForm):
    """The form of the page. A password was typed for the address, account and certificate that stood beside it.

    `to_correct`: the name of the field for which a link leads here.
    """

    to_correct = ""
    stored: ClassVar = (
        "name",
        "url",
        "username",
        "password",
        "fingerprint",
        "is_active",
        "face_by_picture",
        "direction",
    )
    together: ClassVar = frozenset(("url", "username", "password", "fingerprint"))

    @property
    def focused(self) -> str:
        """The id of the field that has the focus: the one to correct, else as in every form."""
        return str(self[self.to_correct].id) if self.to_correct in self and not self.errors else super().focused
