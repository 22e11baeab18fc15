"""The programs that are told of enrolments, and each message to one of them."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String, text, true
from sqlalchemy.orm import Mapped, mapped_column, relationship

from hikflask.extensions import Base
from hikflask.models.columns import NO_ID_TWICE, UTCDateTime, database_now

ENROLLED, REFUSED, REMOVED, TEST = "enrolled", "refused", "removed", "test"


class Webhook(Base):
    """An address that is told of events, and the secret that its messages are signed with."""

    __table_args__ = (NO_ID_TWICE,)

    id: Mapped[int] = mapped_column(primary_key=True)
    url: Mapped[str] = mapped_column(String(500))
    secret_encrypted: Mapped[str] = mapped_column(String(512))
    on_enrolled: Mapped[bool] = mapped_column(default=True)
    on_refused: Mapped[bool] = mapped_column(default=True)
    on_removed: Mapped[bool] = mapped_column(default=True)
    is_active: Mapped[bool] = mapped_column(default=True, server_default=true())
    created_at: Mapped[datetime] = mapped_column(UTCDateTime, default=database_now())

    @property
    def events(self) -> tuple[str, ...]:
        """The events that it is told of."""
        wanted = {ENROLLED: self.on_enrolled, REFUSED: self.on_refused, REMOVED: self.on_removed}
        return tuple(event for event, told in wanted.items() if told)

    def __repr__(self) -> str:
        return f"<Webhook {self.id}>"


class WebhookDelivery(Base):
    """One message: what happened to a number on a terminal, and how its sending went.

    It is sent again until it is taken (`delivered_at`) or given up (then `next_attempt_at` is empty, too). `status` is
    the last HTTP status, `problem` a code where there was none.
    """

    __table_args__ = (
        Index(
            "ix_webhook_delivery_due",
            "webhook_id",
            "next_attempt_at",
            sqlite_where=text("next_attempt_at IS NOT NULL"),
            postgresql_where=text("next_attempt_at IS NOT NULL"),
        ),
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
    attempts: Mapped[int] = mapped_column(default=0)
    next_attempt_at: Mapped[datetime | None] = mapped_column(UTCDateTime, default=database_now())
    tried_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    delivered_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    status: Mapped[int | None]
    problem: Mapped[str] = mapped_column(String(32), default="")

    webhook: Mapped[Webhook] = relationship()

    @property
    def message_id(self) -> str:
        """What a receiver knows the message by. After a restore ids of rows are given out again; never at this time."""
        return f"{self.id}-{self.happened_at:%Y%m%dT%H%M%S%f}"
