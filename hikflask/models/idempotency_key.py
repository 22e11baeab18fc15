"""The first answers to calls of the API with an Idempotency-Key."""

from datetime import datetime

from sqlalchemy import ForeignKey, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from hikflask.extensions import Base
from hikflask.models.columns import NO_ID_TWICE, UTCDateTime, database_now

# How long an answer is kept.
KEPT_SECONDS = 86400.0
# In place of an answer that is not kept any more.
GONE = ""


class IdempotencyKey(Base):
    """A key that a program sent with a call, the digest of that call, and its first answer.

    `fingerprint` is a keyed hash of the request. `answer` is the answer, encrypted; None while the call runs, and empty
    when it is not kept any more. `claim_number` rises when the call is begun anew after a crash, so that only the last
    one writes.
    """

    __table_args__ = (UniqueConstraint("token_id", "key_sha256"), NO_ID_TWICE)

    id: Mapped[int] = mapped_column(primary_key=True)
    token_id: Mapped[int] = mapped_column(ForeignKey("api_token.id", ondelete="CASCADE"))
    key_sha256: Mapped[str] = mapped_column(String(64))
    fingerprint: Mapped[str] = mapped_column(String(64))
    claim_number: Mapped[int] = mapped_column(default=1)
    claimed_until: Mapped[datetime] = mapped_column(UTCDateTime)
    answer: Mapped[str | None] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(UTCDateTime, default=database_now(), index=True)
