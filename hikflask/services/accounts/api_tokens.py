"""API tokens: created and shown once, read by their hash, revoked."""

import hashlib
import secrets
from datetime import UTC, datetime, timedelta

from sqlalchemy import bindparam, or_, select, update
from sqlalchemy.exc import IntegrityError

from hikflask.extensions import db
from hikflask.models import ApiToken
from hikflask.models.columns import database_now
from hikflask.services import audit
from hikflask.services.accounts import reserved_names
from hikflask.services.core import no_space
from hikflask.services.core.db import changed_rows, transaction
from hikflask.services.core.errors import NotFound, ServiceError

DEFAULT_DAYS, MAX_DAYS = 365, 3660
PREFIX = "hik_"
TOKEN_BYTES = 32
# The time of the last use is written this often at most.
LAST_USE_SECONDS = 60.0
# Made once, as each call begins with it: to make a statement costs more than to run it.
IS_STALE = or_(ApiToken.last_used_at.is_(None), ApiToken.last_used_at < database_now(-LAST_USE_SECONDS))
IS_VALID = (ApiToken.revoked_at.is_(None), ApiToken.expires_at > database_now())
VALID = (
    select(ApiToken, IS_STALE.label("is_stale"))
    .where(ApiToken.token_sha256 == bindparam("sha256"), *IS_VALID)
    .execution_options(populate_existing=True)
)


def create(name: str, role: str, expires_at: datetime) -> tuple[ApiToken, str]:
    """Create a token. Return its row and the token itself, which cannot be shown again.

    :param role: what the token may do, as for operators. :param expires_at: when it stops to be valid.
    :raises token_name_known: when another token, revoked or not, has this name.
    :raises name_reserved: when the name would read like somebody else's in the audit trail.
    :raises token_end_unusable: when that is over, or more than MAX_DAYS ahead.
    """
    now = datetime.now(UTC)
    if not now < expires_at <= now + timedelta(days=MAX_DAYS + 1):
        raise ServiceError("token_end_unusable")
    if reserved_names.is_reserved(name):
        raise ServiceError("name_reserved")
    secret = PREFIX + secrets.token_urlsafe(TOKEN_BYTES)
    token = ApiToken(
        name=name,
        token_sha256=_hash(secret),
        role=role,
        expires_at=expires_at,
        created_by=audit.current_actor().name[:128],
    )
    try:
        with transaction():
            db.session.add(token)
            db.session.flush()
            audit.record("token.created", subject=name, after={"role": role, "expires_at": expires_at.isoformat()})
    except IntegrityError as error:
        raise ServiceError("token_name_known") from error
    return token, secret


def find(secret: str) -> ApiToken | None:
    """Return the row of a token that is valid now and write the time of its use, or return None."""
    row = db.session.execute(VALID, {"sha256": _hash(secret)}).one_or_none()
    if row is not None and row.is_stale:
        used = update(ApiToken).where(ApiToken.id == row.ApiToken.id)
        with no_space.ignored(), transaction():
            changed_rows(used.values(last_used_at=database_now()))
    return row and row.ApiToken


def revoke(token_id: int) -> ApiToken:
    """Revoke a token: it is not valid any more. :raises token_unknown: when there is no such token."""
    token = get(token_id)
    if token is None:
        raise NotFound("token_unknown")
    unrevoked = update(ApiToken).where(ApiToken.id == token_id, ApiToken.revoked_at.is_(None))
    with transaction():
        if changed_rows(unrevoked.values(revoked_at=database_now())):
            audit.record("token.revoked", subject=token.name)
    return token


def get(token_id: int) -> ApiToken | None:
    """Return the token's row as it is in the database now, or None."""
    return db.session.get(ApiToken, token_id, populate_existing=True)


def list_valid_of(creator: str) -> list[ApiToken]:
    """Return the valid tokens that an operator created, sorted by name: the operator may still have them."""
    statement = select(ApiToken).where(ApiToken.created_by == creator, *IS_VALID).order_by(ApiToken.name)
    return list(db.session.execute(statement).scalars())


def list_all() -> list[ApiToken]:
    """Return all tokens, revoked ones too, sorted by name."""
    statement = select(ApiToken).order_by(ApiToken.name)
    return list(db.session.execute(statement, execution_options={"populate_existing": True}).scalars())


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
