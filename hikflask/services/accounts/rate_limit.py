"""Counts tries within a time window. The counts are in the database, so all processes share them."""

import hashlib
import unicodedata
from collections.abc import Collection
from functools import cache
from ipaddress import IPv6Address, IPv6Network
from typing import Any, cast

from sqlalchemy import ColumnElement, Table, bindparam, case, delete, select, update
from sqlalchemy.dialects import postgresql, sqlite

from hikflask.extensions import db
from hikflask.models import Throttle
from hikflask.models.columns import database_now
from hikflask.services.accounts.errors import TooOften
from hikflask.services.core.db import changed_rows, transaction

MAX_KEY_LENGTH = 160
# A machine may use any address of its IPv6 network, so the network is what counts. In bits.
IPV6_NETWORK = 64
# Longer than any window, in seconds.
KEPT_SECONDS = 2 * 86400.0
# Unicode's categories of letters and numerals, save modifiers, and letters of Hangul that have no shape.
COUNTED = {"Lu", "Ll", "Lt", "Lo", "Nd", "Nl", "No"}
FILLERS = "\u115f\u1160"
# The table, not the model: each call of the API counts, and the ORM doubles the cost of that.
ROWS = cast("Table", Throttle.__table__)


def count_try(key: str, limit: int, seconds: float) -> None:
    """Count one try. The window begins with the first try and lasts so many seconds.

    :param limit: how many tries are allowed within the window.
    :raises TooOften: when this is one more (params: seconds until the window ends; first: the first try too many).
    """
    statement = _counted(db.engine.dialect.name, seconds)
    with transaction(alone=True):
        count, since, now = db.session.execute(statement, {"its_key": key[:MAX_KEY_LENGTH], "amount": 1}).one()
    if count > limit:
        left = seconds - (now - since).total_seconds()
        raise TooOften(seconds=max(1, round(left)), first=count == limit + 1)


def add(key: str, amount: int, seconds: float) -> int:
    """Add to a count, with a window as count_try() has it, in the open transaction; return what it is then."""
    statement = _counted(db.engine.dialect.name, seconds)
    with transaction():
        count, _, _ = db.session.execute(statement, {"its_key": key[:MAX_KEY_LENGTH], "amount": amount}).one()
    return int(count)


def counted(keys: Collection[str], seconds: float) -> dict[str, int]:
    """Return the counts of these keys whose window is open."""
    rows = select(Throttle.key, Throttle.count).where(Throttle.key.in_(keys), _is_open(seconds))
    return {key: count for key, count in db.session.execute(rows)}


def refuse_exhausted(key: str, limit: int, seconds: float) -> None:
    """Refuse a try when the limit is reached already. A try that may go on is not counted yet.

    :raises TooOften: as count_try() does.
    """
    conditions = (Throttle.key == key[:MAX_KEY_LENGTH], Throttle.count >= limit, _is_open(seconds))
    if db.session.execute(select(Throttle.key).where(*conditions)).first():
        count_try(key, limit, seconds)


def account_key(name: str) -> str:
    """Return the key for tries at an account, the same for all names that a directory may take for one.

    Directories ignore the width and the case of letters, spaces, invisible characters, what they do not know, and
    (Active Directory) accents. So letters and digits alone count, those of Unicode 3.2, by which directories prepare
    names (RFC 4518, 2.2 and 2.4); accounts that differ by anything else share a key. It is a hash: a name of any
    length fits, and the table does not show what somebody typed as a name.
    """
    plain = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", name).casefold())
    category = unicodedata.ucd_3_2_0.category
    counted = "".join(letter for letter in plain if category(letter) in COUNTED and letter not in FILLERS)
    return f"account:{hashlib.sha256(counted.encode()).hexdigest()}"


def key_at_place(key: str, place: str) -> str:
    """Return the key for tries at an account from one place."""
    return f"{key}@{place}"


def place_of(address: str) -> str:
    """Return what counts as one place: an IPv4 address, or the network of an IPv6 address."""
    try:
        parsed = IPv6Address(address.partition("%")[0])
    except ValueError:
        return address
    return address if parsed.ipv4_mapped else str(IPv6Network((parsed, IPV6_NETWORK), strict=False))


def uncount_try(key: str) -> None:
    """Do not count one try: it was a successful one."""
    statement = update(Throttle).where(Throttle.key == key[:MAX_KEY_LENGTH], Throttle.count > 0)
    with transaction(alone=True):
        changed_rows(statement.values(count=Throttle.count - 1))


def reset_account(key: str) -> None:
    """Set the counts of an account to zero, from all places."""
    anywhere = (Throttle.key == key) | Throttle.key.startswith(key_at_place(key, ""), autoescape=True)
    with transaction():
        db.session.execute(delete(Throttle).where(anywhere))


def delete_old_tries() -> None:
    """Delete counts whose window is long over."""
    with transaction():
        db.session.execute(delete(Throttle).where(Throttle.since < database_now(-KEPT_SECONDS)))


@cache
def _counted(dialect: str, seconds: float) -> Any:
    """Return a statement that adds an amount to an open window, or opens a new one.

    A window that begins in the future was written before the clock was set back; it counts as over.
    """
    insert = postgresql.insert if dialect == "postgresql" else sqlite.insert
    now, open_still = database_now(), _is_open(seconds)
    return (
        insert(ROWS)
        .values(key=bindparam("its_key"), since=now, count=bindparam("amount"))
        .on_conflict_do_update(
            index_elements=["key"],
            set_={
                "count": case((open_still, Throttle.count + bindparam("amount")), else_=bindparam("amount")),
                "since": case((open_still, Throttle.since), else_=now),
            },
        )
        .returning(Throttle.count, Throttle.since, now.label("now"))
    )


def _is_open(seconds: float) -> ColumnElement[bool]:
    return Throttle.since.between(database_now(-seconds), database_now(1.0))
