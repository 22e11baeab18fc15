"""Refusals as rows store them: the code of a sentence, and the values in it."""

from typing import Any, TypedDict

from sqlalchemy import JSON, ColumnElement, func
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.hybrid import hybrid_property
from sqlalchemy.orm import Mapped, mapped_column

# A value of a refusal: the terminal shows an earlier face still, which the desired one did not replace.
OLD_FACE = "old_face"


class Refusal(TypedDict):
    """A refusal: `code` finds the row in codes/refusals.py, `params` are the values in it (texts and numbers)."""

    code: str
    params: dict[str, Any]


def without_values(refusal: Refusal) -> Refusal:
    """Return a refusal without its values, which may name somebody; an unknown code stays as the terminal spells it."""
    word = {name: value for name, value in refusal["params"].items() if name == "word"}
    return Refusal(code=refusal["code"], params=word)


def code_of(refusal: Any) -> ColumnElement[str]:
    """Return the code of a column `refusal` as an expression: an empty text where nothing was refused."""
    return func.coalesce(refusal["code"].as_string(), "")


class WithRefusal:
    """The column `refusal` of a table, None where nothing was refused, and `refusal_code` to compare with."""

    refusal: Mapped[Refusal | None] = mapped_column(
        JSON(none_as_null=True).with_variant(JSONB(none_as_null=True), "postgresql")
    )

    @hybrid_property
    def refusal_code(self) -> str:
        """The code of the refusal, or an empty text."""
        return self.refusal["code"] if self.refusal else ""

    @refusal_code.inplace.expression
    @classmethod
    def _refusal_code(cls) -> ColumnElement[str]:
        return code_of(cls.refusal)
