"""A job: one action for many people, done by the worker one item after another."""

from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import JSON, CheckConstraint, ForeignKey, Index, String
from sqlalchemy.ext.hybrid import hybrid_property
from sqlalchemy.orm import Mapped, mapped_column

from hikflask.extensions import Base
from hikflask.models.columns import NO_ID_TWICE, UTCDateTime, database_now
from hikflask.models.refusal import Refusal, WithRefusal

DRAFT = "draft"
WAITING = "waiting"
# Of an item: it is desired, and its terminal has not confirmed it yet.
SENT = "sent"
RUNNING = "running"
DONE = "done"
FAILED = "failed"
STOPPED = "stopped"
OPEN = (WAITING, RUNNING)


class Job(Base):
    """One action for many people. `kind` names what is done, `params` says how. `terminal_id` is where, if it
    is at one terminal.

    A draft is the preview: its items are fixed, and nothing is done yet. `requested_by` is the operator who started the
    job, at `started_at`. `total` counts the items, `done` those that were tried, `failed` those of them that failed.

    `request_id` is that of the request that started it, or empty.

    One worker at a time runs a job: the one whose claim has the current `claim_number`. It repeats this number with
    every item, and so holds the job until `claimed_until`. A job whose claim is over is claimed again. `attempts`
    counts the claims since the last item: a job without progress is given up. `pause` is why no worker runs it until
    then (None: a worker does): `refusal` when its terminal did not let it talk, `tries` how often in a row, and `after`
    the sent item up to which the items were checked for confirmation.
    """

    __table_args__ = (
        CheckConstraint("state IN ('draft', 'waiting', 'running', 'done', 'failed', 'stopped')", name="state"),
        Index("ix_job_state_claimed_until", "state", "claimed_until"),
        NO_ID_TWICE,
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(String(32))
    params: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    terminal_id: Mapped[int | None] = mapped_column(ForeignKey("terminal.id", ondelete="SET NULL"), index=True)
    state: Mapped[str] = mapped_column(String(8), default=DRAFT)
    requested_by: Mapped[str] = mapped_column(String(128), default="")
    request_id: Mapped[str] = mapped_column(String(32), default="", server_default="")
    total: Mapped[int] = mapped_column(default=0)
    done: Mapped[int] = mapped_column(default=0)
    failed: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[datetime] = mapped_column(UTCDateTime, default=database_now())
    started_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    ended_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    claim_number: Mapped[int] = mapped_column(default=0)
    claimed_until: Mapped[datetime | None] = mapped_column(UTCDateTime)
    attempts: Mapped[int] = mapped_column(default=0)
    pause: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))

    @property
    def is_open(self) -> bool:
        """True while it waits or runs."""
        return self.state in OPEN

    @property
    def refusal(self) -> Refusal | None:
        """Why it failed as a whole; None when it did not."""
        return self.params.get("refusal")

    @hybrid_property
    def failed_for_all(self) -> bool:
        """True when every item was tried, and each of them failed."""
        return (self.state == DONE) & (self.failed > 0) & (self.failed == self.done)


class NewItem(NamedTuple):
    """An item of a job that is made: see JobItem."""

    number: str
    employee_id: int | None
    action: str = ""
    confirmed: dict[str, Any] | None = None


class JobItem(WithRefusal, Base):
    """One person of a job: waiting, sent, done, or failed with a refusal.

    A sent item waits until its enrolment is confirmed or given up; `desired` is the state of that enrolment which the
    item set. `action` is what is done for it where a job does several things, and `confirmed` what was shown of it
    before and confirmed: of a plan's step (Confirmed in services/comparisons/take_over.py), and which terminals
    somebody loses by groups.

    `number` is the one that the person had when the job was made; it is blank once the person was erased.

    `written`: of somebody who was taken over from a terminal, the employee before (None: there was none) and after it,
    until it is undone.
    """

    __table_args__ = (
        CheckConstraint("state IN ('waiting', 'sent', 'done', 'failed')", name="state"),
        Index("ix_job_item_job_id_state_id", "job_id", "state", "id"),
        NO_ID_TWICE,
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    job_id: Mapped[int] = mapped_column(ForeignKey("job.id", ondelete="CASCADE"))
    # No foreign key, which would lock employees whenever items are added: ids are never used again.
    employee_id: Mapped[int | None] = mapped_column(index=True)
    number: Mapped[str] = mapped_column(String(32), index=True)
    state: Mapped[str] = mapped_column(String(8), default=WAITING)
    action: Mapped[str] = mapped_column(String(16), default="", server_default="")
    confirmed: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    desired: Mapped[str] = mapped_column(String(8), default="", server_default="")
    written: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    enrolment_id: Mapped[int | None] = mapped_column(ForeignKey("enrolment.id", ondelete="SET NULL"), index=True)
