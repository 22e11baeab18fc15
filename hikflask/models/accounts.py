"""Who may sign in, or call the API: operators and their sessions, tokens of programs, and how often they tried."""

import unicodedata
from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, String, Text, UniqueConstraint, false
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


class ApiToken(Base):
    """A program's token. Only its SHA-256 is stored, so the token itself is shown only once."""

    __table_args__ = (CheckConstraint("role IN ('viewer', 'operator', 'admin')", name="role"), NO_ID_TWICE)

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(MAX_ACCOUNT_LENGTH), unique=True)
    token_sha256: Mapped[str] = mapped_column(String(64), unique=True)
    role: Mapped[str] = mapped_column(String(8))
    created_at: Mapped[datetime] = mapped_column(UTCDateTime, default=database_now())
    created_by: Mapped[str] = mapped_column(String(128))
    expires_at: Mapped[datetime] = mapped_column(UTCDateTime)
    last_used_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    revoked_at: Mapped[datetime | None] = mapped_column(UTCDateTime)


# How long an answer is kept.
ANSWER_SECONDS = 86400.0
# In place of an answer that is not kept any more.
ANSWER_GONE = ""


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


class Throttle(Base):
    """The number of tries for one key (an account, an address, a token) since its window began."""

    key: Mapped[str] = mapped_column(String(160), primary_key=True)
    since: Mapped[datetime] = mapped_column(UTCDateTime)
    count: Mapped[int]
