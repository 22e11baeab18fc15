"""The operators who sign in to this app, and their open sessions."""

import unicodedata
from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, String, false
from sqlalchemy.orm import Mapped, mapped_column

from hikflask.extensions import Base
from hikflask.models.columns import NO_ID_TWICE, UTCDateTime, database_now
from hikflask.text_rules import MAX_ACCOUNT_LENGTH, MAX_LOGIN_LENGTH, case_folded

VIEWER = "viewer"
OPERATOR = "operator"
ADMIN = "admin"
# Each role includes the rights of the roles before it.
ROLES = (VIEWER, OPERATOR, ADMIN)
# Where an operator's password and role come from: the row itself, or the company's directory.
LOCAL, LDAP = "", "ldap"
# How an operator looks at the employees: as rows, or as a grid of their photos.
AS_LIST, AS_PHOTOS = "", "photos"


def login_of(name: str) -> str:
    """Return the form in which names of operators are compared, whatever the width and case of their letters."""
    plain = unicodedata.normalize("NFKC", case_folded(unicodedata.normalize("NFKC", name)))
    return " ".join(plain.split())


def may(role: str, needed: str) -> bool:
    """True when a role includes the needed role."""
    return ROLES.index(role) >= ROLES.index(needed)


class Operator(Base):
    """A person who signs in. `login` is login_of() the name, `password_hash` a scrypt hash.

    `device_generation` rises when all sessions are ended: known devices then become unknown again. `totp_encrypted` is
    the secret of the second factor as a token of the vault, None where there is none; `totp_step` the time step whose
    code was accepted last, and `totp_used` the newest time steps with an accepted code, separated by spaces. An
    operator of the company's `directory` has no password here; `checked_at` is when the directory was queried last
    about this operator. `employees_view` is how this operator looked at the employees last.
    """

    __table_args__ = (CheckConstraint("role IN ('viewer', 'operator', 'admin')", name="role"), NO_ID_TWICE)

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(MAX_ACCOUNT_LENGTH))
    login: Mapped[str] = mapped_column(String(MAX_LOGIN_LENGTH), unique=True)
    password_hash: Mapped[str] = mapped_column(String(255))
    role: Mapped[str] = mapped_column(String(8))
    is_active: Mapped[bool] = mapped_column(default=True)
    must_change_password: Mapped[bool] = mapped_column(default=False)
    device_generation: Mapped[int] = mapped_column(default=0, server_default="0")
    totp_encrypted: Mapped[str | None] = mapped_column(String(255))
    totp_step: Mapped[int | None]
    totp_used: Mapped[str] = mapped_column(String(255), default="", server_default="")
    directory: Mapped[str] = mapped_column(String(8), default=LOCAL, server_default="")
    checked_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    employees_view: Mapped[str] = mapped_column(String(8), default=AS_LIST, server_default="")
    created_at: Mapped[datetime] = mapped_column(UTCDateTime, default=database_now())


class OperatorSession(Base):
    """An open session. The cookie holds a random key, the row its SHA-256.

    `seen_at` is when the operator last did something, `confirmed_at` when the operator last typed the
    password: to sign in, or to confirm an action. With `factor_pending` it opens nothing: the password was
    right, and the second factor is still to come.
    """

    __table_args__ = NO_ID_TWICE

    id: Mapped[int] = mapped_column(primary_key=True)
    key_sha256: Mapped[str] = mapped_column(String(64), unique=True)
    operator_id: Mapped[int] = mapped_column(ForeignKey("operator.id", ondelete="CASCADE"), index=True)
    started_at: Mapped[datetime] = mapped_column(UTCDateTime, default=database_now())
    seen_at: Mapped[datetime] = mapped_column(UTCDateTime, default=database_now())
    confirmed_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    address: Mapped[str] = mapped_column(String(64), default="")
    factor_pending: Mapped[bool] = mapped_column(default=False, server_default=false())


class RecoveryCode(Base):
    """A code that stands for the second factor once. Only its SHA-256 is stored; the row is deleted by its use."""

    id: Mapped[int] = mapped_column(primary_key=True)
    operator_id: Mapped[int] = mapped_column(ForeignKey("operator.id", ondelete="CASCADE"), index=True)
    code_sha256: Mapped[str] = mapped_column(String(64))
