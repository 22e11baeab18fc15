"""The webhooks that get events of enrolments, and each message to one of them."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String, false, true
from sqlalchemy.orm import Mapped, mapped_column

from hikflask.extensions import Base
from hikflask.models.columns import NO_ID_TWICE, UTCDateTime, database_now, only

ENROLLED, REFUSED, REMOVED, ALARM, PASSAGE, TEST = "enrolled", "refused", "removed", "alarm", "passage", "test"
# A webhook is sent those of these that it has chosen: the column of each is on_….
CHOSEN = (ENROLLED, REFUSED, REMOVED, ALARM, PASSAGE)


class Webhook(Base):
    """An address that events are sent to, and the secret that signs its messages."""

    __table_args__ = (NO_ID_TWICE,)

    id: Mapped[int] = mapped_column(primary_key=True)
    url: Mapped[str] = mapped_column(String(500))
    secret_encrypted: Mapped[str] = mapped_column(String(512))
    on_enrolled: Mapped[bool] = mapped_column(default=True)
    on_refused: Mapped[bool] = mapped_column(default=True)
    on_removed: Mapped[bool] = mapped_column(default=True)
    on_alarm: Mapped[bool] = mapped_column(default=False, server_default=false())
    on_passage: Mapped[bool] = mapped_column(default=False, server_default=false())
    is_active: Mapped[bool] = mapped_column(default=True, server_default=true())
    created_at: Mapped[datetime] = mapped_column(UTCDateTime, default=database_now())

    @property
    def events(self) -> tuple[str, ...]:
        """The names of the events that are sent to it."""
        return tuple(event for event in CHOSEN if getattr(self, f"on_{event}"))


class WebhookDelivery(Base):
    """One message: what happened to a number on a terminal, and how its sending went.

    It is sent again until it is taken (`delivered_at`) or given up (then `next_attempt_at` is empty, too). `status` is
    the last HTTP status, `problem` a code where there was none.

    Of a passage `event_id`, `occurred_at` and `attendance` are the event's, and `code` is its kind.
    """

    __table_args__ = (
        Index("ix_webhook_delivery_due", "webhook_id", "next_attempt_at", **only("next_attempt_at IS NOT NULL")),
        Index("ix_webhook_delivery_webhook_id", "webhook_id", "id"),
        NO_ID_TWICE,
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    webhook_id: Mapped[int] = mapped_column(ForeignKey("webhook.id", ondelete="CASCADE"))
    event: Mapped[str] = mapped_column(String(16))
    number: Mapped[str] = mapped_column(String(32), default="", index=True)
    terminal_id: Mapped[int | None]
    terminal_name: Mapped[str] = mapped_column(String(64), default="")
    code: Mapped[str] = mapped_column(String(64), default="")
    happened_at: Mapped[datetime] = mapped_column(UTCDateTime, default=database_now(), index=True)
    event_id: Mapped[int | None]
    occurred_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    attendance: Mapped[str] = mapped_column(String(16), default="", server_default="")
    attempts: Mapped[int] = mapped_column(default=0)
    next_attempt_at: Mapped[datetime | None] = mapped_column(UTCDateTime, default=database_now())
    tried_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    delivered_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    status: Mapped[int | None]
    problem: Mapped[str] = mapped_column(String(32), default="")

    @property
    def message_id(self) -> str:
        """The id of the message for receivers. Ids of rows may repeat after a restore, but never with this time."""
        return f"{self.id}-{self.happened_at:%Y%m%dT%H%M%S%f}"
