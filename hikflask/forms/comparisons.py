"""What people choose about the differences of a comparison, why they leave some, and the number they type."""

from collections.abc import Collection, Mapping

from flask_babel import lazy_gettext as _l
from wtforms import BooleanField, Field, HiddenField, StringField, ValidationError

from hikflask.forms.base import Form
from hikflask.forms.fields import one_line, row_id, stripped

LONGEST_REASON = 255
ANSWER = "answer-"


class ChoiceForm(Form):
    """Which differences of a kind are meant (these numbers, or all of the kind), and what is done about them."""

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
    """Why differences are left as they are. `comparison` is the one whose differences the page showed."""

    comparison = HiddenField(filters=[row_id])
    reason = StringField(_l("Why"), [one_line(LONGEST_REASON)], [stripped])

    @property
    def focused(self) -> str:
        """Only the reason is typed."""
        return str(self.reason.id)


class TakeBackForm(Form):
    """The difference that is not to be left as it is any more."""

    kind = StringField()
    number = StringField()


def answers(sent: Mapping[str, str], possible: Collection[str]) -> dict[str, str]:
    """Return for each number of which was asked the answer, where it is one of the possible ones."""
    given = {name.removeprefix(ANSWER): value for name, value in sent.items() if name.startswith(ANSWER)}
    return {number: value for number, value in given.items() if value in possible}


class PlanForm(Form):
    """The digest of the plan that the page showed, and how many people it removes, typed where they are many."""

    shown = HiddenField()
    confirm = StringField(_l("How many are removed"))

    @property
    def count(self) -> int | None:
        """The number that was typed, or None."""
        return row_id((self.confirm.data or "").strip())

    def refuse(self, count: int) -> None:
        """Say at the field that it must hold the number of removals."""
        self.confirm.errors = [_l("Type %(n)s here to remove so many people.", n=count)]

    def validate_confirm(self, field: Field) -> None:
        """Accept a number, or nothing where nothing is asked."""
        if (field.data or "").strip() and self.count is None:
            raise ValidationError(_l("“%(field)s” must be given in digits.", field=field.label.text))
