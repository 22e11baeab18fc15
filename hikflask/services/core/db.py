"""Statements that are executed for the number of rows they changed: what compare-and-set is decided by."""

from typing import Any, cast

from sqlalchemy import CursorResult, Delete, Update

from hikflask.extensions import db


def changed_rows(statement: Update | Delete) -> int:
    """Execute an UPDATE or DELETE in the open transaction and return how many rows it changed."""
    result = cast("CursorResult[Any]", db.session.execute(statement, execution_options={"synchronize_session": False}))
    return result.rowcount
