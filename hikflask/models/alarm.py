"""Alarms: what cannot wait until somebody looks, and whether it was mailed."""

from datetime import datetime

from sqlalchemy import ForeignKey, String
from sqlalchemy.ext.hybrid import hybrid_property
from sqlalchemy.orm import Mapped, mapped_column, relationship

from hikflask.extensions import Base
from hikflask.models.columns import UTCDateTime, database_now
from hikflask.models.terminal import Terminal

REMOVALS = "removals"
SILENT = "silent"
REFUSED = "password"
BACKUP = "backup"
DISK = "disk"
JOURNAL = "journal"
# The code of duress. Passages under duress stand under it, too, whatever their own code is.
DURESS = (1, 1034)
MAX_KEY_LENGTH = 32


class Alarm(Base):
    """An alarm from its beginning until the mail about its end is sent; then its row is deleted.

    `key` names it: its `kind` and its terminal or machine, so that there is one of each. It began at `began_at`, was
    mailed at `told_at`, and was over at `over_at`. `tries` counts the mails in a row that no server took, and the next
    one is tried at `next_try_at`.
    """

    key: Mapped[str] = mapped_column(String(MAX_KEY_LENGTH), primary_key=True)
    kind: Mapped[str] = mapped_column(String(16))
    terminal_id: Mapped[int | None] = mapped_column(ForeignKey("terminal.id", ondelete="CASCADE"), index=True)
    began_at: Mapped[datetime] = mapped_column(UTCDateTime)
    told_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    over_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    tries: Mapped[int] = mapped_column(default=0, server_default="0")
    next_try_at: Mapped[datetime] = mapped_column(UTCDateTime, default=database_now())

    terminal: Mapped[Terminal | None] = relationship()

    @property
    def announces_end(self) -> bool:
        """True when the mail that is due says that the alarm is over."""
        return self.told_at is not None


class JournalAlarm(Base):
    """Alarms of one kind that a terminal recorded in its own journal, and that nobody has marked as seen yet.

    `major` and `minor` are the terminal's code. There were `count` of them, the first at `first_at`, the last at
    `last_at`. The row is deleted once somebody has seen them; who did is in the audit trail.
    """

    terminal_id: Mapped[int] = mapped_column(ForeignKey("terminal.id", ondelete="CASCADE"), primary_key=True)
    major: Mapped[int] = mapped_column(primary_key=True)
    minor: Mapped[int] = mapped_column(primary_key=True)
    count: Mapped[int]
    first_at: Mapped[datetime] = mapped_column(UTCDateTime)
    last_at: Mapped[datetime] = mapped_column(UTCDateTime)

    terminal: Mapped[Terminal] = relationship()

    @property
    def code(self) -> str:
        """The terminal's code as programs are told it."""
        return f"{self.major}/{self.minor}"

    @hybrid_property
    def is_duress(self) -> bool:
        """True when somebody was forced to open a door."""
        return (self.major == DURESS[0]) & (self.minor == DURESS[1])

    @property
    def since(self) -> datetime:
        """The moment by which it is another alarm than one that was mailed: each under duress is mailed."""
        return self.last_at if self.is_duress else self.first_at
