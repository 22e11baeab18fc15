"""The decisions about the differences of a comparison, the reason why some are ignored, and the undo."""

from collections.abc import Collection, Mapping

from flask_babel import lazy_gettext as _l
from wtforms import BooleanField, HiddenField, StringField

from hikflask.forms.base import Form
from hikflask.forms.fields import one_line, row_id, stripped

MAX_REASON_LENGTH = 255
ANSWER = "answer-"


class ChoiceForm(Form):
    """The selected differences of a kind (these numbers, or all of the kind), and the action for them."""

    kind = StringField()
    action = StringField()
    all = BooleanField()
    number = StringField()

    @property
    def numbers(self) -> list[str]:
        """The numbers that are ticked, each once."""
        return list(dict.fromkeys(value for value in self.number.raw_data or () if isinstance(value, str) and value))

    @property
    def meant(self) -> list[str] | None:
        """The numbers that are meant; None: all of the kind."""
        return None if self.all.data else self.numbers


class LeaveForm(ChoiceForm):
    """The reason why differences are ignored. `comparison` is the id of the one that the page showed."""

    comparison = HiddenField(filters=[row_id])
    reason = StringField(_l("Why"), [one_line(MAX_REASON_LENGTH)], [stripped])

    @property
    def focused(self) -> str:
        """Only the reason is typed."""
        return str(self.reason.id)


class TakeBackForm(Form):
    """The difference that is no longer ignored."""

    kind = StringField()
    number = StringField()


def answers(sent: Mapping[str, str], possible: Collection[str]) -> dict[str, str]:
    """Return the answers to the questions about single numbers, by number, without those that are not possible."""
    return {
        name.removeprefix(ANSWER): value
        for name, value in sent.items()
        if name.startswith(ANSWER) and value in possible
    }


class UndoForm(Form):
    """How many people were taken over and not taken back when the question was shown."""

    people = HiddenField()
