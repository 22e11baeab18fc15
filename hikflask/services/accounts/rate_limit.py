"""Counts tries by key in the database, so that all processes share what was tried lately."""

import hashlib
from ipaddress import IPv6Address, IPv6Network
from typing import Any

from sqlalchemy import ColumnElement, case, delete, select, update
from sqlalchemy.dialects import postgresql, sqlite

from hikflask.extensions import db
from hikflask.models import Throttle
from hikflask.models.columns import database_now
from hikflask.services.accounts.errors import TooOften
from hikflask.services.core.db import changed_rows

LONGEST_KEY = 160
# Bits of a network: any machine takes as many addresses as it likes out of the rest.
ONE_MACHINE = 64
FORGOTTEN_AFTER = 86400.0


def take(key: str, limit: int, seconds: float) -> None:
    """Count one try; the window of `seconds` begins with its first one.

    :raises TooOften: when it is more than `limit` within the window (params: seconds until it ends, and whether it is
        the first one too many).
    """
    count, since, now = db.session.execute(_counted(key[:LONGEST_KEY], seconds)).one()
    db.session.commit()
    if count > limit:
        left = seconds - (now - since).total_seconds()
        raise TooOften(seconds=max(1, round(left)), first=count == limit + 1)


def refuse_spent(key: str, limit: int, seconds: float) -> None:
    """Refuse a try where there were `limit` already within the window; one that may go on is not counted yet.

    :raises TooOften: as take() does.
    """
    spent = select(Throttle.key).where(Throttle.key == key[:LONGEST_KEY], Throttle.count >= limit, _is_open(seconds))
    if db.session.execute(spent).first():
        take(key, limit, seconds)
    db.session.commit()


def account(login: str) -> str:
    """Return the key of an account: names of any length fit, and the table does not show what was typed for a name."""
    return f"account:{hashlib.sha256(login.encode()).hexdigest()}"


def at(account_key: str, place: str) -> str:
    """Return the key of an account at one place."""
    return f"{account_key}@{place}"


def place(address: str) -> str:
    """Return what counts as one place: an IPv4 address, or the network in which one machine has all its IPv6 ones."""
    try:
        found = IPv6Address(address.partition("%")[0])
    except ValueError:
        return address
    return address if found.ipv4_mapped else str(IPv6Network((found, ONE_MACHINE), strict=False))


def give_back(key: str) -> None:
    """Take one try back: it was a good one."""
    statement = update(Throttle).where(Throttle.key == key[:LONGEST_KEY], Throttle.count > 0)
    changed_rows(statement.values(count=Throttle.count - 1))
    db.session.commit()


def forget(account_key: str) -> None:
    """Forget all tries of an account, also those that are counted by place."""
    anywhere = (Throttle.key == account_key) | Throttle.key.startswith(at(account_key, ""), autoescape=True)
    db.session.execute(delete(Throttle).where(anywhere))
    db.session.commit()


def forget_old_tries() -> None:
    """Remove what no window reaches any more."""
    db.session.execute(delete(Throttle).where(Throttle.since < database_now(-FORGOTTEN_AFTER)))
    db.session.commit()


def _counted(key: str, seconds: float) -> Any:
    """One statement: add one to a window that is open, else open a new one; a window of the future is none."""
    insert = postgresql.insert if db.engine.dialect.name == "postgresql" else sqlite.insert
    now, open_still = database_now(), _is_open(seconds)
    return (
        insert(Throttle)
        .values(key=key, since=now, count=1)
        .on_conflict_do_update(
            index_elements=["key"],
            set_={
                "count": case((open_still, Throttle.count + 1), else_=1),
                "since": case((open_still, Throttle.since), else_=now),
            },
        )
        .returning(Throttle.count, Throttle.since, now.label("now"))
    )


def _is_open(seconds: float) -> ColumnElement[bool]:
    return Throttle.since.between(database_now(-seconds), database_now(1.0))
