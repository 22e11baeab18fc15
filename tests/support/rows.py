"""Rows of the database as a test compares them."""

from typing import TypeVar

from flask import Flask
from sqlalchemy import select

from hikflask.extensions import Base, db

Row = TypeVar("Row", bound=Base)


def all_of(app: Flask, kind: type[Row]) -> list[Row]:
    """All rows of a table."""
    with app.app_context():
        return list(db.session.execute(select(kind)).scalars())
