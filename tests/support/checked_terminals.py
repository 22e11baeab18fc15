"""Terminals that were checked. The check itself runs once in a process; later, what it wrote is written again."""

from datetime import datetime
from typing import Any

from flask import Flask

from hikflask.extensions import db
from hikflask.isapi import device
from hikflask.models import Terminal
from hikflask.models.columns import database_now
from hikflask.services.core.db import end_read
from hikflask.services.terminals import checks, registry
from hikflask.services.terminals.connection import converse, get_terminal
from hikflask.services.terminals.registry import Access
from hikflask.simulator import Profile
from hikflask.simulator import Terminal as Simulated

TABLE = Terminal.__table__


class CheckedTerminals:
    """What the check of a fresh terminal wrote, by the app and the terminal's profile."""

    def __init__(self) -> None:
        self._written: dict[tuple[Flask, Profile], dict[str, Any]] = {}

    def add(self, app: Flask, access: Access, simulator: Simulated) -> Terminal:
        """Add a terminal that is checked and logged in; needs an app context."""
        added, key = registry.add(access), (app, simulator.profile)
        if simulator.people or simulator.faults.active:
            return checks.check(added.id, "test")
        if key not in self._written:
            before = _row(added.id)
            terminal = checks.check(added.id, "test")
            self._written[key] = {name: value for name, value in _row(added.id).items() if value != before[name]}
            return terminal
        with converse(added.id, "test", checks.CHECK, urgent=True) as talk:
            device.info(talk)
            with talk.lease.write():
                columns = {name: _as_now(value) for name, value in self._written[key].items()}
                db.session.execute(db.update(Terminal).where(Terminal.id == added.id).values(columns))
        terminal = get_terminal(added.id)
        end_read()
        return terminal


def _row(terminal_id: int) -> dict[str, Any]:
    row = db.session.execute(db.select(TABLE).where(TABLE.c.id == terminal_id)).one()._asdict()
    end_read()
    return {name: value for name, value in row.items() if not name.startswith("lease_")}


def _as_now(value: Any) -> Any:
    return database_now() if isinstance(value, datetime) else value
