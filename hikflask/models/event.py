"""What terminals recorded: passages, refusals, alarms; how far each log was read, and for which times it is whole."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, BigInteger, CheckConstraint, ForeignKey, Index, String, UniqueConstraint, false
from sqlalchemy.orm import Mapped, mapped_column

from hikflask.extensions import Base
from hikflask.models.columns import NO_ID_TWICE, UTCDateTime, database_now, only

# What an event is, whatever the terminal's code for it.
PASSED, UNKNOWN_PERSON, NO_PERMISSION, OUTSIDE_HOURS = "passed", "unknown_person", "no_permission", "outside_hours"
EXPIRED, LIVENESS, REFUSED, DOOR, EXIT_BUTTON = "expired", "liveness", "refused", "door", "exit_button"
ALARM, TROUBLE, OPERATION, OTHER = "alarm", "trouble", "operation", "other"
KINDS = (
    PASSED,
    UNKNOWN_PERSON,
    NO_PERMISSION,
    OUTSIDE_HOURS,
    EXPIRED,
    LIVENESS,
    REFUSED,
    DOOR,
    EXIT_BUTTON,
    ALARM,
    TROUBLE,
    OPERATION,
    OTHER,
)
# The button that somebody pressed at a terminal to say what the passage is, and the ways that it stands for.
CHECK_IN, CHECK_OUT, BREAK_OUT, BREAK_IN = "check_in", "check_out", "break_out", "break_in"
OVERTIME_IN, OVERTIME_OUT = "overtime_in", "overtime_out"
PRESSED_IN, PRESSED_OUT = (CHECK_IN, BREAK_IN, OVERTIME_IN), (CHECK_OUT, BREAK_OUT, OVERTIME_OUT)
# Why a span of a terminal's log is not whole.
OVERWRITTEN, OFF, OTHER_DEVICE, NEW_LOG, CLOCK, NOT_READ, NOT_TOLD, TOO_MANY = (
    "overwritten",
    "off",
    "other_device",
    "new_log",
    "clock",
    "not_read",
    "not_told",
    "too_many",
)
GAPS = (OVERWRITTEN, OFF, OTHER_DEVICE, NEW_LOG, CLOCK, NOT_READ, NOT_TOLD, TOO_MANY)


class Event(Base):
    """One record of a terminal's log: what is read of it, and what it means.

    `record` has those fields of the record that are read, as the terminal names them; all other columns but `id`,
    `terminal_id`, `employee_id`, `picture` and `received_at` are made of it, and can be made again
    (services/passages/interpretation.py). Its key is the serial number of the terminal, its own serial number there,
    and its time: numbers begin anew after a reset, and two records share a second.

    `device_time` is the time as the terminal wrote it, `device_at` the same as a moment, by the offset that it wrote,
    and `occurred_at` that moment corrected by how wrong the terminal's clock was. Rows are committed in the order of
    their ids, so a reader who has one has all before it. `number` is the employee's ID as the terminal knows it, and
    `name` the name, both empty where it sent none. `attendance` is the button that was pressed, empty for none.
    `is_duress`: the person showed that they were forced, by a card or a finger that is kept for that.
    `picture` is the stored file of the moment, None where none is kept.
    """

    __table_args__ = (
        UniqueConstraint("device_serial", "serial_no", "device_at", name="uq_event_record"),
        CheckConstraint(f"kind IN {KINDS}", name="kind"),
        Index("ix_event_occurred_at", "occurred_at", "id"),
        Index("ix_event_employee_id", "employee_id", "occurred_at", "id"),
        Index("ix_event_terminal_id", "terminal_id", "occurred_at", "id"),
        Index("ix_event_kind", "kind", "occurred_at", "id"),
        Index("ix_event_number", "number", "occurred_at"),
        Index("ix_event_picture", "occurred_at", **only("picture IS NOT NULL")),
        Index("ix_event_attendance", "terminal_id", **only("attendance != ''")),
        NO_ID_TWICE,
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    terminal_id: Mapped[int | None] = mapped_column(ForeignKey("terminal.id", ondelete="SET NULL"))
    employee_id: Mapped[int | None] = mapped_column(ForeignKey("employee.id", ondelete="SET NULL"))
    device_serial: Mapped[str] = mapped_column(String(128))
    serial_no: Mapped[int] = mapped_column(BigInteger)
    device_at: Mapped[datetime] = mapped_column(UTCDateTime)
    device_time: Mapped[str] = mapped_column(String(40))
    occurred_at: Mapped[datetime] = mapped_column(UTCDateTime)
    major: Mapped[int]
    minor: Mapped[int]
    kind: Mapped[str] = mapped_column(String(16))
    number: Mapped[str] = mapped_column(String(32), default="", server_default="")
    name: Mapped[str] = mapped_column(String(128), default="", server_default="")
    attendance: Mapped[str] = mapped_column(String(16), default="", server_default="")
    is_duress: Mapped[bool] = mapped_column(default=False, server_default=false())
    picture: Mapped[str | None] = mapped_column(String(128))
    received_at: Mapped[datetime] = mapped_column(UTCDateTime, default=database_now())
    record: Mapped[dict[str, Any]] = mapped_column(JSON)


class EventLog(Base):
    """How far the log of a terminal was read. Only services/passages writes it.

    `device_serial` is of the device whose log this is. `anchor_serial` and `anchor_at` are the serial number and the
    time of the newest record that was read: while the terminal still has it so, its log goes on. `complete_to` is the
    moment up to which every record is here. `older_than` is the serial number below which the log is still to be read
    backwards, None when there is nothing left. `honours_serials`: the firmware selects by serial number (None: not
    known yet). `page_limit` is how many records it sends at once, and `codes` what it is asked for, as pairs of major
    and minor. `clock_offset` is by how many seconds its clock was ahead at the last reading. `state` is what else is
    remembered of it (services/passages/log_state.py).

    It is read next at `next_at`, was read at `read_at`, and `error_code` is why the last attempt failed.
    `pictures_to` is the id of the newest event whose picture was fetched, or is not to be had.
    `push_secret_hash` is the SHA-256 of the secret in the address that the terminal pushes to, and `pushed_at` when it
    did last.
    """

    __table_args__ = (Index("ix_event_log_next_at", "next_at"),)

    terminal_id: Mapped[int] = mapped_column(ForeignKey("terminal.id", ondelete="CASCADE"), primary_key=True)
    device_serial: Mapped[str] = mapped_column(String(128), default="", server_default="")
    anchor_serial: Mapped[int | None] = mapped_column(BigInteger)
    anchor_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    complete_to: Mapped[datetime | None] = mapped_column(UTCDateTime)
    older_than: Mapped[int | None] = mapped_column(BigInteger)
    honours_serials: Mapped[bool | None]
    page_limit: Mapped[int | None]
    codes: Mapped[list[Any] | None] = mapped_column(JSON)
    clock_offset: Mapped[int | None]
    pictures_to: Mapped[int | None]
    next_at: Mapped[datetime] = mapped_column(UTCDateTime, default=database_now())
    read_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    error_code: Mapped[str] = mapped_column(String(64), default="", server_default="")
    state: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict, server_default="{}")
    push_secret_hash: Mapped[str] = mapped_column(String(64), default="", server_default="")
    pushed_at: Mapped[datetime | None] = mapped_column(UTCDateTime)


class EventCoverage(Base):
    """A span of time of which a terminal's events are all here, or, with a reason, of which some may be missing."""

    __table_args__ = (
        CheckConstraint(f"reason = '' OR reason IN {GAPS}", name="reason"),
        Index("ix_event_coverage_terminal_id", "terminal_id", "from_at"),
        NO_ID_TWICE,
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    terminal_id: Mapped[int] = mapped_column(ForeignKey("terminal.id", ondelete="CASCADE"))
    device_serial: Mapped[str] = mapped_column(String(128), default="", server_default="")
    from_at: Mapped[datetime] = mapped_column(UTCDateTime)
    to_at: Mapped[datetime] = mapped_column(UTCDateTime)
    is_complete: Mapped[bool]
    reason: Mapped[str] = mapped_column(String(16), default="", server_default="")


class TerminalPrivacy(Base):
    """What a terminal does with events by itself: to whom it sends them, which pictures it keeps, what it shows.

    `hosts` are the slots of httpHosts as read: [{"slot", "address", "port", "url", "protocol", "is_ours", "tells"}], of
    ours without its secret. `access` are the switches of AcsCfg, {name: true or false}, and `storage_mode` that of
    StorageCfg: regular, time, cycle, or empty where it does not tell. `foreign_hosts` is how many slots lead to
    somebody else than this program.

    It is read next at `next_at`, and was read at `read_at`: None when it has not been read yet.
    """

    __table_args__ = (Index("ix_terminal_privacy_next_at", "next_at"),)

    terminal_id: Mapped[int] = mapped_column(ForeignKey("terminal.id", ondelete="CASCADE"), primary_key=True)
    hosts: Mapped[list[dict[str, Any]] | None] = mapped_column(JSON)
    access: Mapped[dict[str, bool] | None] = mapped_column(JSON)
    storage_mode: Mapped[str] = mapped_column(String(16), default="", server_default="")
    foreign_hosts: Mapped[int] = mapped_column(default=0, server_default="0")
    next_at: Mapped[datetime] = mapped_column(UTCDateTime, default=database_now())
    read_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
