"""Locks that keep groups from changing while an employee is saved.

A save of an employee reads the groups after share(); a change of a group, or of what belongs to it, calls
change_alone() first. So a save either sees the changed group, or is seen by the change. Departments are locked before.

An employee's number is changed, and the row deleted, after share(), too: a change of groups refers to rows of employees
that it did not lock, and must not wait for one.
"""

from sqlalchemy import func, select

from hikflask.extensions import db
from hikflask.services.core.db import write_first

# The key of the lock in PostgreSQL. Spellings of departments have other keys, 64 bits of a hash.
KEY = 13


def share() -> None:
    """Keep the groups as they are until the transaction ends. SQLite has one writer anyway."""
    if db.engine.dialect.name == "postgresql":
        db.session.execute(select(func.pg_advisory_xact_lock_shared(KEY)))


def change_alone() -> None:
    """Wait for those who read the groups, and keep others from reading them until the transaction ends."""
    write_first()
    if db.engine.dialect.name == "postgresql":
        db.session.execute(select(func.pg_advisory_xact_lock(KEY)))
