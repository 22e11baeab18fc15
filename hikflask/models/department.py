"""A department that employees belong to. An employee's row holds its name."""

from sqlalchemy import String, event
from sqlalchemy.orm import Mapped, Mapper, mapped_column

from hikflask.extensions import Base
from hikflask.models.columns import NO_ID_TWICE
from hikflask.text_rules import folded


def spelling_key(name: str) -> str:
    """Return what all spellings of a name have in common: neither case counts, nor ё or е, nor how many spaces."""
    return folded(" ".join(name.split()))


class Department(Base):
    """A department by its name. `folded` is its spelling key: other spellings find it by that, and it sorts lists."""

    __table_args__ = (NO_ID_TWICE,)

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(128), unique=True)
    folded: Mapped[str] = mapped_column(String(512), default="", index=True)


def _fold(mapper: "Mapper[Department]", connection: object, department: Department) -> None:  # noqa: ARG001
    department.folded = spelling_key(department.name)


event.listen(Department, "before_insert", _fold)
event.listen(Department, "before_update", _fold)
