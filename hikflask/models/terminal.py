"""Face terminals: the result of their check and their lease, when they answered, and groups of them."""

from datetime import date, datetime

from sqlalchemy import BigInteger, CheckConstraint, Column, ForeignKey, Index, String, Table, false
from sqlalchemy.ext.hybrid import hybrid_property
from sqlalchemy.orm import Mapped, mapped_column

from hikflask.extensions import Base
from hikflask.models.columns import NO_ID_TWICE, UTCDateTime, database_now

BY_URL = "url"
BY_BINARY = "binary"
BY_PICTURE = "picture"
NO_CAPTURE = "none"
# Where somebody is who passes there: inside, or outside.
WAY_IN, WAY_OUT = "in", "out"
UNKNOWN = "unknown"
FACE_SET_UP = "set_up"
FACE_ADD_OR_REPLACE = "add_or_replace"


class Terminal(Base):
    """A face terminal.

    Only services/terminals/leases.py writes the lease columns. `version` rises when address, account, password or
    fingerprint change, so that clients with the old values are not used any more. `check_until` is set when a check is
    requested: the latest time of its end. `retired_at` is when a person stated that the terminal is out of service for
    good, and `retired_note` what happened to it. Nothing is sent to a retired terminal, which is never active.

    `direction` is where somebody goes who passes there: in, out, or empty when that says nothing.

    The modes are None until the terminal is checked, and `unknown` if the check does not tell; then the first mode that
    works is stored. `face_calls` is how faces are sent: FDSetUp, or the older FaceDataRecord and FDModify, or None if
    unknown, `picture_name` what the part with the picture is called there, or None if unknown, and `modify_method` how
    changes of a person are sent: PUT or POST. `last_capture_at` is the last success, after which the terminal refuses
    the next capture for a moment.

    Until `wanted_until` an urgent request waits for the terminal, so jobs release it. `lease_yields` is the
    number of the lease that may be taken over, while its holder only waits for something to read. `clock_offset` is how
    many seconds the terminal's clock was ahead of ours at `clock_checked_at`, `zone` its time zone as sent
    or as POSIX writes it, `clock_mode` how it is set (NTP or manual), and `clock_doubt` what contradicts itself in time
    and zone (services/terminals/clock.py).
    `earlier_serial` is that of the device before this one, and `device_changed_at` when the current one was noticed.
    `awaits_restore`: people were desired on the device before, and nobody has confirmed yet that they belong on this
    one. `answered_at` is the time of its last answer of any kind.
    `restored_from`: the rows came from a backup that was made then. Nothing is written to the terminal before it was
    compared and an administrator allowed that (see services/comparisons/after_restore.py).
    `door_lock`, `door_mode` and `door_contact` are what it told of its door when its people were counted last (words of
    isapi/door.py), empty where it does not tell.
    `compared_on` is the day of the last nightly comparison. `drift_after` is the enrolment up to which the terminal
    was last checked for people who are gone or have another name there, at `drift_looked_at`.
    """

    __table_args__ = (
        CheckConstraint("capture_mode IN ('url', 'binary', 'none', 'unknown')", name="capture_mode"),
        CheckConstraint("face_mode IN ('url', 'picture', 'unknown')", name="face_mode"),
        CheckConstraint("face_calls IN ('set_up', 'add_or_replace')", name="face_calls"),
        NO_ID_TWICE,
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(64), unique=True)
    url: Mapped[str] = mapped_column(String(255))
    username: Mapped[str] = mapped_column(String(64))
    password_encrypted: Mapped[str] = mapped_column(String(512))
    fingerprint: Mapped[str | None] = mapped_column(String(64))
    is_active: Mapped[bool] = mapped_column(default=True)
    retired_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    direction: Mapped[str] = mapped_column(String(3), default="", server_default="")
    retired_note: Mapped[str] = mapped_column(String(255), default="", server_default="")
    version: Mapped[int] = mapped_column(default=1)
    created_at: Mapped[datetime] = mapped_column(UTCDateTime, default=database_now())

    model: Mapped[str] = mapped_column(String(64), default="")
    serial: Mapped[str] = mapped_column(String(128), default="")
    firmware: Mapped[str] = mapped_column(String(64), default="")
    capture_mode: Mapped[str | None] = mapped_column(String(8))
    can_cancel: Mapped[bool] = mapped_column(default=False)
    face_mode: Mapped[str | None] = mapped_column(String(8))
    face_by_picture: Mapped[bool] = mapped_column(default=False)
    face_calls: Mapped[str | None] = mapped_column(String(16))
    picture_name: Mapped[str | None] = mapped_column(String(16))
    modify_method: Mapped[str] = mapped_column(String(4), default="PUT", server_default="PUT")
    last_capture_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    name_bytes: Mapped[int | None]
    people: Mapped[int | None]
    faces: Mapped[int | None]
    people_capacity: Mapped[int | None]
    face_capacity: Mapped[int | None]
    checked_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    check_until: Mapped[datetime | None] = mapped_column(UTCDateTime)
    reachable: Mapped[bool | None]
    answered_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    login: Mapped[bool | None]
    last_error_code: Mapped[str] = mapped_column(String(64), default="")
    offline_since: Mapped[datetime | None] = mapped_column(UTCDateTime)
    backoff_until: Mapped[datetime | None] = mapped_column(UTCDateTime)
    last_sync: Mapped[datetime | None] = mapped_column(UTCDateTime)

    refused_since: Mapped[datetime | None] = mapped_column(UTCDateTime)
    refused_code: Mapped[str] = mapped_column(String(32), default="")
    unlock_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    retried_version: Mapped[int] = mapped_column(default=0)

    lease_number: Mapped[int] = mapped_column(default=0)
    lease_holder: Mapped[str] = mapped_column(String(128), default="")
    lease_purpose: Mapped[str] = mapped_column(String(16), default="")
    lease_until: Mapped[datetime | None] = mapped_column(UTCDateTime)

    wanted_until: Mapped[datetime | None] = mapped_column(UTCDateTime)
    lease_yields: Mapped[int | None]

    clock_offset: Mapped[int | None]
    clock_mode: Mapped[str] = mapped_column(String(16), default="", server_default="")
    zone: Mapped[str] = mapped_column(String(64), default="", server_default="")
    clock_doubt: Mapped[str] = mapped_column(String(64), default="", server_default="")
    clock_checked_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    door_lock: Mapped[str] = mapped_column(String(8), default="", server_default="")
    door_mode: Mapped[str] = mapped_column(String(8), default="", server_default="")
    door_contact: Mapped[str] = mapped_column(String(8), default="", server_default="")
    earlier_serial: Mapped[str] = mapped_column(String(128), default="", server_default="")
    device_changed_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    awaits_restore: Mapped[bool] = mapped_column(default=False, server_default=false())
    restored_from: Mapped[datetime | None] = mapped_column(UTCDateTime)
    compared_on: Mapped[date | None]
    drift_after: Mapped[int] = mapped_column(default=0, server_default="0")
    drift_looked_at: Mapped[datetime | None] = mapped_column(UTCDateTime)

    @hybrid_property
    def is_checked(self) -> bool:
        """True when it was checked since its address or login changed, and its rows are not those of a backup that was
        not compared with it yet.
        """
        return (self.face_mode != None) & (self.restored_from == None)  # noqa: E711 - it is a condition of statements


class ReachabilityChange(Base):
    """A terminal answers, or does not, from this moment until its next row; None: that is not known.

    Nothing is known before its first row.
    """

    __table_args__ = (Index("ix_reachability_change_terminal_id_at", "terminal_id", "at"), NO_ID_TWICE)

    id: Mapped[int] = mapped_column(primary_key=True)
    terminal_id: Mapped[int] = mapped_column(ForeignKey("terminal.id", ondelete="CASCADE"))
    at: Mapped[datetime] = mapped_column(UTCDateTime, default=database_now())
    is_reachable: Mapped[bool | None]


class DoorOpening(Base):
    """A request to open the door of a terminal, written before it was sent, until its trace in the log is long read.

    Only services/terminals/door.py writes it. `sent_at` is when it was sent, `opened` whether the terminal showed that
    it opened (None: that is not known), and `serial_no` that of the event that the terminal wrote about the request,
    where it was found. `is_matched`: that event was read with the log, and is no alarm. `call_key` is that of the call
    of a program, so that the same call opens once.
    """

    __table_args__ = (Index("ix_door_opening_terminal_id_sent_at", "terminal_id", "sent_at"), NO_ID_TWICE)

    id: Mapped[int] = mapped_column(primary_key=True)
    terminal_id: Mapped[int] = mapped_column(ForeignKey("terminal.id", ondelete="CASCADE"))
    sent_at: Mapped[datetime] = mapped_column(UTCDateTime, default=database_now())
    opened: Mapped[bool | None]
    serial_no: Mapped[int | None] = mapped_column(BigInteger)
    is_matched: Mapped[bool] = mapped_column(default=False, server_default=false())
    call_key: Mapped[str | None] = mapped_column(String(64), unique=True)


def _members(name: str, other: str) -> Table:
    """Return the table of what belongs to a group."""
    return Table(
        f"terminal_group_{name}",
        Base.metadata,
        Column("group_id", ForeignKey("terminal_group.id", ondelete="CASCADE"), primary_key=True),
        Column(f"{name}_id", ForeignKey(f"{other}.id", ondelete="CASCADE"), primary_key=True, index=True),
    )


GROUP_TERMINALS = _members("terminal", "terminal")
GROUP_DEPARTMENTS = _members("department", "department")
GROUP_EMPLOYEES = _members("employee", "employee")


class TerminalGroup(Base):
    """A group of terminals by its name. Who belongs to it, alone or by department, is desired on its terminals."""

    __table_args__ = (NO_ID_TWICE,)

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(64), unique=True)
    created_at: Mapped[datetime] = mapped_column(UTCDateTime, default=database_now())
