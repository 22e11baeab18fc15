"""Tables as text: one row a line, with aligned columns, for people and for `grep`."""

from collections.abc import Sequence
from datetime import datetime

GAP = "  "


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return the rows below their head, with aligned columns."""
    lines = [head, *rows]
    widths = [max(len(line[column]) for line in lines) for column in range(len(head))]
    return "\n".join(
        GAP.join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in lines
    )


def moment(at: datetime | None) -> str:
    """Return a moment in UTC, or "never"."""
    return at.strftime("%Y-%m-%d %H:%M UTC") if at else "never"
